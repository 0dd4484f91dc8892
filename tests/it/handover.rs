//! Sign-ins whose answer the browser drops, because its form is submitted twice.

use std::time::Duration;

use nextbnb_gateway::session::policy::AnonymousSessions;
use nextbnb_tests::stack::{PASSWORD, Stack, credentials};
use nextbnb_tests::upstream::{StubUpstream, text};
use nextbnb_tests::visitor::Visitor;

use crate::races::{hold, wait_for_waiting};

const COOKIE: &str = "nextbnb";
const EMAIL: &str = "ada@example.org";

/// Pages that say who is there; guests have sessions, and ada an account.
async fn site(handover_secs: u64) -> Stack {
    let upstream = StubUpstream::answering(|request| async move {
        let mut response = match request.headers().get("x-forwarded-email") {
            Some(email) => text(email.as_bytes().to_vec()),
            None => text("guest"),
        };
        if request.uri().path() == "/public" {
            response.headers_mut().insert("cache-control", "public, max-age=9".parse().unwrap());
        }
        response
    });
    let stack = Stack::with(upstream.await, |config| {
        config.session.policy.anonymous = AnonymousSessions::Save;
        config.session.handover = Duration::from_secs(handover_secs);
        config.front.trusted.add("loopback").unwrap();
    })
    .await;
    stack.signed_in(EMAIL).await;
    stack
}

/// Somebody else with the same cookie; whatever they are sent, `visitor` does not get it.
fn beside(stack: &Stack, visitor: &Visitor) -> Visitor {
    let other = stack.anonymous();
    other.set_cookie(COOKIE, &visitor.cookie(COOKIE).unwrap());
    other
}

/// A browser that has signed in and did not hear the answer.
async fn after_a_lost_answer(stack: &Stack) -> Visitor {
    let browser = stack.anonymous();
    assert_eq!(browser.get("/").await.text(), "guest");
    let lost = beside(stack, &browser);
    let reply = lost.post("/api/auth/login", &credentials(EMAIL, PASSWORD)).await;
    assert_eq!(reply.status, 200);
    browser
}

#[tokio::test]
async fn the_id_before_a_sign_in_leads_to_its_session_once() {
    let stack = site(10).await;
    let browser = after_a_lost_answer(&stack).await;
    let thief = beside(&stack, &browser);
    let rows = stack.count("\"Sessions\"").await;
    assert_eq!(browser.get("/").await.text(), EMAIL);
    assert_ne!(browser.cookie(COOKIE), thief.cookie(COOKIE));
    assert_eq!(browser.get("/").await.text(), EMAIL, "with the new cookie");
    assert_eq!(stack.count("\"Sessions\"").await, rows);
    assert_eq!(thief.get("/").await.text(), "guest");
}

#[tokio::test]
async fn only_the_same_browser_is_led_there() {
    let stack = site(10).await;
    let browser = after_a_lost_answer(&stack).await;
    let thief = beside(&stack, &browser).header("User-Agent", "another");
    assert_eq!(thief.get("/").await.text(), "guest");
    assert_eq!(browser.get("/").await.text(), EMAIL);
}

#[tokio::test]
async fn behind_a_trusted_proxy_another_client_is_another_browser() {
    let stack = site(10).await;
    let browser = after_a_lost_answer(&stack).await;
    let thief = beside(&stack, &browser).header("X-Forwarded-For", "203.0.113.66");
    assert_eq!(thief.get("/").await.text(), "guest");
    assert_eq!(browser.get("/").await.text(), EMAIL);
}

#[tokio::test]
async fn by_default_the_old_id_leads_nowhere() {
    let stack = site(0).await;
    let browser = after_a_lost_answer(&stack).await;
    assert_eq!(browser.get("/").await.text(), "guest");
}

#[tokio::test]
async fn an_answer_that_cannot_carry_the_cookie_does_not_use_it_up() {
    let stack = site(10).await;
    let browser = after_a_lost_answer(&stack).await;
    let old = browser.cookie(COOKIE);
    browser.get("/public").await;
    assert_eq!(browser.cookie(COOKIE), old);
    assert_eq!(browser.get("/").await.text(), EMAIL);
}

#[tokio::test]
async fn a_request_of_the_same_session_waits_for_its_sign_in() {
    let stack = site(10).await;
    let browser = stack.anonymous();
    browser.get("/").await;
    let lost = beside(&stack, &browser);
    let held = hold(&stack.database, "LOCK TABLE users").await;
    let form = credentials(EMAIL, PASSWORD);
    let login = tokio::spawn(async move { lost.post("/api/auth/login", &form).await.status });
    wait_for_waiting(&stack.database).await;
    let page = tokio::spawn(async move { browser.get("/").await.text().to_owned() });
    // A guest's page needs no account: without a wait it would be answered before this.
    assert_eq!(stack.anonymous().get("/").await.text(), "guest");
    held.commit().await.unwrap();
    assert_eq!(login.await.unwrap(), 200);
    assert_eq!(page.await.unwrap(), EMAIL);
}

#[tokio::test]
async fn a_failed_sign_in_changes_nothing() {
    let stack = site(10).await;
    let browser = stack.anonymous();
    browser.get("/").await;
    let old = browser.cookie(COOKIE);
    let reply = browser.post("/api/auth/login", &credentials(EMAIL, "wrong")).await;
    assert_eq!(reply.status, 401);
    assert_eq!(browser.get("/").await.text(), "guest");
    assert_eq!(browser.cookie(COOKIE), old);
}
