//! How long to wait before a process that ended is started again.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(10);

/// A process that lived this long did not end for the same reason as the one before.
const LONG_LIFE: Duration = Duration::from_secs(30);

/// A pause that doubles with every early death.
#[derive(Debug)]
pub(crate) struct RestartPause {
    next: Duration,
}

impl RestartPause {
    pub(crate) fn new() -> Self {
        Self { next: FIRST }
    }

    /// The pause after a process that lived for `life`.
    pub(crate) fn after(&mut self, life: Duration) -> Duration {
        let pause = if life < LONG_LIFE { self.next } else { FIRST };
        self.next = LONGEST.min(pause * 2);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_up_to_ten_seconds() {
        let mut pause = RestartPause::new();
        let pauses: Vec<_> = (0..7).map(|_| pause.after(Duration::ZERO).as_millis()).collect();
        assert_eq!(pauses, [500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
    }

    #[test]
    fn half_a_minute_of_life_makes_it_short_again() {
        let mut pause = RestartPause::new();
        pause.after(Duration::ZERO);
        assert_eq!(pause.after(Duration::from_secs(30)), FIRST);
        assert_eq!(pause.after(Duration::from_secs(29)), FIRST * 2);
    }
}
