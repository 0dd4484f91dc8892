//! The one place that reads the time.

use chrono::{DateTime, SubsecRound, Utc};

/// Where `now` comes from.
#[derive(Debug, Clone, Copy)]
pub struct Clock;

impl Clock {
    /// The time in whole milliseconds, cut and not rounded: what Node knows and the tables hold.
    pub fn now(self) -> DateTime<Utc> {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the time")]
        Utc::now().trunc_subsecs(3)
    }
}
