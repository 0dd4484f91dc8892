//! Which session a request has.

use chrono::TimeDelta;
use nextbnb_tests::database::TestDatabase;

use crate::site::{EXPRESS_COOKIE, EXPRESS_DATA, EXPRESS_SID, Site};

/// With ada's account, and her session as Express wrote it.
async fn with_express_session(test: TestDatabase, data: &str) -> Site {
    let site = Site::open(test).await;
    site.register("ada@example.com").await;
    site.test.run(r#"DELETE FROM "Sessions""#).await;
    site.insert_row(EXPRESS_SID, data, site.now + TimeDelta::days(30)).await;
    site
}

async fn a_session_of_express_goes_on(test: TestDatabase) {
    let site = with_express_session(test, EXPRESS_DATA).await;
    let session = site.visit(&[EXPRESS_COOKIE]).await.unwrap();
    let identity = session.identity().unwrap();
    assert_eq!((identity.email.as_str(), identity.name.as_deref()), ("ada@example.com", None));
}

async fn a_row_past_its_end_authenticates_nobody(test: TestDatabase) {
    let mut site = with_express_session(test, EXPRESS_DATA).await;
    site.advance(TimeDelta::days(30) - TimeDelta::milliseconds(1));
    assert!(site.visit(&[EXPRESS_COOKIE]).await.is_some());
    site.advance(TimeDelta::milliseconds(1));
    assert!(site.visit(&[EXPRESS_COOKIE]).await.is_none());
    assert_eq!(site.rows().await.len(), 1, "the sweep has not run");
}

async fn a_row_without_an_end_lives_as_in_express(test: TestDatabase) {
    let site = with_express_session(test, EXPRESS_DATA).await;
    site.test.run(r#"UPDATE "Sessions" SET "expires" = NULL"#).await;
    assert!(site.visit(&[EXPRESS_COOKIE]).await.is_some());
}

/// Sequelize writes times on SQLite with a space, which sorts before our `T`.
async fn a_row_in_sequelizes_spelling_of_time_lives_to_its_last_minute(test: TestDatabase) {
    let site = with_express_session(test, EXPRESS_DATA).await;
    site.test.run(r#"UPDATE "Sessions" SET "expires" = '2026-11-23 09:15:14.369 +00:00'"#).await;
    assert!(site.visit(&[EXPRESS_COOKIE]).await.is_some());
    assert_eq!(site.sessions.sweep(site.now).await.unwrap(), 0);
    site.test.run(r#"UPDATE "Sessions" SET "expires" = '2026-11-23 09:15:14.368 +00:00'"#).await;
    assert!(site.visit(&[EXPRESS_COOKIE]).await.is_none());
    let later = site.now + TimeDelta::milliseconds(1);
    assert_eq!(site.sessions.sweep(later).await.unwrap(), 1);
}

async fn a_forged_or_unknown_cookie_is_a_guests(test: TestDatabase) {
    let site = with_express_session(test, EXPRESS_DATA).await;
    assert!(site.visit(&[&EXPRESS_COOKIE.replace("hOzZ", "hOzz")]).await.is_none());
    assert!(site.visit(&[EXPRESS_SID]).await.is_none());
    assert!(site.visit(&[]).await.is_none());
    site.test.run(r#"DELETE FROM "Sessions""#).await;
    assert!(site.visit(&[EXPRESS_COOKIE]).await.is_none());
    assert_eq!(site.rows().await.len(), 0, "a presented sid is never inserted");
}

async fn a_session_whose_account_is_gone_is_a_guests(test: TestDatabase) {
    let site = with_express_session(test, EXPRESS_DATA).await;
    site.test.run(r#"DELETE FROM "users""#).await;
    assert!(site.visit(&[EXPRESS_COOKIE]).await.unwrap().identity().is_none());
}

async fn the_account_of_a_session_is_named_exactly(test: TestDatabase) {
    let site = with_express_session(test, &EXPRESS_DATA.replace("ada@", "Ada@")).await;
    assert!(site.visit(&[EXPRESS_COOKIE]).await.unwrap().identity().is_none());
}

async fn a_session_without_a_sign_in_is_a_guests(test: TestDatabase) {
    let site = with_express_session(test, r#"{"cookie":{"originalMaxAge":null}}"#).await;
    assert!(site.visit(&[EXPRESS_COOKIE]).await.unwrap().identity().is_none());
}

async fn a_damaged_row_locks_nobody_out(test: TestDatabase) {
    let site = with_express_session(test, "{").await;
    assert!(site.visit(&[EXPRESS_COOKIE]).await.is_none());
    site.test.run(r#"UPDATE "Sessions" SET "data" = NULL"#).await;
    assert!(site.visit(&[EXPRESS_COOKIE]).await.is_none());
    let answer = site.log_in("ada@example.com", crate::site::PASSWORD, &[EXPRESS_COOKIE]).await;
    assert_eq!(site.user(&[&answer.cookie()]).await.as_deref(), Some("ada@example.com"));
}

async fn the_first_cookie_with_a_live_row_counts(test: TestDatabase) {
    let site = with_express_session(test, EXPRESS_DATA).await;
    let gone = site.log_in("ada@example.com", crate::site::PASSWORD, &[]).await.cookie();
    site.log_out(&[&gone]).await;
    let ada = Some("ada@example.com");
    assert_eq!(site.user(&["junk", &gone, EXPRESS_COOKIE]).await.as_deref(), ada);
    assert_eq!(site.user(&[EXPRESS_COOKIE, "junk"]).await.as_deref(), ada);
}

async fn at_most_three_cookies_are_looked_up(test: TestDatabase) {
    let site = with_express_session(test, EXPRESS_DATA).await;
    let mut gone = Vec::new();
    for _ in 0..3 {
        gone.push(site.log_in("ada@example.com", crate::site::PASSWORD, &[]).await.cookie());
    }
    let gone: Vec<&str> = gone.iter().map(String::as_str).collect();
    site.log_out(&gone).await;
    assert_eq!(site.user(&[gone[0], gone[1], gone[2], EXPRESS_COOKIE]).await, None);
    assert!(site.user(&[gone[0], gone[0], gone[1], EXPRESS_COOKIE]).await.is_some());
}

async fn two_live_sessions_of_different_people_are_a_guests(test: TestDatabase) {
    let site = with_express_session(test, EXPRESS_DATA).await;
    let bob = site.register("bob@example.com").await.cookie();
    assert!(site.visit(&[&bob, EXPRESS_COOKIE]).await.is_none());
    let again = site.log_in("ada@example.com", crate::site::PASSWORD, &[]).await.cookie();
    assert!(site.visit(&[&again, EXPRESS_COOKIE]).await.is_some(), "one person twice");

    site.log_out(&[&bob, EXPRESS_COOKIE]).await;
    assert!(site.visit(&[&bob]).await.is_none());
    assert!(site.visit(&[EXPRESS_COOKIE]).await.is_none());
}

on_both_databases! {
    a_session_of_express_goes_on
    a_row_past_its_end_authenticates_nobody
    a_row_without_an_end_lives_as_in_express
    a_row_in_sequelizes_spelling_of_time_lives_to_its_last_minute
    a_forged_or_unknown_cookie_is_a_guests
    a_session_whose_account_is_gone_is_a_guests
    the_account_of_a_session_is_named_exactly
    a_session_without_a_sign_in_is_a_guests
    a_damaged_row_locks_nobody_out
    the_first_cookie_with_a_live_row_counts
    at_most_three_cookies_are_looked_up
    two_live_sessions_of_different_people_are_a_guests
}
