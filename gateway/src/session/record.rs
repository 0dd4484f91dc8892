//! The JSON text of a session's row, as express-session and passport write it.

use std::fmt;
use std::ops::Range;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::attributes::CookieAttributes;
use super::members::Members;

/// The longest life that JavaScript's dates can express, in milliseconds.
const LONGEST_LIFE_MS: f64 = 8.64e15;

/// A row's text and what the gateway understands of it.
///
/// The text itself is kept: whatever else a site stored in it, and however it spelt that, is still
/// there after a renewal.
#[derive(Clone, PartialEq)]
pub struct SessionRecord {
    text: String,
    pub(super) attributes: CookieAttributes,
    /// `passport.user`, where it is a string that is not empty: the account's e-mail address.
    pub user: Option<String>,
    /// `None` for a cookie that lives as long as the browser.
    pub(super) max_age: Option<TimeDelta>,
    cookie_expires: Option<DateTime<Utc>>,
    /// Where the value of `cookie.expires` stands in `text`.
    expires_at: Option<Range<usize>>,
}

/// A row that is no session: of most, Express would answer 500 to it until its cookie is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Damaged {
    /// Nobody can tell whether it is over.
    #[error("the end is not a time")]
    Expires,
    /// Column `data` holds something else.
    #[error("the data is not text")]
    NotText,
    /// It is not JSON, or not an object.
    #[error("the data is not a JSON object")]
    NotAnObject,
    /// It says nothing of a cookie.
    #[error("the data has no cookie object")]
    NoCookie,
    /// The life of its cookie is none.
    #[error("the cookie's originalMaxAge is not a number")]
    MaxAge,
}

impl SessionRecord {
    /// Reads column `data`.
    pub fn read(text: String) -> Result<Self, Damaged> {
        let members = Members::of(&text).ok_or(Damaged::NotAnObject)?;
        let cookie = members.object("cookie").ok_or(Damaged::NoCookie)?;
        let max_age = match cookie.raw("originalMaxAge") {
            None | Some("null") => None,
            Some(number) => Some(read_max_age(number).ok_or(Damaged::MaxAge)?),
        };
        let expires = cookie.raw("expires");
        Ok(Self {
            attributes: CookieAttributes::read(&cookie),
            // Express asks nothing for an empty one, and leaves it where it is.
            user: members
                .object("passport")
                .and_then(|passport| passport.text("user"))
                .filter(|user| !user.is_empty()),
            max_age,
            cookie_expires: cookie.text("expires").and_then(|text| text.parse().ok()),
            expires_at: expires.map(|raw| offset(raw, &text)..offset(raw, &text) + raw.len()),
            text,
        })
    }

    /// What was read.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// When the browser drops the cookie, and how long it was to live; `None` for a cookie that
    /// lives as long as the browser, which is never renewed.
    pub(super) fn cookie_life(&self) -> Option<(DateTime<Utc>, TimeDelta)> {
        self.cookie_expires.zip(self.max_age)
    }

    /// The text with `cookie.expires` moved and every other byte as it was.
    pub fn renewed(&self, expires: DateTime<Utc>) -> Option<String> {
        let at = self.expires_at.clone()?;
        let (before, after) = (self.text.get(..at.start)?, self.text.get(at.end..)?);
        Some(format!("{before}\"{}\"{after}", iso(expires)))
    }

    /// The text without `passport.user`, its end moved where it has one; nothing else is lost.
    pub fn signed_out(&self, expires: Option<DateTime<Utc>>) -> Option<String> {
        let text = match expires {
            Some(expires) => self.renewed(expires).unwrap_or_else(|| self.text.clone()),
            None => self.text.clone(),
        };
        let passport = Members::of(&text)?.raw("passport")?;
        let (start, bare) = (offset(passport, &text), Members::of(passport)?.without("user"));
        let (before, after) = (text.get(..start)?, text.get(start + passport.len()..)?);
        Some(format!("{before}{bare}{after}"))
    }
}

impl fmt::Debug for SessionRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionRecord")
            .field("attributes", &self.attributes)
            .field("cookie_expires", &self.cookie_expires)
            .finish_non_exhaustive()
    }
}

/// As JavaScript's `toISOString` has it.
pub(super) fn iso(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Where `part` begins in the text that it was cut from.
fn offset(part: &str, whole: &str) -> usize {
    part.as_ptr().addr() - whole.as_ptr().addr()
}

fn read_max_age(number: &str) -> Option<TimeDelta> {
    let milliseconds: f64 = serde_json::from_str(number).ok()?;
    if milliseconds.abs() > LONGEST_LIFE_MS {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "in range; JavaScript cuts fractions too")]
    TimeDelta::try_milliseconds(milliseconds as i64)
}

#[cfg(test)]
mod tests {
    use cookie::SameSite;

    use crate::session::attributes::CookiePriority;

    use super::*;

    /// As the Express server wrote it (express-session 1.19, passport 0.7).
    const EXPRESS: &str = r#"{"cookie":{"originalMaxAge":2592000000,"expires":"2026-12-23T09:15:16.146Z","secure":false,"httpOnly":true,"path":"/"},"passport":{"user":"a@b.c"}}"#;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn read(text: &str) -> SessionRecord {
        SessionRecord::read(text.to_owned()).unwrap()
    }

    #[test]
    fn a_record_of_express_is_understood() {
        let record = read(EXPRESS);
        assert_eq!(record.user.as_deref(), Some("a@b.c"));
        let life = (at("2026-12-23T09:15:16.146Z"), TimeDelta::days(30));
        assert_eq!(record.cookie_life(), Some(life));
    }

    #[test]
    fn every_attribute_is_read() {
        let record = read(
            r#"{"cookie":{"originalMaxAge":60000,"partitioned":true,"priority":"high","expires":null,"secure":true,"httpOnly":false,"domain":"example.com","path":"/foo","sameSite":"strict"}}"#,
        );
        let attributes = CookieAttributes {
            domain: Some("example.com".to_owned()),
            path: "/foo".to_owned(),
            http_only: false,
            secure: true,
            partitioned: true,
            priority: Some(CookiePriority::High),
            same_site: Some(SameSite::Strict),
        };
        assert_eq!(record.attributes, attributes);
        assert_eq!(record.cookie_life(), None);
    }

    #[test]
    fn a_cookie_of_the_browsers_life_has_no_end() {
        for text in [r#"{"cookie":{}}"#, r#"{"cookie":{"originalMaxAge":null,"expires":null}}"#] {
            assert_eq!((read(text).max_age, read(text).cookie_life()), (None, None));
        }
    }

    #[track_caller]
    fn check_damaged(text: &str, damage: Damaged) {
        assert_eq!(SessionRecord::read(text.to_owned()).unwrap_err(), damage, "{text}");
    }

    #[test]
    fn what_is_no_session_is_told_apart_from_one() {
        for text in
            ["", "null", "0", "false", "\"\"", "\"x\"", "[]", "123", "{", "{}x", "\u{feff}{}"]
        {
            check_damaged(text, Damaged::NotAnObject);
        }
        for text in ["{}", r#"{"cookie":null}"#, r#"{"cookie":"x"}"#, r#"{"cookie":[]}"#] {
            check_damaged(text, Damaged::NoCookie);
        }
        for age in ["\"abc\"", "true", "1e300", "1e400", "{}"] {
            check_damaged(&format!(r#"{{"cookie":{{"originalMaxAge":{age}}}}}"#), Damaged::MaxAge);
        }
    }

    #[track_caller]
    fn check_user(rest: &str, user: Option<&str>) {
        assert_eq!(read(&format!(r#"{{"cookie":{{}}{rest}}}"#)).user.as_deref(), user, "{rest}");
    }

    #[test]
    fn only_a_string_names_a_user() {
        check_user("", None);
        check_user(r#","passport":{}"#, None);
        check_user(r#","passport":null"#, None);
        check_user(r#","passport":"x""#, None);
        check_user(r#","passport":{"user":5}"#, None);
        check_user(r#","passport":{"user":null}"#, None);
        check_user(r#","passport":{"user":""}"#, None);
        check_user(r#","passport":{"user":"a"},"passport":{"user":"b"}"#, Some("b"));
        check_user(r#","p\u0061ssport":{"user":"\u00e9"}"#, Some("é"));
        check_user(r#","passport":{"user":"\ud800"}"#, None);
    }

    #[test]
    fn a_renewal_changes_nothing_but_the_expiry() {
        let text = r#" {"10":1, "big":12345678901234567890,"n":1.50 ,"lone":"\ud800","\udfff":0,
            "cookie":{"x":{"expires":1},"expires" : "2026-12-23T09:15:16.146Z" ,"originalMaxAge":1e3},
            "u":"\u00e9", "u":2} "#;
        let renewed = read(text).renewed(at("2027-01-01T00:00:00Z")).unwrap();
        assert_eq!(renewed, text.replace("2026-12-23T09:15:16.146Z", "2027-01-01T00:00:00.000Z"));
    }

    #[test]
    fn only_the_name_goes_when_its_account_is_gone() {
        let expires = at("2027-01-01T00:00:00Z");
        let express = EXPRESS.replace(r#"{"user":"a@b.c"}"#, "{}");
        let renewed = express.replace("2026-12-23T09:15:16.146Z", "2027-01-01T00:00:00.000Z");
        assert_eq!(read(EXPRESS).signed_out(Some(expires)).unwrap(), renewed);
        assert_eq!(read(EXPRESS).signed_out(None).unwrap(), express);
        let text = r#"{"2":1.50,"cookie":{"expires":null},"passport":{"a":"\ud800","user":"x","us\u0065r":"y","b":1e3},"n":"\u00e9"}"#;
        assert_eq!(
            read(text).signed_out(None).unwrap(),
            r#"{"2":1.50,"cookie":{"expires":null},"passport":{"a":"\ud800","b":1e3},"n":"\u00e9"}"#
        );
    }

    #[test]
    fn the_last_of_two_expiries_is_the_one_that_counts() {
        let text = r#"{"cookie":{"expires":null,"expires":"2026-12-23T09:15:16.146Z"}}"#;
        let renewed = read(text).renewed(at("2027-01-01T00:00:00Z")).unwrap();
        assert_eq!(renewed, r#"{"cookie":{"expires":null,"expires":"2027-01-01T00:00:00.000Z"}}"#);
    }

    #[test]
    fn a_record_does_not_show_whose_it_is() {
        assert!(!format!("{:?}", read(EXPRESS)).contains("a@b.c"));
    }
}
