//! A row's text written anew: what does not change stays byte for byte.

use chrono::{DateTime, SecondsFormat, Utc};

use super::members::Members;
use super::record::{SessionRecord, offset};

impl SessionRecord {
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

/// As JavaScript's `toISOString` has it.
pub(super) fn iso(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use crate::session::record::tests::{EXPRESS, at, read};

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
}
