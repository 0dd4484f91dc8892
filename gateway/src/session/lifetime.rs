//! How long a session lives, and when that is written down.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// The settings of a session's life.
///
/// What a row says of its own life wins over `max_age` until the next sign-in, as in Express.
#[derive(Debug, Clone, Copy)]
pub struct Lifetime {
    /// How long a session lives after its last visit (`--session-max-age`).
    pub max_age: Duration,
    /// A visit within this time of the last write writes nothing (`--touch-interval`).
    pub touch_interval: Duration,
}

impl Default for Lifetime {
    fn default() -> Self {
        Self { max_age: Duration::from_hours(30 * 24), touch_interval: Duration::from_mins(10) }
    }
}

impl Lifetime {
    /// What a new session's row says as `originalMaxAge`; `None` beyond what a date can hold.
    pub(super) fn max_age(&self) -> Option<TimeDelta> {
        TimeDelta::from_std(self.max_age).ok()
    }

    /// Whether a visit is worth writing down, for a row last written at `updated`.
    pub(super) fn needs_touch(&self, updated: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        (now - updated).to_std().is_ok_and(|age| age >= self.touch_interval)
    }
}

/// A session without an end is one that Express would never prune.
pub(super) fn is_live(expires: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    expires.is_none_or(|expires| expires > now)
}

/// Whether less than half of the life of the browser's cookie is left.
pub(super) fn needs_renewal(
    cookie_expires: DateTime<Utc>,
    life: TimeDelta,
    now: DateTime<Utc>,
) -> bool {
    cookie_expires - now < life / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_session_ends_at_the_very_moment_of_its_expiry() {
        let expires = Some(at("2026-12-23T09:15:14.368Z"));
        assert!(is_live(expires, at("2026-12-23T09:15:14.367Z")));
        assert!(!is_live(expires, at("2026-12-23T09:15:14.368Z")));
        assert!(is_live(None, at("2026-12-23T09:15:14.368Z")));
    }

    #[test]
    fn a_cookie_is_renewed_in_the_second_half_of_its_life() {
        let (expires, life) = (at("2026-12-31T00:00:00Z"), TimeDelta::days(30));
        assert!(!needs_renewal(expires, life, at("2026-12-16T00:00:00Z")));
        assert!(needs_renewal(expires, life, at("2026-12-16T00:00:00.001Z")));
        assert!(needs_renewal(expires, life, at("2027-02-01T00:00:00Z")));
    }

    #[test]
    fn a_visit_is_written_down_once_in_an_interval() {
        let lifetime = Lifetime::default();
        let updated = at("2026-12-16T00:00:00Z");
        assert!(!lifetime.needs_touch(updated, at("2026-12-16T00:09:59.999Z")));
        assert!(lifetime.needs_touch(updated, at("2026-12-16T00:10:00Z")));
        assert!(!lifetime.needs_touch(updated, at("2026-12-15T00:00:00Z")), "a clock set back");
    }
}
