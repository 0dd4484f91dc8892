//! What a site with Express's settings sees over HTTP.

use std::time::Duration;

use nextbnb_gateway::session::SessionSettings;
use nextbnb_gateway::session::policy::{AnonymousSessions, Rolling, Touch};
use nextbnb_tests::stack::{Stack, credentials};
use nextbnb_tests::upstream::{StubUpstream, text};
use nextbnb_tests::wait_until;

const COOKIE: &str = "nextbnb";

fn express(session: &mut SessionSettings) {
    session.policy.anonymous = AnonymousSessions::Save;
    session.policy.rolling = Rolling::Never;
    session.policy.touch = Touch::Every(Duration::ZERO);
}

#[tokio::test]
async fn a_guest_has_one_row_from_the_first_visit_on() {
    let stack = Stack::with_sessions(express).await;
    let guest = stack.anonymous();
    assert!(guest.get("/").await.header("set-cookie").is_some());
    let cookie = guest.cookie(COOKIE);
    for target in ["/trips", "/.nextbnb/session", "/favicon.ico"] {
        assert_eq!(guest.get(target).await.header("set-cookie"), None, "{target}");
    }
    assert_eq!(guest.cookie(COOKIE), cookie);
    assert_eq!(stack.count("\"Sessions\"").await, 1);
}

#[tokio::test]
async fn a_guests_failed_sign_in_is_a_visit_and_a_broken_body_is_none() {
    let stack = Stack::with_sessions(express).await;
    let guest = stack.anonymous();
    guest.post("/api/auth/login", &credentials("a@b.c", "x")).await;
    assert!(guest.cookie(COOKIE).is_some());
    let other = stack.anonymous();
    let body = Some(("application/json", "{".to_owned()));
    other.send(http::Method::POST, "/api/auth/login", body).await;
    assert_eq!(other.cookie(COOKIE), None);
    assert_eq!(stack.count("\"Sessions\"").await, 1);
}

#[tokio::test]
async fn assets_health_and_shared_answers_never_carry_a_guests_cookie() {
    let upstream = StubUpstream::answering(|request| async move {
        let mut response = text("hello");
        if request.uri().path() == "/shared" {
            let value = "public, max-age=60".parse().unwrap();
            response.headers_mut().insert("cache-control", value);
        }
        response
    });
    let stack = Stack::with(upstream.await, |config| express(&mut config.session)).await;
    for target in ["/_next/static/x.js", "/shared", "/.nextbnb/health"] {
        assert_eq!(stack.anonymous().get(target).await.header("set-cookie"), None, "{target}");
    }
    wait_until("no row without its cookie", async || stack.count("\"Sessions\"").await == 0).await;
}

#[tokio::test]
async fn assets_are_visits_where_every_visit_counts() {
    let stack = Stack::with_sessions(express).await;
    let ada = stack.signed_in("ada@example.org").await;
    let age = "UPDATE \"Sessions\" SET expires = now() + interval '1 day', \
               \"updatedAt\" = now() - interval '1 second'";
    stack.database.run(age).await;
    let reply = ada.get("/_next/static/x.js").await;
    assert_eq!(reply.header("set-cookie"), None);
    assert_eq!(stack.upstream.last_request().header("x-forwarded-user"), None, "never whose");
    assert_eq!(stack.count("\"Sessions\" WHERE expires > now() + interval '29 days'").await, 1);
}

#[tokio::test]
async fn without_the_database_a_guest_gets_the_page_and_no_cookie() {
    let stack = Stack::with_sessions(express).await;
    stack.database.run("ALTER TABLE \"Sessions\" RENAME TO gone").await;
    let reply = stack.anonymous().get("/").await;
    assert_eq!((reply.status.as_u16(), reply.header("set-cookie")), (200, None));
}

#[tokio::test]
async fn a_sign_in_replaces_a_guests_session() {
    let stack = Stack::with_sessions(express).await;
    let ada = stack.anonymous();
    ada.get("/").await;
    let guest = ada.cookie(COOKIE).unwrap();
    ada.post("/api/auth/register", &nextbnb_tests::stack::registration("a@b.c")).await;
    assert_ne!(ada.cookie(COOKIE).unwrap(), guest);
    assert_eq!(stack.count("\"Sessions\"").await, 1);
    ada.post("/api/auth/logout", &serde_json::json!({})).await;
    assert_eq!(stack.count("\"Sessions\"").await, 0);
}
