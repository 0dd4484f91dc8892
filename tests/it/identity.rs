//! Who the upstream is told is signed in.

use http::Method;
use http_body_util::BodyExt;
use nextbnb_gateway::auth::credentials::PasswordPolicy;
use nextbnb_tests::stack::{Stack, registration};
use nextbnb_tests::upstream::{StubUpstream, text};
use nextbnb_tests::wire::exchange;
use percent_encoding::percent_decode_str;

#[tokio::test]
async fn the_upstream_is_told_who_is_signed_in() {
    let stack = Stack::start().await;
    let ada = stack.anonymous();
    let mut form = registration("ada@example.org");
    form["name"] = "Ada Łovelace".into();
    assert_eq!(ada.post("/api/auth/register", &form).await.status, 200);
    ada.get("/").await;
    let seen = stack.upstream.last_request();
    assert_eq!(seen.header("x-forwarded-email"), Some("ada@example.org"));
    assert_eq!(seen.header("x-forwarded-preferred-username"), Some("Ada%20%C5%81ovelace"));
    assert!(seen.header("x-forwarded-user").unwrap().parse::<u32>().is_ok());
}

#[tokio::test]
async fn the_upstream_is_told_nothing_of_a_guest() {
    let stack = Stack::start().await;
    stack.anonymous().get("/").await;
    let seen = stack.upstream.last_request();
    for name in ["x-forwarded-user", "x-forwarded-email", "x-forwarded-preferred-username"] {
        assert_eq!(seen.header(name), None);
    }
}

#[tokio::test]
async fn an_address_is_one_harmless_value_whatever_was_registered() {
    let stack = Stack::with(StubUpstream::start().await, |config| {
        config.auth.policy = PasswordPolicy::None;
    })
    .await;
    for email in ["a,b;c@d", "a\r\nX-Evil: 1", "\u{1}\u{7f}\u{85} é@李", "\"a\" <b@c>", "%41@b.c"]
    {
        stack.signed_in(email).await.get("/").await;
        let seen = stack.upstream.last_request();
        let value = seen.header("x-forwarded-email").unwrap();
        assert!(value.bytes().all(|byte| byte.is_ascii_graphic() && !b",;<\"".contains(&byte)));
        assert_eq!(percent_decode_str(value).decode_utf8().unwrap(), email);
        assert_eq!(seen.header("x-evil"), None);
    }
}

/// Spellings that some backend folds to a name that the gateway sets.
const FORGED: [&str; 14] = [
    "X-Forwarded-User",
    "x-forwarded-user",
    "X_Forwarded_User",
    "X.Forwarded.User",
    "x-forwarded_user",
    "X-FORWARDED.USER",
    "X-Forwarded-Email",
    "X_Forwarded-Email",
    "X-Forwarded-Preferred-Username",
    "X-Forwarded-Groups",
    "X-Forwarded-Access-Token",
    "X-Nextbnb-Assertion",
    "X_Nextbnb_Anything",
    "x.nextbnb.",
];

#[tokio::test]
async fn a_forged_identity_header_never_reaches_the_frontend() {
    let stack = Stack::start().await;
    for name in FORGED {
        let forger = stack.anonymous().header(name, "1").header(name, "2");
        forger.get("/").await;
        forger.send(Method::POST, "/any", Some(("text/plain", "body".to_owned()))).await;
        for seen in stack.upstream.seen() {
            let copies = seen.headers.keys().filter(|key| key.as_str().eq_ignore_ascii_case(name));
            assert_eq!(copies.count(), 0, "{name}");
        }
    }
}

#[tokio::test]
async fn a_forged_identity_never_replaces_or_joins_the_real_one() {
    let stack = Stack::start().await;
    let mut ada = stack.signed_in("ada@example.org").await;
    for name in FORGED {
        ada = ada.header(name, "4711");
    }
    ada.get("/").await;
    let seen = stack.upstream.last_request();
    assert_eq!(seen.header("x-forwarded-email"), Some("ada@example.org"));
    assert!(seen.headers.values().all(|value| value != "4711"), "{:?}", seen.headers);
}

#[tokio::test]
async fn connection_cannot_name_the_identity_away() {
    let stack = Stack::start().await;
    let ada = stack.signed_in("ada@example.org").await;
    let names = "x-forwarded-user, X-Forwarded-Email, x-forwarded-for, x-forwarded-host, close";
    ada.header("Connection", names).get("/").await;
    let seen = stack.upstream.last_request();
    assert_eq!(seen.header("x-forwarded-email"), Some("ada@example.org"));
    assert!(seen.header("x-forwarded-user").is_some());
    assert_eq!(seen.header("x-forwarded-for"), Some("127.0.0.1"));
    assert!(seen.header("x-forwarded-host").is_some());
}

#[tokio::test]
async fn a_forged_identity_in_a_trailer_never_reaches_the_frontend() {
    let upstream = StubUpstream::answering(|request| async move {
        let body = request.into_body().collect().await.unwrap();
        let trailers = body.trailers().cloned();
        text(format!("{trailers:?} {:?}", body.to_bytes()))
    });
    let stack = Stack::before(upstream.await).await;
    let head = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n";
    let body = "3\r\nabc\r\n0\r\nX-Forwarded-User: 1\r\n\r\n";
    let request = format!("{head}Trailer: X-Forwarded-User\r\n\r\n{body}");
    let answer = exchange(stack.address(), request).await;
    assert!(answer.ends_with("None b\"abc\""), "{answer}");
}

#[tokio::test]
async fn what_next_js_tells_itself_cannot_come_from_a_client() {
    let stack = Stack::start().await;
    let internal = [
        "x-middleware-subrequest",
        "x-middleware-rewrite",
        "X-Middleware-Next",
        "x-invoke-path",
        "x-matched-path",
        "x-now-route-matches",
        "x-action-forwarded",
        "x-prerender-revalidate",
        "x-next-resume-state-length",
        "next-resume",
        "x_middleware_subrequest",
    ];
    for name in internal {
        stack.anonymous().header(name, "1").get("/").await;
        assert_eq!(stack.upstream.last_request().header(name), None, "{name}");
    }
}

#[tokio::test]
async fn what_the_browser_tells_next_js_arrives() {
    let stack = Stack::start().await;
    let passed = [
        ("rsc", "1"),
        ("next-router-state-tree", "%5B%22%22%5D"),
        ("next-router-prefetch", "1"),
        ("next-url", "/"),
        ("next-action", "abc"),
        ("x-middleware-prefetch", "1"),
        ("x-deployment-id", "d"),
        ("if-none-match", "\"e\""),
        ("range", "bytes=0-1"),
        ("authorization", "Basic x"),
        ("cookie", "__prerender_bypass=1; theme=dark"),
    ];
    let mut visitor = stack.anonymous();
    for (name, value) in passed {
        visitor = visitor.header(name, value);
    }
    visitor.get("/page?_rsc=abc").await;
    for (name, value) in passed {
        assert_eq!(stack.upstream.last_request().header(name), Some(value), "{name}");
    }
}

#[tokio::test]
async fn assets_are_fetched_without_asking_the_database() {
    let stack = Stack::start().await;
    let ada = stack.signed_in("ada@example.org").await;
    ada.get("/_next/static/chunks/main.js").await;
    let seen = stack.upstream.last_request();
    assert_eq!(seen.header("x-forwarded-user"), None, "an asset is the same for everybody");
}

#[tokio::test]
async fn a_client_component_learns_who_is_signed_in() {
    let stack = Stack::start().await;
    let guest = stack.anonymous().get("/.nextbnb/session").await;
    assert_eq!(guest.text(), r#"{"user":null}"#);
    assert_eq!(guest.header("cache-control"), Some("no-store"));
    let ada = stack.signed_in("ada@example.org").await;
    let reply = ada.get("/.nextbnb/session").await;
    assert_eq!(reply.json()["user"]["email"], "ada@example.org");
    assert!(reply.json()["user"]["id"].is_number());
    assert!(reply.json()["user"]["name"].is_null());
    assert!(stack.upstream.seen().is_empty(), "the gateway answers this itself");
}
