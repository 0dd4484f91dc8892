//! The JSON text of a session's row, as express-session and passport write it.

use std::fmt;
use std::ops::Range;

use chrono::{DateTime, TimeDelta, Utc};

use super::attributes::CookieAttributes;
use super::members::Members;
use super::user_key::{StoredUser, UserKey};

/// The longest life, in milliseconds: whatever lives longer than some 250,000 years ends on no date.
const LONGEST_LIFE_MS: f64 = 8e15;

/// A row's text and what the gateway understands of it.
///
/// The text itself is kept: whatever else a site stored in it, and however it spelt that, is still
/// there after a renewal.
#[derive(Clone, PartialEq)]
pub struct SessionRecord {
    pub(super) text: String,
    pub(super) attributes: CookieAttributes,
    /// Whose `passport.user` says that it is.
    pub user: StoredUser,
    /// `None` for a cookie that lives as long as the browser.
    pub(super) max_age: Option<TimeDelta>,
    cookie_expires: Option<DateTime<Utc>>,
    /// Where the value of `cookie.expires` stands in `text`.
    pub(super) expires_at: Option<Range<usize>>,
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
    /// Reads column `data`, in which accounts are named by `key`.
    pub fn read(text: String, key: &UserKey) -> Result<Self, Damaged> {
        let members = Members::of(&text).ok_or(Damaged::NotAnObject)?;
        let cookie = members.object("cookie").ok_or(Damaged::NoCookie)?;
        let max_age = match cookie.raw("originalMaxAge") {
            None | Some("null" | "false" | "\"\"") => None, // JavaScript's `if` takes none for a life.
            Some(number) => read_max_age(number)?,
        };
        let expires = cookie.raw("expires");
        Ok(Self {
            attributes: CookieAttributes::read(&cookie),
            user: key.read(members.object("passport").as_ref()),
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

    /// Bytes of memory behind this.
    pub(super) fn heap_bytes(&self) -> usize {
        let CookieAttributes { domain, path, .. } = &self.attributes;
        let attributes = [domain, path].into_iter().flatten().map(String::len).sum::<usize>();
        self.text.capacity() + attributes + self.user.name().map_or(0, str::len)
    }

    /// When the browser drops the cookie, where that can be read, and how long it was to live;
    /// `None` for a cookie that lives as long as the browser, which is never renewed.
    pub(super) fn cookie_life(&self) -> Option<(Option<DateTime<Utc>>, TimeDelta)> {
        self.max_age.map(|max_age| (self.cookie_expires, max_age))
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

/// Where `part` begins in the text that it was cut from.
pub(super) fn offset(part: &str, whole: &str) -> usize {
    part.as_ptr().addr() - whole.as_ptr().addr()
}

/// `None` beyond all dates: Express keeps such a row as long as one whose cookie has no end.
fn read_max_age(number: &str) -> Result<Option<TimeDelta>, Damaged> {
    if !number.starts_with(['-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) {
        return Err(Damaged::MaxAge);
    }
    let milliseconds = serde_json::from_str(number).unwrap_or(f64::INFINITY);
    if milliseconds.abs() > LONGEST_LIFE_MS {
        return Ok(None);
    }
    #[expect(clippy::cast_possible_truncation, reason = "in range; JavaScript cuts fractions too")]
    Ok(TimeDelta::try_milliseconds(milliseconds as i64))
}

#[cfg(test)]
pub(super) mod tests {
    use cookie::SameSite;

    use crate::accounts::AccountKey;
    use crate::session::attributes::{CookiePriority, Soundness};
    use crate::session::user_key::Named;

    use super::*;

    /// As the Express server wrote it (express-session 1.19, passport 0.7).
    pub(in crate::session) const EXPRESS: &str = r#"{"cookie":{"originalMaxAge":2592000000,"expires":"2026-12-23T09:15:16.146Z","secure":false,"httpOnly":true,"path":"/"},"passport":{"user":"a@b.c"}}"#;

    pub(in crate::session) fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    pub(in crate::session) fn read(text: &str) -> SessionRecord {
        SessionRecord::read(text.to_owned(), &UserKey::Email).unwrap()
    }

    fn named(email: &str) -> StoredUser {
        StoredUser::Named(Named(AccountKey::Email(email.to_owned())))
    }

    #[test]
    fn a_record_of_express_is_understood() {
        let record = read(EXPRESS);
        assert_eq!(record.user, named("a@b.c"));
        let life = (Some(at("2026-12-23T09:15:16.146Z")), TimeDelta::days(30));
        assert_eq!(record.cookie_life(), Some(life));
    }

    #[test]
    fn every_attribute_is_read() {
        let record = read(
            r#"{"cookie":{"originalMaxAge":60000,"partitioned":true,"priority":"high","expires":null,"secure":true,"httpOnly":false,"domain":"example.com","path":"/foo","sameSite":"strict"}}"#,
        );
        let attributes = CookieAttributes {
            domain: Some("example.com".to_owned()),
            path: Some("/foo".to_owned()),
            http_only: false,
            secure: true,
            partitioned: true,
            priority: Some(CookiePriority::High),
            same_site: Some(SameSite::Strict),
            soundness: Soundness::Sound,
        };
        assert_eq!(record.attributes, attributes);
        assert_eq!(record.cookie_life(), Some((None, TimeDelta::minutes(1))));
    }

    #[test]
    fn a_cookie_of_the_browsers_life_has_no_end() {
        for text in [r#"{"cookie":{}}"#, r#"{"cookie":{"originalMaxAge":null,"expires":null}}"#] {
            assert_eq!((read(text).max_age, read(text).cookie_life()), (None, None));
        }
        for age in ["false", "\"\"", "8640000000000001", "-1e300", "1e400"] {
            assert_eq!(read(&format!(r#"{{"cookie":{{"originalMaxAge":{age}}}}}"#)).max_age, None);
        }
    }

    #[track_caller]
    fn check_damaged(text: &str, damage: Damaged) {
        let read = SessionRecord::read(text.to_owned(), &UserKey::Email);
        assert_eq!(read.unwrap_err(), damage, "{text}");
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
        for age in ["\"abc\"", "\"1\"", "true", "[]", "{}"] {
            check_damaged(&format!(r#"{{"cookie":{{"originalMaxAge":{age}}}}}"#), Damaged::MaxAge);
        }
    }

    #[track_caller]
    fn check_user(rest: &str, user: &StoredUser) {
        assert_eq!(&read(&format!(r#"{{"cookie":{{}}{rest}}}"#)).user, user, "{rest}");
    }

    #[test]
    fn the_last_passport_names_the_user() {
        for rest in ["", r#","passport":{}"#, r#","passport":null"#, r#","passport":"x""#] {
            check_user(rest, &StoredUser::Nobody);
        }
        check_user(r#","passport":{"user":"a"},"passport":{"user":"b"}"#, &named("b"));
        check_user(r#","p\u0061ssport":{"user":"\u00e9"}"#, &named("é"));
    }

    #[test]
    fn a_record_does_not_show_whose_it_is() {
        assert!(!format!("{:?}", read(EXPRESS)).contains("a@b.c"));
    }
}
