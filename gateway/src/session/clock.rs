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
