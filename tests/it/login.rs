//! Register, log in, log out, over HTTP.

use http::{Method, StatusCode};
use nextbnb_gateway::auth::SiteData;
use nextbnb_gateway::auth::action::Action;
use nextbnb_tests::stack::{PASSWORD, Stack, credentials, registration};
use nextbnb_tests::upstream::StubUpstream;
use nextbnb_tests::visitor::{Reply, Visitor};
use serde_json::{Value, json};

const COOKIE: &str = "nextbnb";

async fn who(visitor: &Visitor) -> Value {
    visitor.get("/.nextbnb/session").await.json()["user"]["email"].clone()
}

#[track_caller]
fn assert_refused(reply: &Reply, status: u16, message: &str) {
    assert_eq!(reply.status, status, "{}", reply.text());
    assert_eq!(reply.json(), json!({ "status": "error", "message": message }));
    assert_eq!(reply.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.header("set-cookie"), None);
}

#[tokio::test]
async fn whoever_registers_is_signed_in_and_can_sign_in_again() {
    let stack = Stack::start().await;
    let ada = stack.anonymous();
    let reply = ada.post("/api/auth/register", &registration("ada@example.org")).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.text(), r#"{"status":"success","message":"Logged in"}"#);
    assert_eq!(who(&ada).await, "ada@example.org");
    let elsewhere = stack.anonymous();
    let reply = elsewhere.post("/api/auth/login", &credentials("ada@example.org", PASSWORD)).await;
    assert_eq!(reply.text(), r#"{"status":"success","message":"Logged in"}"#);
    assert_eq!(who(&elsewhere).await, "ada@example.org");
    assert_eq!(who(&ada).await, "ada@example.org", "other devices stay signed in");
}

#[tokio::test]
async fn the_cookie_is_written_as_express_writes_it_with_same_site_added() {
    let stack = Stack::start().await;
    let reply = stack.anonymous().post("/api/auth/register", &registration("a@b.c")).await;
    let cookie = reply.header("set-cookie").unwrap();
    let (value, attributes) = cookie.split_once("; ").unwrap();
    assert!(value.starts_with("nextbnb=s%3A"), "{cookie}");
    let attributes: Vec<&str> = attributes.split("; ").collect();
    let [path, expires, http_only, same_site] = attributes.as_slice() else { panic!("{cookie}") };
    assert_eq!((*path, *http_only, *same_site), ("Path=/", "HttpOnly", "SameSite=Lax"));
    assert!(expires.starts_with("Expires=") && expires.ends_with(" GMT"), "{cookie}");
}

#[tokio::test]
async fn every_sign_in_gives_a_new_session_and_ends_the_old_one() {
    let stack = Stack::start().await;
    let ada = stack.signed_in("ada@example.org").await;
    let first = ada.cookie(COOKIE).unwrap();
    ada.post("/api/auth/login", &credentials("ada@example.org", PASSWORD)).await;
    let second = ada.cookie(COOKIE).unwrap();
    assert_ne!(first, second);
    let thief = stack.anonymous();
    thief.set_cookie(COOKIE, &first);
    assert_eq!(who(&thief).await, Value::Null);
    assert_eq!(who(&ada).await, "ada@example.org");
}

#[tokio::test]
async fn logout_ends_the_session_everywhere_and_expires_the_cookie() {
    let stack = Stack::start().await;
    let ada = stack.signed_in("ada@example.org").await;
    let old = ada.cookie(COOKIE).unwrap();
    let reply = ada.post("/api/auth/logout", &json!({})).await;
    assert_eq!(reply.text(), r#"{"status":"success","message":"Logged out"}"#);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert!(
        reply
            .header("set-cookie")
            .unwrap()
            .starts_with("nextbnb=; Path=/; Expires=Thu, 01 Jan 1970")
    );
    assert_eq!(ada.cookie(COOKIE), None);
    let thief = stack.anonymous();
    thief.set_cookie(COOKIE, &old);
    assert_eq!(who(&thief).await, Value::Null);
}

#[tokio::test]
async fn logout_clears_what_the_browser_stores_only_where_told() {
    let upstream = StubUpstream::start().await;
    let stack = Stack::with(upstream, |config| config.auth.site_data = SiteData::Clear).await;
    let reply = stack.anonymous().post("/api/auth/logout", &json!({})).await;
    assert_eq!(reply.header("clear-site-data"), Some("\"cookies\", \"storage\""));
    let plain = Stack::start().await;
    let reply = plain.anonymous().post("/api/auth/logout", &json!({})).await;
    assert_eq!(reply.header("clear-site-data"), None);
}

#[tokio::test]
async fn logout_without_a_session_is_a_success_too() {
    let stack = Stack::start().await;
    let reply = stack.anonymous().post("/api/auth/logout", &json!({})).await;
    assert_eq!(reply.text(), r#"{"status":"success","message":"Logged out"}"#);
}

#[tokio::test]
async fn an_unknown_account_and_a_wrong_password_get_the_same_answer() {
    let stack = Stack::start().await;
    stack.signed_in("ada@example.org").await;
    for (email, password) in [("ada@example.org", "wrong"), ("bob@example.org", PASSWORD)] {
        let reply = stack.anonymous().post("/api/auth/login", &credentials(email, password)).await;
        assert_refused(&reply, 401, "Email and password do not match");
    }
}

#[tokio::test]
async fn a_failed_sign_in_keeps_the_session_that_was_there() {
    let stack = Stack::start().await;
    let ada = stack.signed_in("ada@example.org").await;
    ada.post("/api/auth/login", &credentials("ada@example.org", "wrong")).await;
    assert_eq!(who(&ada).await, "ada@example.org");
}

#[tokio::test]
async fn a_taken_address_is_refused_in_any_spelling_of_its_case() {
    let stack = Stack::start().await;
    stack.signed_in("ada@example.org").await;
    for email in ["ada@example.org", "Ada@Example.ORG"] {
        let reply = stack.anonymous().post("/api/auth/register", &registration(email)).await;
        assert_refused(&reply, 409, "User already exists");
    }
    let login =
        stack.anonymous().post("/api/auth/login", &credentials("ADA@example.org", PASSWORD)).await;
    assert_eq!(login.status, 200);
}

#[tokio::test]
async fn registration_says_what_is_wrong_with_a_form() {
    let stack = Stack::start().await;
    let mut differing = registration("a@b.c");
    differing["passwordconfirmation"] = "other password".into();
    let reply = stack.anonymous().post("/api/auth/register", &differing).await;
    assert_refused(&reply, 422, "Passwords do not match");
    let form = |email: Value, password: Value| json!({ "email": email, "password": password, "passwordconfirmation": password });
    let bad = [
        form("a@b.c".into(), "seven77".into()),
        form("a@b.c".into(), "x".repeat(73).into()),
        form("a@b.c".into(), "secret\0secret".into()),
        form("no-at".into(), PASSWORD.into()),
        form("a@b@c".into(), PASSWORD.into()),
        form("a\u{7}@b.c".into(), PASSWORD.into()),
        form("".into(), PASSWORD.into()),
        form("@".into(), PASSWORD.into()),
        form("x".repeat(300).into(), PASSWORD.into()),
        form(5.into(), PASSWORD.into()),
        form("a@b.c".into(), 12_345_678.into()),
        form(Value::Null, PASSWORD.into()),
        json!({}),
    ];
    for form in bad {
        let reply = stack.anonymous().post("/api/auth/register", &form).await;
        assert_eq!(reply.status, 422, "{form}: {}", reply.text());
        assert_eq!(reply.json()["status"], "error");
    }
    let mut named = registration("a@b.c");
    for name in ["x".repeat(101), "a\nb".to_owned()] {
        named["name"] = name.into();
        assert_eq!(stack.anonymous().post("/api/auth/register", &named).await.status, 422);
    }
    assert_eq!(stack.count("users").await, 0);
}

#[tokio::test]
async fn both_spellings_of_the_confirmation_and_forms_are_understood() {
    let stack = Stack::start().await;
    let json = json!({ "email": "a@b.c", "password": PASSWORD, "passwordConfirmation": PASSWORD });
    assert_eq!(stack.anonymous().post("/api/auth/register", &json).await.status, 200);
    let form =
        format!("email=b%40b.c&password={PASSWORD}&passwordconfirmation={PASSWORD}&name=B+C");
    let form = form.replace(' ', "+");
    let content = Some(("application/x-www-form-urlencoded", form));
    let bob = stack.anonymous();
    assert_eq!(bob.send(Method::POST, "/api/auth/register", content).await.status, 200);
    assert_eq!(bob.get("/.nextbnb/session").await.json()["user"]["name"], "B C");
}

#[tokio::test]
async fn only_a_bounded_json_or_form_body_is_read() {
    let stack = Stack::start().await;
    let post = async |content_type: &'static str, body: &str| {
        let body = Some((content_type, body.to_owned()));
        stack.anonymous().send(Method::POST, "/api/auth/login", body).await.status
    };
    let json = credentials("a@b.c", "x").to_string();
    assert_eq!(post("text/plain", &json).await, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(post("application/vnd.api+json", &json).await, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(
        post("application/json; charset=latin1", &json).await,
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
    assert_eq!(post("application/json", "{").await, StatusCode::BAD_REQUEST);
    assert_eq!(post("application/json", "null").await, StatusCode::BAD_REQUEST);
    let large = json!({ "email": "a@b.c", "password": "x".repeat(110_000) }).to_string();
    assert_eq!(post("application/json", &large).await, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(post("application/json; charset=utf-8", &json).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn credentials_in_the_query_are_not_read() {
    let stack = Stack::start().await;
    stack.signed_in("ada@example.org").await;
    let target =
        format!("/api/auth/login?email=ada@example.org&password={}", PASSWORD.replace(' ', "+"));
    let reply = stack.anonymous().post(&target, &json!({})).await;
    assert_eq!(reply.status, 422);
    assert_eq!(reply.header("set-cookie"), None);
}

#[tokio::test]
async fn another_sites_page_cannot_sign_anybody_in_or_out() {
    let stack = Stack::start().await;
    let ada = stack.signed_in("ada@example.org").await;
    let foreign = [
        ("Origin", "https://evil.example".to_owned()),
        ("Origin", "null".to_owned()),
        ("Origin", "http://127.0.0.1:1".to_owned()),
        ("Sec-Fetch-Site", "cross-site".to_owned()),
        ("Sec-Fetch-Site", "same-site".to_owned()),
        ("Sec-Fetch-Site", "none".to_owned()),
    ];
    for (name, value) in foreign {
        let lured = ada.clone().header(name, &value);
        for route in ["login", "register", "logout"] {
            let reply = lured.post(&format!("/api/auth/{route}"), &json!({})).await;
            assert_eq!(reply.status, 403, "{route} with {name}: {value}");
        }
    }
    assert_eq!(who(&ada).await, "ada@example.org");
    let origin = format!("http://{}", stack.address());
    for (name, value) in [("Origin", origin.as_str()), ("Sec-Fetch-Site", "same-origin")] {
        let own = stack.anonymous().header(name, value);
        let reply = own.post("/api/auth/login", &credentials("ada@example.org", PASSWORD)).await;
        assert_eq!(reply.status, 200, "{name}: {value}");
    }
    // A form in a page with `Referrer-Policy: no-referrer`.
    let own = stack.anonymous().header("Origin", "null").header("Sec-Fetch-Site", "same-origin");
    let reply = own.post("/api/auth/login", &credentials("ada@example.org", PASSWORD)).await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn the_routes_may_be_elsewhere() {
    let upstream = StubUpstream::start().await;
    let stack = Stack::with(upstream, |config| {
        assert!(config.auth.paths.set(Action::Login, "/api/users/login"));
    })
    .await;
    stack.signed_in("ada@example.org").await;
    let form = credentials("ada@example.org", PASSWORD);
    let ada = stack.anonymous();
    assert_eq!(ada.post("/api/auth/login", &form).await.text(), "hello from upstream");
    assert_eq!(ada.cookie("nextbnb"), None);
    assert_eq!(ada.post("/api/users/login", &form).await.status, 200);
    assert!(ada.cookie("nextbnb").is_some());
}
