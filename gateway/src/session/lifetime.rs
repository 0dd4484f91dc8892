//! How long a session lives.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// The settings of a session's life.
///
/// What a row says of its own life wins over `max_age` until the next sign-in, as in Express.
#[derive(Debug, Clone, Copy)]
pub struct Lifetime {
    /// How long a session lives after its last visit (`--session-max-age`); `None` for a cookie
    /// that lives as long as the browser.
    pub max_age: Option<Duration>,
    /// How long a row lives after a visit whose cookie names no end (`--session-expiration`).
    pub expiration: Duration,
}

impl Default for Lifetime {
    fn default() -> Self {
        Self { max_age: Some(Duration::from_hours(30 * 24)), expiration: Duration::from_hours(24) }
    }
}

/// The life that a session has before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Life {
    /// What the row says as `originalMaxAge`.
    pub(super) max_age: Option<TimeDelta>,
    /// When the row ends.
    pub(super) row_expires: DateTime<Utc>,
}

impl Life {
    /// When the browser drops the cookie; `None`: when it ends itself.
    pub(super) fn cookie_expires(self) -> Option<DateTime<Utc>> {
        self.max_age.map(|_| self.row_expires)
    }
}

impl Lifetime {
    /// That of a session that begins now; `None` beyond what a date can hold.
    pub(super) fn begin(&self, now: DateTime<Utc>) -> Option<Life> {
        let max_age = match self.max_age {
            Some(max_age) => Some(TimeDelta::from_std(max_age).ok()?),
            None => None,
        };
        self.after_visit(max_age, now)
    }

    /// That of a session whose row says `max_age`, after a visit now.
    pub(super) fn after_visit(
        &self,
        max_age: Option<TimeDelta>,
        now: DateTime<Utc>,
    ) -> Option<Life> {
        let left = match max_age {
            Some(max_age) => max_age,
            None => TimeDelta::from_std(self.expiration).ok()?,
        };
        Some(Life { max_age, row_expires: now.checked_add_signed(left)? })
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
    fn a_session_of_the_browser_lives_a_day_after_each_visit_and_its_cookie_has_no_end() {
        let now = at("2026-12-01T00:00:00Z");
        let lifetime = Lifetime { max_age: None, ..Lifetime::default() };
        let life = Life { max_age: None, row_expires: at("2026-12-02T00:00:00Z") };
        assert_eq!(lifetime.begin(now), Some(life));
        assert_eq!(life.cookie_expires(), None);
        let minute = Some(TimeDelta::minutes(1));
        let life = lifetime.after_visit(minute, now).unwrap();
        assert_eq!(life.cookie_expires(), Some(at("2026-12-01T00:01:00Z")), "the row wins");
    }
}
