//! Rows and cookies under the settings that an Express site may have had.

use std::time::Duration;

use chrono::TimeDelta;
use http::uri::Scheme;
use nextbnb_gateway::session::SessionSettings;
use nextbnb_gateway::session::cookie_policy::{CookieSameSite, CookieSecure};
use nextbnb_gateway::session::policy::{AnonymousSessions, OldData, Rolling, Touch};
use nextbnb_tests::database::TestDatabase;

use crate::site::{EXPRESS_COOKIE, EXPRESS_DATA, EXPRESS_SID, PASSWORD, Site, at};

const ADA: &str = "ada@example.com";

/// The settings of the measured Express server.
fn express(settings: &mut SessionSettings) {
    settings.policy.anonymous = AnonymousSessions::Save;
    settings.policy.rolling = Rolling::Never;
    settings.policy.touch = Touch::Every(Duration::ZERO);
    settings.cookie.same_site = CookieSameSite::Unset;
    settings.cookie.secure = CookieSecure::Never;
}

/// With ada's account and her session as Express wrote it, a second ago.
async fn with_session(
    test: TestDatabase,
    data: &str,
    change: impl FnOnce(&mut SessionSettings),
) -> Site {
    let mut site = Site::open_with(test, change).await;
    site.register(ADA).await;
    site.test.run(r#"DELETE FROM "Sessions""#).await;
    site.insert_row(EXPRESS_SID, data, at("2026-12-23T09:15:16.146Z")).await;
    site.advance(TimeDelta::seconds(1));
    site
}

fn value(set_cookie: &str) -> &str {
    set_cookie.strip_prefix("nextbnb=").unwrap().split_once(';').unwrap().0
}

async fn a_guests_first_visit_makes_the_row_that_express_makes(test: TestDatabase) {
    let site = Site::open_with(test, express).await;
    let set_cookie = site.read_page(&[]).await.unwrap();
    assert!(set_cookie.ends_with("; Path=/; Expires=Wed, 23 Dec 2026 09:15:14 GMT; HttpOnly"));
    let row = site.row().await;
    assert_eq!(
        row.data.unwrap(),
        r#"{"cookie":{"originalMaxAge":2592000000,"expires":"2026-12-23T09:15:14.368Z","secure":false,"httpOnly":true,"path":"/"}}"#
    );
    assert_eq!(row.expires, Some(at("2026-12-23T09:15:14.368Z")));
    assert_eq!(site.read_page(&[value(&set_cookie)]).await, None, "the second visit");
    assert_eq!(site.rows().await.len(), 1);
}

async fn an_unknown_id_gets_a_new_one_and_is_never_adopted(test: TestDatabase) {
    let site = Site::open_with(test, express).await;
    let set_cookie = site.read_page(&[EXPRESS_COOKIE]).await.unwrap();
    assert_ne!(value(&set_cookie), EXPRESS_COOKIE);
    assert_ne!(site.row().await.sid, EXPRESS_SID);
}

async fn a_visit_is_written_down_before_its_answer_where_every_visit_is(test: TestDatabase) {
    let site = with_session(test, EXPRESS_DATA, express).await;
    assert_eq!(site.read_page(&[EXPRESS_COOKIE]).await, None);
    let row = site.row().await;
    assert_eq!(row.updated_at, site.now);
    assert_eq!(row.expires, Some(site.now + TimeDelta::days(30)));
    assert_eq!(row.data.as_deref(), Some(EXPRESS_DATA));
}

/// A browser asks for a page's parts at once: all of them find the row as it was before.
async fn visits_at_once_write_their_row_once(test: TestDatabase) {
    let mut site = with_session(test, EXPRESS_DATA, express).await;
    let found = [
        site.visit(&[EXPRESS_COOKIE]).await.unwrap(),
        site.visit(&[EXPRESS_COOKIE]).await.unwrap(),
        site.visit(&[EXPRESS_COOKIE]).await.unwrap(),
    ];
    let first = site.now;
    for session in found {
        assert_eq!(site.settle(session).await, None);
        site.advance(TimeDelta::milliseconds(1));
    }
    let row = site.row().await;
    assert_eq!((row.updated_at, row.expires), (first, Some(first + TimeDelta::days(30))));
}

async fn a_row_that_nothing_touches_ends_on_its_day(test: TestDatabase) {
    let never = |settings: &mut SessionSettings| settings.policy.touch = Touch::Never;
    let mut site = with_session(test, EXPRESS_DATA, never).await;
    site.advance(TimeDelta::days(29));
    assert_eq!(site.read_page(&[EXPRESS_COOKIE]).await, None);
    assert_eq!(site.row().await.expires, Some(at("2026-12-23T09:15:16.146Z")));
}

async fn a_rolling_cookie_comes_with_every_answer(test: TestDatabase) {
    let always = |settings: &mut SessionSettings| {
        express(settings);
        settings.policy.rolling = Rolling::Always;
    };
    let site = with_session(test, EXPRESS_DATA, always).await;
    let expected = format!(
        "nextbnb={EXPRESS_COOKIE}; Path=/; Expires=Wed, 23 Dec 2026 09:15:15 GMT; HttpOnly"
    );
    for _ in 0..2 {
        assert_eq!(site.read_page(&[EXPRESS_COOKIE]).await.as_ref(), Some(&expected));
    }
    assert_eq!(site.row().await.data.as_deref(), Some(EXPRESS_DATA), "the text stays");
}

async fn a_cookie_of_the_browsers_life_has_no_end_and_its_row_a_day(test: TestDatabase) {
    let browser = |settings: &mut SessionSettings| {
        express(settings);
        settings.lifetime.max_age = None;
    };
    let mut site = Site::open_with(test, browser).await;
    let set_cookie = site.read_page(&[]).await.unwrap();
    assert!(set_cookie.ends_with("; Path=/; HttpOnly"), "{set_cookie}");
    let row = site.row().await;
    assert_eq!(row.expires, Some(site.now + TimeDelta::hours(24)));
    assert!(row.data.unwrap().starts_with(r#"{"cookie":{"originalMaxAge":null,"expires":null,"#));
    site.advance(TimeDelta::hours(5));
    assert_eq!(site.read_page(&[value(&set_cookie)]).await, None);
    assert_eq!(site.row().await.expires, Some(site.now + TimeDelta::hours(24)));
}

async fn a_secure_only_cookie_begins_nothing_over_plain_http(test: TestDatabase) {
    let secure = |settings: &mut SessionSettings| {
        express(settings);
        settings.cookie.secure = CookieSecure::Always;
    };
    let site = Site::open_with(test, secure).await;
    assert_eq!(site.read_page(&[]).await, None);
    let answer = site.register(ADA).await;
    assert_eq!((answer.status.as_u16(), answer.header(http::header::SET_COOKIE)), (200, None));
    assert_eq!(site.log_in(ADA, PASSWORD, &[]).await.status, 200);
    assert_eq!(site.rows().await.len(), 0, "no orphans");
    let set_cookie = site.read_page_over(Some(&Scheme::HTTPS), &[]).await.unwrap();
    assert!(set_cookie.ends_with("; HttpOnly; Secure"), "{set_cookie}");
}

async fn outside_the_cookies_path_there_is_no_session(test: TestDatabase) {
    let path = |settings: &mut SessionSettings| {
        express(settings);
        "/app".clone_into(&mut settings.cookie.path);
    };
    let site = with_session(test, EXPRESS_DATA, path).await;
    assert_eq!(site.read_page(&[EXPRESS_COOKIE]).await, None);
    assert_eq!(site.read_page(&[]).await, None);
    assert_ne!(site.row().await.updated_at, site.now, "not touched");
}

async fn attributes_of_a_row_stay_as_they_are_with_expresss_settings(test: TestDatabase) {
    let data = r#"{"cookie":{"originalMaxAge":60000,"partitioned":true,"priority":"high","expires":"2026-11-23T09:15:26.146Z","secure":false,"httpOnly":false,"domain":"example.com","path":"/foo","sameSite":"none"}}"#;
    let always = |settings: &mut SessionSettings| {
        express(settings);
        settings.policy.rolling = Rolling::Always;
    };
    let site = with_session(test, data, always).await;
    assert_eq!(
        site.read_page(&[EXPRESS_COOKIE]).await.unwrap(),
        format!(
            "nextbnb={EXPRESS_COOKIE}; Domain=example.com; Path=/foo; \
             Expires=Mon, 23 Nov 2026 09:16:15 GMT; Partitioned; Priority=High; SameSite=None"
        )
    );
}

/// Whoever registers the address next must not be signed in by an old cookie.
async fn a_name_without_an_account_leaves_the_row_and_nothing_else_does(test: TestDatabase) {
    let data = EXPRESS_DATA.replace(
        r#""passport":{"user":"ada@example.com"}"#,
        r#""cart":[1.50,"\ud800"],"passport":{"user":"ada@example.com","x":1e3},"big":12345678901234567890"#,
    );
    for change in [express, |_: &mut SessionSettings| {}] {
        let test = if test.is_postgres() {
            TestDatabase::postgres().await
        } else {
            TestDatabase::sqlite().await
        };
        let site = with_session(test, &data, change).await;
        site.test.run(r#"DELETE FROM "users""#).await;
        let set_cookie = site.read_page(&[EXPRESS_COOKIE]).await.unwrap();
        assert_eq!(value(&set_cookie), EXPRESS_COOKIE, "the same session");
        let row = site.row().await;
        let written = data
            .replace(r#""user":"ada@example.com","#, "")
            .replace("2026-12-23T09:15:16.146Z", "2026-12-23T09:15:15.368Z");
        assert_eq!(row.data.as_ref(), Some(&written));
        assert_eq!((row.expires, row.updated_at), (Some(site.now + TimeDelta::days(30)), site.now));
        assert_eq!(site.read_page(&[EXPRESS_COOKIE]).await, None, "once");
    }
}

async fn a_sign_in_keeps_the_cart_where_told(test: TestDatabase) {
    let keep = |settings: &mut SessionSettings| settings.policy.old_data = OldData::Keep;
    let data = EXPRESS_DATA.replace(r#""passport""#, r#""cart":[1.50,"\ud800"],"passport""#);
    let site = with_session(test, &data, keep).await;
    let cookie = site.log_in(ADA, PASSWORD, &[EXPRESS_COOKIE]).await.cookie();
    assert_ne!(cookie, EXPRESS_COOKIE);
    let row = site.row().await;
    assert_ne!(row.sid, EXPRESS_SID);
    let data = row.data.unwrap();
    assert!(
        data.ends_with(r#","cart":[1.50,"\ud800"],"passport":{"user":"ada@example.com"}}"#),
        "{data}"
    );
    assert_eq!(site.user(&[&cookie]).await.as_deref(), Some(ADA));
}

async fn a_sign_in_drops_the_cart_by_default(test: TestDatabase) {
    let data = EXPRESS_DATA.replace(r#""passport""#, r#""cart":[1],"passport""#);
    let site = with_session(test, &data, |_| {}).await;
    site.log_in(ADA, PASSWORD, &[EXPRESS_COOKIE]).await;
    assert!(!site.row().await.data.unwrap().contains("cart"));
}

on_both_databases! {
    a_sign_in_keeps_the_cart_where_told
    a_sign_in_drops_the_cart_by_default
    a_guests_first_visit_makes_the_row_that_express_makes
    an_unknown_id_gets_a_new_one_and_is_never_adopted
    a_visit_is_written_down_before_its_answer_where_every_visit_is
    visits_at_once_write_their_row_once
    a_row_that_nothing_touches_ends_on_its_day
    a_rolling_cookie_comes_with_every_answer
    a_cookie_of_the_browsers_life_has_no_end_and_its_row_a_day
    a_secure_only_cookie_begins_nothing_over_plain_http
    outside_the_cookies_path_there_is_no_session
    attributes_of_a_row_stay_as_they_are_with_expresss_settings
    a_name_without_an_account_leaves_the_row_and_nothing_else_does
}
