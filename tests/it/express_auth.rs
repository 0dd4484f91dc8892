//! Register, login and logout with the statuses, bodies and headers of the Express server.

use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use nextbnb_tests::stack::{PASSWORD, Stack, credentials, registration};
use nextbnb_tests::visitor::Reply;
use serde_json::{Value, json};

const LOGIN: &str = "/api/auth/login";
const REGISTER: &str = "/api/auth/register";
const LOGOUT: &str = "/api/auth/logout";

/// Checks status and body, and that no header says more than Express's did.
#[track_caller]
fn assert_answer(reply: &Reply, status: u16, body: &str) {
    assert_eq!((reply.status.as_u16(), reply.text()), (status, body));
    assert_eq!(reply.header("content-type"), None);
    assert_eq!(reply.header("cache-control"), None);
}

fn form(email: impl Into<Value>, password: impl Into<Value>) -> Value {
    let (email, password) = (email.into(), password.into());
    json!({ "email": email, "password": password, "passwordconfirmation": password })
}

#[tokio::test]
async fn whoever_registers_or_signs_in_is_told_so_without_a_content_type() {
    let stack = Stack::like_express().await;
    let ada = stack.anonymous();
    let success = r#"{"status":"success","message":"Logged in"}"#;
    let reply = ada.post(REGISTER, &registration("a@b.c")).await;
    assert_answer(&reply, 200, success);
    let cookie = reply.header("set-cookie").unwrap();
    assert!(cookie.ends_with(" GMT; HttpOnly"), "{cookie}");
    assert_answer(&ada.post(LOGIN, &credentials("a@b.c", PASSWORD)).await, 200, success);
}

#[tokio::test]
async fn a_logout_keeps_the_cookie_and_has_the_length_of_express() {
    let stack = Stack::like_express().await;
    let ada = stack.signed_in("a@b.c").await;
    for visitor in [ada, stack.anonymous()] {
        let reply = visitor.post(LOGOUT, &json!({})).await;
        assert_answer(&reply, 200, r#"{"status":"success","message":"Logged out"}"#);
        assert_eq!(reply.header("content-length"), Some("43"));
        assert_eq!(reply.header("set-cookie"), None);
    }
    assert_eq!(stack.count("\"Sessions\"").await, 0);
}

#[tokio::test]
async fn a_registration_fails_in_the_words_of_express() {
    let stack = Stack::like_express().await;
    stack.signed_in("a@b.c").await;
    let occurred = r#"{"status":"error","message":"An error occurred"}"#;
    let apart = r#"{"status":"error","message":"Passwords do not match"}"#;
    let taken = r#"{"status":"error","message":"User already exists"}"#;
    for (fields, status, body) in [
        (registration("a@b.c"), 500, taken),
        (json!({"email": "b@b.c", "password": "x"}), 200, apart),
        (json!({"email": "b@b.c", "password": "x", "passwordconfirmation": "y"}), 200, apart),
        (form("b@b.c", json!(["x"])), 200, apart),
        (json!({}), 500, occurred),
        (form(Value::Null, "x"), 500, occurred),
        (form("b@b.c", Value::Null), 500, occurred),
        (form("b@b.c", 5), 500, occurred),
        (form(json!(["b@b.c"]), "x"), 500, occurred),
        (form("x".repeat(256), "x"), 500, occurred),
        (form("", "x"), 500, r#"{"status":"error","message":{}}"#),
    ] {
        assert_answer(&stack.anonymous().post(REGISTER, &fields).await, status, body);
    }
    assert_eq!(stack.count("users").await, 1, "nor does a failed one leave an account");
}

#[tokio::test]
async fn without_a_policy_any_text_is_an_address_and_an_empty_one_a_password() {
    let stack = Stack::like_express().await;
    for (email, password) in
        [(json!("not-an-email"), ""), (json!(5), "x"), (json!("A@b.c"), "x"), (json!("a@b.c"), "x")]
    {
        let reply = stack.anonymous().post(REGISTER, &form(email, password)).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    let emails = stack.database.texts("SELECT email FROM users ORDER BY id").await;
    assert_eq!(emails, ["not-an-email", "5", "A@b.c", "a@b.c"]);
    let reply = stack.anonymous().post(LOGIN, &credentials("A@B.c", "x")).await;
    assert_eq!(reply.json()["message"], "User not found", "exact addresses sign in");
}

#[tokio::test]
async fn a_login_fails_in_the_words_of_express_and_tells_no_sql() {
    let stack = Stack::like_express().await;
    let ada = stack.signed_in("a@b.c").await;
    let missing = r#"{"status":"error","message":"No user matching credentials"}"#;
    let nothing = r#"{"status":"error","message":{}}"#;
    for (fields, body) in [
        (
            credentials("a@b.c", "wrong"),
            r#"{"status":"error","message":"Email and password do not match"}"#,
        ),
        (credentials("b@b.c", "x"), r#"{"status":"error","message":"User not found"}"#),
        (json!({"email": "a@b.c"}), missing),
        (json!({"email": "", "password": "x"}), missing),
        (json!([]), missing),
        (json!({"email": "a@b.c", "password": 5}), nothing),
        (json!({"email": 5, "password": "x"}), nothing),
    ] {
        assert_answer(&ada.post(LOGIN, &fields).await, 500, body);
    }
    let session = ada.get("/.nextbnb/session").await;
    assert_eq!(session.json()["user"]["email"], "a@b.c", "still signed in");
}

#[tokio::test]
async fn only_json_is_read_and_never_the_query() {
    let stack = Stack::like_express().await;
    stack.signed_in("a@b.c").await;
    let missing = r#"{"status":"error","message":"No user matching credentials"}"#;
    let json = credentials("a@b.c", PASSWORD).to_string();
    let form = format!("email=a%40b.c&password={}", PASSWORD.replace(' ', "+"));
    for (content_type, body) in [
        ("application/x-www-form-urlencoded", form.clone()),
        ("text/plain", json.clone()),
        ("application/vnd.api+json", json.clone()),
        ("application/json", String::new()),
    ] {
        let target = format!("{LOGIN}?{form}");
        let reply = stack.anonymous().send(Method::POST, &target, Some((content_type, body))).await;
        assert_answer(&reply, 500, missing);
    }
}

#[tokio::test]
async fn a_body_that_cannot_be_read_gets_the_page_of_express_and_is_no_visit() {
    let stack = Stack::like_express().await;
    let large = json!({"x": "x".repeat(102_400)}).to_string();
    for (content_type, body, status, reason) in [
        ("application/json", "{".to_owned(), 400, "Bad Request"),
        ("application/json", "null".to_owned(), 400, "Bad Request"),
        ("application/json", large, 413, "Payload Too Large"),
        ("application/json; charset=latin1", "{}".to_owned(), 415, "Unsupported Media Type"),
    ] {
        for target in [LOGIN, REGISTER, LOGOUT] {
            let body = Some((content_type, body.clone()));
            let reply = stack.anonymous().send(Method::POST, target, body).await;
            assert_eq!(reply.status.as_u16(), status, "{target}");
            assert!(reply.text().contains(&format!("<pre>{reason}</pre>")), "{}", reply.text());
            assert_eq!(reply.header("content-type"), Some("text/html; charset=utf-8"));
            assert_eq!(reply.header("content-security-policy"), Some("default-src 'none'"));
            assert_eq!(reply.header("set-cookie"), None);
        }
    }
    assert_eq!(stack.count("\"Sessions\"").await, 0);
}

#[tokio::test]
async fn compressed_and_utf_16_bodies_sign_in_by_default_too() {
    let stack = Stack::start().await;
    stack.signed_in("a@b.c").await;
    let json = credentials("a@b.c", PASSWORD).to_string();
    let mut gzip = flate2::read::GzEncoder::new(json.as_bytes(), flate2::Compression::default());
    let mut compressed = Vec::new();
    std::io::Read::read_to_end(&mut gzip, &mut compressed).unwrap();
    let utf16: Vec<u8> = json.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (name, value, body) in [("content-encoding", "gzip", compressed), ("x-nothing", "", utf16)]
    {
        let charset = if name.starts_with('x') { "; charset=utf-16" } else { "" };
        let request = Request::post(LOGIN)
            .header("content-type", format!("application/json{charset}"))
            .header(name, value)
            .body(Full::from(body))
            .unwrap();
        let response = stack.anonymous().start(request).await;
        assert_eq!(response.status(), 200, "{name}");
        response.into_body().collect().await.unwrap();
    }
}
