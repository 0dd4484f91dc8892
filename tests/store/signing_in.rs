//! Register, log in, log out: the answers, and the rows behind them.

use chrono::TimeDelta;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, COOKIE, SET_COOKIE};
use http::uri::Scheme;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use nextbnb_gateway::auth::who_am_i::who_am_i;
use nextbnb_tests::database::TestDatabase;
use serde_json::{Value, json};

use crate::site::{EXPRESS_COOKIE, EXPRESS_DATA, EXPRESS_SID, PASSWORD, Site, eventually};

const ADA: &str = "ada@example.com";

async fn a_registration_signs_in_with_a_row_that_express_reads(test: TestDatabase) {
    let site = Site::open(test).await;
    let answer = site.register(ADA).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.body, r#"{"status":"success","message":"Logged in"}"#);
    assert_eq!(answer.header(CONTENT_TYPE), Some("application/json; charset=utf-8"));
    assert_eq!(answer.header(CACHE_CONTROL), Some("no-store"));
    let attributes = "; Path=/; Expires=Wed, 23 Dec 2026 09:15:14 GMT; HttpOnly; SameSite=Lax";
    assert!(answer.header(SET_COOKIE).unwrap().ends_with(attributes), "{answer:?}");

    let row = site.row().await;
    let expires = site.now + TimeDelta::days(30);
    assert_eq!(row.expires, Some(expires));
    assert_eq!((row.created_at, row.updated_at), (site.now, site.now));
    assert_eq!(row.sid.len(), 32);
    let data = EXPRESS_DATA
        .replace("2026-12-23T09:15:16.146Z", "2026-12-23T09:15:14.368Z")
        .replace(r#""path":"/""#, r#""path":"/","sameSite":"lax""#);
    assert_eq!(row.data.unwrap(), data);
    assert!(answer.cookie().starts_with(&format!("s%3A{}.", row.sid)));
    assert_eq!(site.user(&[&answer.cookie()]).await.as_deref(), Some(ADA));
    let hashes = site.test.texts(r#"SELECT "password" FROM "users""#).await;
    assert!(hashes[0].starts_with("$2b$10$"));
}

async fn over_tls_cookie_and_row_are_secure(test: TestDatabase) {
    let site = Site::open(test).await;
    site.register(ADA).await;
    let request = Request::post("/api/auth/login")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("origin", "https://nextbnb.test")
        .body(Full::from("email=ada%40example.com&password=correct+horse"))
        .unwrap();
    site.test.run(r#"DELETE FROM "Sessions""#).await;
    let answer = site.send(request, Some(&Scheme::HTTPS)).await;
    assert!(answer.header(SET_COOKIE).unwrap().ends_with("; HttpOnly; Secure; SameSite=Lax"));
    assert!(site.row().await.data.unwrap().contains(r#""secure":true"#));
}

async fn a_sign_in_ends_the_session_before_it(test: TestDatabase) {
    let site = Site::open(test).await;
    let first = site.register(ADA).await.cookie();
    let second = site.log_in(ADA, PASSWORD, &[&first]).await.cookie();
    assert_ne!(first, second);
    assert!(site.visit(&[&first]).await.is_none());
    assert_eq!(site.user(&[&second]).await.as_deref(), Some(ADA));
    assert_eq!(site.rows().await.len(), 1);
}

async fn a_sign_in_leaves_other_devices_alone(test: TestDatabase) {
    let site = Site::open(test).await;
    let phone = site.register(ADA).await.cookie();
    let desktop = site.log_in(ADA, PASSWORD, &[]).await.cookie();
    site.log_out(&[&desktop]).await;
    assert_eq!(site.user(&[&phone]).await.as_deref(), Some(ADA));
}

async fn a_failed_sign_in_changes_nothing(test: TestDatabase) {
    let site = Site::open(test).await;
    let cookie = site.register(ADA).await.cookie();
    let wrong = site.log_in(ADA, "wrong", &[&cookie]).await;
    let unknown = site.log_in("bob@example.com", "wrong", &[&cookie]).await;
    for answer in [&wrong, &unknown] {
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(
            answer.body,
            r#"{"status":"error","message":"Email and password do not match"}"#
        );
        assert_eq!(answer.header(SET_COOKIE), None);
    }
    assert_eq!(wrong.headers, unknown.headers);
    assert_eq!(site.user(&[&cookie]).await.as_deref(), Some(ADA));
}

async fn a_logout_deletes_the_row_and_drops_the_cookie(test: TestDatabase) {
    let site = Site::open(test).await;
    let cookie = site.register(ADA).await.cookie();
    let answer = site.log_out(&[&cookie]).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.body, r#"{"status":"success","message":"Logged out"}"#);
    assert_eq!(
        answer.header(SET_COOKIE),
        Some("nextbnb=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax")
    );
    assert_eq!(site.rows().await.len(), 0);
    assert!(site.visit(&[&cookie]).await.is_none());
    assert_eq!(site.log_out(&[&cookie]).await.status, StatusCode::OK, "again");
    assert_eq!(site.log_out(&[]).await.status, StatusCode::OK, "a guest");
}

async fn a_logout_drops_the_cookie_where_express_set_it(test: TestDatabase) {
    let site = Site::open(test).await;
    let data = EXPRESS_DATA.replace(r#""path":"/""#, r#""domain":"a.b","path":"/app""#);
    site.insert_row(EXPRESS_SID, &data, site.now + TimeDelta::days(1)).await;
    let answer = site.log_out(&[EXPRESS_COOKIE]).await;
    assert!(answer.header(SET_COOKIE).unwrap().starts_with("nextbnb=; Domain=a.b; Path=/app;"));
}

async fn a_request_of_another_site_is_refused(test: TestDatabase) {
    let site = Site::open(test).await;
    let cookie = site.register(ADA).await.cookie();
    for path in ["/api/auth/login", "/api/auth/register", "/api/auth/logout"] {
        let request = Request::post(path)
            .header(CONTENT_TYPE, "application/json")
            .header(COOKIE, format!("nextbnb={cookie}"))
            .header("host", "nextbnb.test")
            .header("origin", "http://evil.test")
            .body(Full::default())
            .unwrap();
        let answer = site.send(request, None).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        assert_eq!(answer.header(SET_COOKIE), None);
    }
    assert_eq!(site.user(&[&cookie]).await.as_deref(), Some(ADA));
}

async fn check_refused(site: &Site, path: &str, fields: Value, status: u16, message: &str) {
    let answer = site.post(path, &[], &fields).await;
    assert_eq!((answer.status.as_u16(), answer.message().as_str()), (status, message), "{fields}");
}

async fn bad_fields_are_refused_with_a_reason(test: TestDatabase) {
    let site = Site::open(test).await;
    let (login, register) = ("/api/auth/login", "/api/auth/register");
    let required = "Email and password are required";
    check_refused(&site, login, json!({}), 422, required).await;
    check_refused(&site, login, json!({"email": ADA, "password": ""}), 422, required).await;
    let typed = "Every field must be a text";
    check_refused(&site, login, json!({"email": ADA, "password": 5}), 422, typed).await;
    let malformed = "The request body cannot be read";
    check_refused(&site, login, json!([ADA, "x"]), 400, malformed).await;
    check_refused(
        &site,
        login,
        json!({"email": "x".repeat(102_400)}),
        413,
        "The request body is too large",
    )
    .await;
    let apart = json!({"email": ADA, "password": PASSWORD, "passwordconfirmation": "x"});
    check_refused(&site, register, apart, 422, "Passwords do not match").await;
    let short = json!({"email": ADA, "password": "x", "passwordconfirmation": "x"});
    let message = "Please choose a password of at least 8 characters";
    check_refused(&site, register, short, 422, message).await;
    assert_eq!(site.accounts().await, Vec::<String>::new());
}

async fn credentials_in_the_query_are_not_looked_at(test: TestDatabase) {
    let site = Site::open(test).await;
    site.register(ADA).await;
    let path = "/api/auth/login?email=ada@example.com&password=correct+horse";
    check_refused(&site, path, json!({}), 422, "Email and password are required").await;
}

async fn a_session_tells_who_it_is(test: TestDatabase) {
    let site = Site::open(test).await;
    let fields = json!({"email": ADA, "password": PASSWORD, "passwordConfirmation": PASSWORD,
        "name": "Ada Lövelace"});
    let cookie = site.post("/api/auth/register", &[], &fields).await.cookie();
    let session = site.visit(&[&cookie]).await;
    for (session, body) in [
        (session.as_ref(), r#"{"user":{"id":1,"email":"ada@example.com","name":"Ada Lövelace"}}"#),
        (None, r#"{"user":null}"#),
    ] {
        let response = who_am_i(session);
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), body);
    }
}

async fn a_sign_in_is_finished_though_its_client_goes_away(test: TestDatabase) {
    let site = Site::open(test).await;
    // Given up at the first moment that it waits for the database's runtime.
    let mut registering = Box::pin(site.register(ADA));
    let first = std::future::poll_fn(|context| {
        std::task::Poll::Ready(registering.as_mut().poll(context).is_pending())
    });
    assert!(first.await, "the answer is not there yet");
    drop(registering);
    eventually("the account", async || (site.accounts().await == [ADA]).then_some(())).await;
    eventually("the session", async || (site.rows().await.len() == 1).then_some(())).await;
}

on_both_databases! {
    a_registration_signs_in_with_a_row_that_express_reads
    over_tls_cookie_and_row_are_secure
    a_sign_in_ends_the_session_before_it
    a_sign_in_leaves_other_devices_alone
    a_failed_sign_in_changes_nothing
    a_logout_deletes_the_row_and_drops_the_cookie
    a_logout_drops_the_cookie_where_express_set_it
    a_request_of_another_site_is_refused
    bad_fields_are_refused_with_a_reason
    credentials_in_the_query_are_not_looked_at
    a_session_tells_who_it_is
    a_sign_in_is_finished_though_its_client_goes_away
}
