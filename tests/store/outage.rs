//! What people are told while the database does not answer.

use http::StatusCode;
use http::header::{RETRY_AFTER, SET_COOKIE};
use nextbnb_tests::database::TestDatabase;

use crate::site::{EXPRESS_COOKIE, PASSWORD, Site};

async fn a_sign_in_is_asked_to_come_again(test: TestDatabase) {
    let site = Site::open(test).await;
    site.database.clone().close().await.unwrap();
    let answers = [
        site.register("ada@example.com").await,
        site.log_in("ada@example.com", PASSWORD, &[]).await,
        site.log_out(&[EXPRESS_COOKIE]).await,
    ];
    for answer in answers {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.message(), "Please try again in a moment");
        assert_eq!(answer.header(RETRY_AFTER), Some("3"));
        assert_eq!(answer.header(SET_COOKIE), None);
    }
}

async fn a_presented_cookie_is_never_silently_a_guests(test: TestDatabase) {
    let site = Site::open(test).await;
    site.database.clone().close().await.unwrap();
    let mut headers = http::HeaderMap::new();
    let cookie = format!("nextbnb={EXPRESS_COOKIE}");
    headers.insert(http::header::COOKIE, cookie.parse().unwrap());
    let presented = site.sessions.presented(&headers);
    assert!(site.sessions.resolve(&presented, site.now).await.is_err());
    assert!(site.sessions.resolve(&[], site.now).await.unwrap().is_none(), "a guest is served");
}

on_both_databases! {
    a_sign_in_is_asked_to_come_again
    a_presented_cookie_is_never_silently_a_guests
}
