//! What a visit does to its row and its cookie: the predicates of express-session's
//! `shouldSetCookie`, `shouldSave` and `shouldTouch`, with what the gateway mends in them.

use chrono::{DateTime, TimeDelta, Utc};

use super::lifetime::needs_renewal;
use super::policy::{AnonymousSessions, Rolling, SessionPolicy, Touch};

/// What is known of a visit when the response's head is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    /// `None`: no cookie, or none with a live row.
    pub(super) row: Option<RowFacts>,
    pub(super) answer: AnswerFacts,
}

/// The live row that a visit found.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowFacts {
    /// When it was last written, where anybody can tell.
    pub(super) updated: Option<DateTime<Utc>>,
    /// When the browser drops the cookie, where the row tells, and how long it was to live; `None`
    /// for a cookie that lives as long as the browser.
    pub(super) cookie: Option<(Option<DateTime<Utc>>, TimeDelta)>,
    pub(super) user: UserFacts,
    /// Whether the browser has the row's cookie; not where the id before a sign-in led to the row.
    pub(super) cookie_is_known: bool,
}

/// Whose a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UserFacts {
    /// An account's, or nobody's.
    Sound,
    /// An account's that is gone: its name must go from the row, or whoever registers the address
    /// next would be signed in.
    AccountGone,
}

/// Whether the session's cookie may be in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AnswerFacts {
    MayCarryCookie,
    /// A shared cache may keep it, or the cookie is for TLS only and this is not TLS.
    NoCookie,
}

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Row {
    Leave,
    /// A new row under a new id; a presented id is never inserted.
    Insert,
    /// Its end is moved, its text stays.
    Touch,
    /// Its text, too.
    Save,
}

/// What the browser is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cookie {
    Keep,
    Send,
}

/// Decides, from plain values alone.
///
/// Where no cookie is due, it is all one whether the answer may carry one.
pub(super) fn decide(policy: &SessionPolicy, facts: &Facts, now: DateTime<Utc>) -> (Row, Cookie) {
    let may_send = facts.answer == AnswerFacts::MayCarryCookie;
    let Some(row) = facts.row else {
        // Without the cookie nobody could ever use the row.
        return match policy.anonymous {
            AnonymousSessions::Save if may_send => (Row::Insert, Cookie::Send),
            _ => (Row::Leave, Cookie::Keep),
        };
    };
    let send_if = |is_due: bool| if may_send && is_due { Cookie::Send } else { Cookie::Keep };
    if row.user == UserFacts::AccountGone {
        return (Row::Save, send_if(policy.rolling == Rolling::Always || row.cookie.is_some()));
    }
    let touch = if needs_touch(policy.touch, row.updated, now) { Row::Touch } else { Row::Leave };
    if !row.cookie_is_known {
        return (touch, send_if(true));
    }
    match policy.rolling {
        Rolling::Never => (touch, Cookie::Keep),
        Rolling::Always => (touch, send_if(true)),
        Rolling::Half => {
            // A cookie that outlives its row would be of no use.
            let is_due = policy.touch != Touch::Never
                && row.cookie.is_some_and(|(expires, life)| {
                    expires.is_some_and(|expires| needs_renewal(expires, life, now))
                });
            match send_if(is_due) {
                Cookie::Send => (Row::Save, Cookie::Send),
                Cookie::Keep => (touch, Cookie::Keep),
            }
        }
    }
}

/// Whether a visit is worth writing down, for a row last written at `updated`.
fn needs_touch(touch: Touch, updated: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    match touch {
        Touch::Never => false,
        Touch::Every(interval) if interval.is_zero() => true,
        Touch::Every(interval) => {
            updated.is_none_or(|updated| (now - updated).to_std().is_ok_and(|age| age >= interval))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use AnonymousSessions::{Off, Save};
    use Rolling::{Always, Half, Never};

    use super::*;

    const EVERY_VISIT: Touch = Touch::Every(Duration::ZERO);
    const LEFT_ALONE: (Row, Cookie) = (Row::Leave, Cookie::Keep);

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn now() -> DateTime<Utc> {
        at("2026-12-16T00:00:00Z")
    }

    fn policy(anonymous: AnonymousSessions, rolling: Rolling, touch: Touch) -> SessionPolicy {
        SessionPolicy { anonymous, rolling, touch, ..SessionPolicy::default() }
    }

    /// A row written just now, its cookie with 20 of 30 days before it.
    fn row() -> RowFacts {
        let cookie = Some((Some(now() + TimeDelta::days(20)), TimeDelta::days(30)));
        let user = UserFacts::Sound;
        RowFacts { updated: Some(now()), cookie, user, cookie_is_known: true }
    }

    fn old_cookie() -> RowFacts {
        RowFacts { cookie: Some((Some(now() + TimeDelta::days(5)), TimeDelta::days(30))), ..row() }
    }

    fn of_browser() -> RowFacts {
        RowFacts { cookie: None, ..row() }
    }

    fn orphan(row: RowFacts) -> RowFacts {
        RowFacts { user: UserFacts::AccountGone, ..row }
    }

    #[track_caller]
    fn check(
        policy: SessionPolicy,
        row: Option<RowFacts>,
        expected: (Row, Cookie),
        without_cookie: Row,
    ) {
        let decide = |answer| decide(&policy, &Facts { row, answer }, now());
        assert_eq!(decide(AnswerFacts::MayCarryCookie), expected, "{policy:?}");
        let kept = (without_cookie, Cookie::Keep);
        assert_eq!(decide(AnswerFacts::NoCookie), kept, "{policy:?} without a cookie");
        assert!(expected.1 == Cookie::Send || expected == kept, "{policy:?} asks for no audience");
    }

    #[test]
    fn a_first_visit_or_an_unknown_id_makes_a_row_only_where_guests_have_sessions() {
        for rolling in [Never, Half, Always] {
            for touch in [EVERY_VISIT, Touch::Never] {
                check(policy(Off, rolling, touch), None, LEFT_ALONE, Row::Leave);
                let begun = (Row::Insert, Cookie::Send);
                check(policy(Save, rolling, touch), None, begun, Row::Leave);
            }
        }
    }

    #[test]
    fn the_lessons_express_touches_at_each_visit_and_sends_nothing() {
        for row in [row(), old_cookie(), of_browser()] {
            let touched = (Row::Touch, Cookie::Keep);
            check(policy(Save, Never, EVERY_VISIT), Some(row), touched, Row::Touch);
        }
    }

    #[test]
    fn rolling_sends_the_cookie_every_time_also_one_of_the_browsers_life() {
        for row in [row(), old_cookie(), of_browser()] {
            let both = (Row::Touch, Cookie::Send);
            check(policy(Off, Always, EVERY_VISIT), Some(row), both, Row::Touch);
            let sent = (Row::Leave, Cookie::Send);
            check(policy(Off, Always, Touch::Never), Some(row), sent, Row::Leave);
        }
    }

    #[test]
    fn by_default_a_cookie_is_renewed_in_the_second_half_of_its_life() {
        let policy = SessionPolicy::default();
        check(policy, Some(row()), LEFT_ALONE, Row::Leave);
        check(policy, Some(of_browser()), LEFT_ALONE, Row::Leave);
        check(policy, Some(old_cookie()), (Row::Save, Cookie::Send), Row::Leave);
    }

    #[test]
    fn a_cookie_that_the_browser_lacks_is_sent_under_every_policy() {
        for rolling in [Never, Half, Always] {
            let unknown = RowFacts { cookie_is_known: false, ..row() };
            let sent = (Row::Leave, Cookie::Send);
            check(policy(Off, rolling, Touch::Never), Some(unknown), sent, Row::Leave);
        }
    }

    #[test]
    fn a_cookie_is_not_renewed_beyond_a_row_that_nothing_moves() {
        check(policy(Off, Half, Touch::Never), Some(old_cookie()), LEFT_ALONE, Row::Leave);
    }

    #[test]
    fn a_name_whose_account_is_gone_leaves_the_row_under_every_policy() {
        for rolling in [Never, Half, Always] {
            for touch in [EVERY_VISIT, Touch::Never, SessionPolicy::default().touch] {
                let saved = (Row::Save, Cookie::Send);
                check(policy(Off, rolling, touch), Some(orphan(row())), saved, Row::Save);
            }
        }
        let kept = (Row::Save, Cookie::Keep);
        check(policy(Save, Never, EVERY_VISIT), Some(orphan(of_browser())), kept, Row::Save);
    }

    #[test]
    fn a_visit_is_written_down_once_in_an_interval() {
        let touch = SessionPolicy::default().touch;
        let updated = Some(at("2026-12-16T00:00:00Z"));
        assert!(!needs_touch(touch, updated, at("2026-12-16T00:09:59.999Z")));
        assert!(needs_touch(touch, updated, at("2026-12-16T00:10:00Z")));
        assert!(!needs_touch(touch, updated, at("2026-12-15T00:00:00Z")), "a clock set back");
        assert!(needs_touch(touch, None, at("2026-12-15T00:00:00Z")), "nobody can tell");
        assert!(needs_touch(EVERY_VISIT, updated, at("2026-12-15T00:00:00Z")));
        assert!(!needs_touch(Touch::Never, updated, at("2027-12-15T00:00:00Z")));
    }
}
