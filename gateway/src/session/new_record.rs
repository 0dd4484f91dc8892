//! The JSON text of a session that begins, byte for byte what Express would write.

use serde::Serialize;

use super::attributes::CookieAttributes;
use super::lifetime::Life;
use super::members::Members;
use super::passport_user::PassportUser;
use super::record::SessionRecord;
use super::rewrite::iso;

/// The text for a new session of `user`, or of a guest.
pub(super) fn write(
    user: Option<&PassportUser<'_>>,
    attributes: &CookieAttributes,
    life: Life,
) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct Record<'a> {
        cookie: Cookie<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        passport: Option<Passport<'a>>,
    }
    #[derive(Serialize)]
    struct Passport<'a> {
        user: &'a PassportUser<'a>,
    }
    serde_json::to_string(&Record {
        cookie: Cookie::of(attributes, life),
        passport: user.map(|user| Passport { user }),
    })
}

/// The text for a new session of `user` that keeps the data of an `old` one byte for byte, the
/// cookie's and the user's own apart; as passport with `keepSessionInfo`.
pub(super) fn write_over(
    old: &SessionRecord,
    user: &PassportUser<'_>,
    attributes: &CookieAttributes,
    life: Life,
) -> Option<String> {
    let cookie = serde_json::to_string(&Cookie::of(attributes, life)).ok()?;
    let user = serde_json::to_string(user).ok()?;
    let members = Members::of(old.text())?;
    let passport = members.object("passport");
    let passport = passport
        .map_or_else(|| format!("{{\"user\":{user}}}"), |passport| passport.with("user", &user));
    let text = members.with("passport", &passport);
    let rest = Members::of(&text)?.without("cookie");
    Some(format!("{{\"cookie\":{cookie},{}", rest.strip_prefix('{')?))
}

/// In express-session's order of keys; what is undefined there is absent.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Cookie<'a> {
    original_max_age: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partitioned: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<String>,
    expires: Option<String>,
    secure: bool,
    http_only: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    same_site: Option<String>,
}

impl<'a> Cookie<'a> {
    fn of(attributes: &'a CookieAttributes, life: Life) -> Self {
        Self {
            original_max_age: life.max_age.map(|max_age| max_age.num_milliseconds()),
            partitioned: attributes.partitioned.then_some(true),
            priority: attributes.priority.map(|priority| priority.name().to_lowercase()),
            expires: life.cookie_expires().map(iso),
            secure: attributes.secure,
            http_only: attributes.http_only,
            domain: attributes.domain.as_deref(),
            path: attributes.path.as_deref(),
            same_site: attributes.same_site.map(|same_site| same_site.to_string().to_lowercase()),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use http::uri::Scheme;

    use super::*;
    use crate::accounts::account::Account;
    use crate::entity::user_id::UserId;
    use crate::session::attributes::CookiePriority;
    use crate::session::cookie_policy::{CookiePolicy, CookieSameSite, CookieSecure};
    use crate::session::passport_user::tests::ada;
    use crate::session::user_key::UserKey;

    /// As the Express server wrote it (express-session 1.19, passport 0.7).
    const EXPRESS: &str = r#"{"cookie":{"originalMaxAge":2592000000,"expires":"2026-12-23T09:15:16.146Z","secure":false,"httpOnly":true,"path":"/"},"passport":{"user":"a@b.c"}}"#;

    fn life() -> Life {
        let row_expires = "2026-12-23T09:15:16.146Z".parse().unwrap();
        Life { max_age: Some(TimeDelta::days(30)), row_expires }
    }

    fn account(email: &str) -> Account {
        Account { email: email.to_owned(), ..ada(UserId::Number(1)) }
    }

    fn written(user: Option<&str>, policy: &CookiePolicy, scheme: Option<&Scheme>) -> String {
        let account = user.map(account);
        let user = account.as_ref().map(|account| PassportUser { key: &UserKey::Email, account });
        write(user.as_ref(), &policy.attributes(scheme), life()).unwrap()
    }

    #[test]
    fn a_new_record_is_what_express_writes_with_same_site_lax() {
        let policy = CookiePolicy::default();
        let lax = EXPRESS.replace(r#""path":"/""#, r#""path":"/","sameSite":"lax""#);
        assert_eq!(written(Some("a@b.c"), &policy, None), lax);
        assert_eq!(
            written(Some("a@b.c"), &policy, Some(&Scheme::HTTPS)),
            lax.replace("\"secure\":false", "\"secure\":true")
        );
        let odd = written(Some("\"é\u{1}@b.c"), &policy, None);
        assert!(odd.ends_with(r#"{"user":"\"é\u0001@b.c"}}"#));
    }

    #[test]
    fn a_guests_record_is_the_cookie_alone() {
        let same_site = CookieSameSite::Unset;
        let policy = CookiePolicy { same_site, ..CookiePolicy::default() };
        let express = EXPRESS.replace(r#","passport":{"user":"a@b.c"}"#, "");
        assert_eq!(written(None, &policy, None), express);
    }

    #[test]
    fn every_attribute_stands_in_the_order_of_express() {
        let policy = CookiePolicy {
            name: "nextbnb".to_owned(),
            domain: Some("example.com".to_owned()),
            path: "/foo".to_owned(),
            http_only: false,
            secure: CookieSecure::Always,
            same_site: CookieSameSite::Strict,
            partitioned: true,
            priority: Some(CookiePriority::High),
        };
        assert_eq!(
            written(None, &policy, None),
            r#"{"cookie":{"originalMaxAge":2592000000,"partitioned":true,"priority":"high","expires":"2026-12-23T09:15:16.146Z","secure":true,"httpOnly":false,"domain":"example.com","path":"/foo","sameSite":"strict"}}"#
        );
    }

    #[test]
    fn kept_data_stays_byte_for_byte_beside_a_new_cookie_and_user() {
        let old = r#"{"10":1,"cookie":{"originalMaxAge":5,"x":1},"cart":[1.50,"\ud800"], "passport" : {"a":1e3,"user":"old","b":2},"\u0063ookie":{"httpOnly":true},"big":12345678901234567890}"#;
        let written = |old: &str| {
            let old = SessionRecord::read(old.to_owned(), &UserKey::Email).unwrap();
            let policy =
                CookiePolicy { same_site: CookieSameSite::Unset, ..CookiePolicy::default() };
            let ada = account("a@b.c");
            let user = PassportUser { key: &UserKey::Email, account: &ada };
            write_over(&old, &user, &policy.attributes(None), life()).unwrap()
        };
        let cookie = EXPRESS.split_once(r#","passport""#).unwrap().0;
        assert_eq!(
            written(old),
            format!(
                r#"{cookie},"10":1,"cart":[1.50,"\ud800"],"passport":{{"a":1e3,"user":"a@b.c","b":2}},"big":12345678901234567890}}"#
            )
        );
        assert_eq!(written(r#"{"cookie":{}}"#), EXPRESS);
        assert_eq!(written(r#"{"cookie":{},"passport":null}"#), EXPRESS);
    }

    #[test]
    fn a_cookie_of_the_browsers_life_has_null_for_age_and_end() {
        let attributes = CookiePolicy::default().attributes(None);
        let text = write(None, &attributes, Life { max_age: None, ..life() }).unwrap();
        assert!(text.starts_with(r#"{"cookie":{"originalMaxAge":null,"expires":null,"secure""#));
    }
}
