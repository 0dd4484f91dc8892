//! Failed accepts, told without flooding the log.

use std::time::{Duration, Instant};

/// Shortest time between two warnings.
const INTERVAL: Duration = Duration::from_secs(1);

/// How often accepting failed since that was last told.
#[derive(Debug, Default)]
pub(super) struct AcceptFailures {
    untold: u64,
    told: Option<Instant>,
}

impl AcceptFailures {
    /// Counts a failure; the number of those to tell of, where it is time to.
    pub(super) fn note(&mut self, now: Instant) -> Option<u64> {
        self.untold += 1;
        if self.told.is_some_and(|told| now.saturating_duration_since(told) < INTERVAL) {
            return None;
        }
        self.told = Some(now);
        Some(std::mem::take(&mut self.untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_told_at_once_and_then_once_a_second_with_their_number() {
        let (mut failures, began) = (AcceptFailures::default(), Instant::now());
        assert_eq!(failures.note(began), Some(1));
        for tenth in 1..10 {
            assert_eq!(failures.note(began + Duration::from_millis(100) * tenth), None);
        }
        assert_eq!(failures.note(began + INTERVAL), Some(10));
        assert_eq!(failures.note(began + INTERVAL * 9), Some(1));
    }
}
