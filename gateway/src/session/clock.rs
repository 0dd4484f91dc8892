//! The one place that reads the time.

use chrono::{DateTime, SubsecRound, Utc};

/// Where `now` comes from.
#[derive(Debug, Clone, Copy, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// A clock that stands still, for tests.
    Fixed(DateTime<Utc>),
}

impl Clock {
    /// The time in whole milliseconds, cut and not rounded: what Node knows and the tables hold.
    pub fn now(&self) -> DateTime<Utc> {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the time")]
        let now = match self {
            Self::System => Utc::now(),
            Self::Fixed(now) => *now,
        };
        now.trunc_subsecs(3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_cut_to_milliseconds() {
        let clock = Clock::Fixed("2026-12-23T09:15:14.368999Z".parse().unwrap());
        assert_eq!(clock.now().to_rfc3339(), "2026-12-23T09:15:14.368+00:00");
        assert_eq!(Clock::System.now().timestamp_subsec_nanos() % 1_000_000, 0);
    }
}
