//! How often somebody may fail to sign in, or register.

use futures_util::future::join_all;
use http::StatusCode;
use nextbnb_gateway::auth::answer::AuthStatuses;
use nextbnb_gateway::auth::throttle::ThrottleSettings;
use nextbnb_gateway::config::Config;
use nextbnb_tests::stack::{PASSWORD, Stack, credentials, registration};
use nextbnb_tests::upstream::StubUpstream;
use nextbnb_tests::visitor::{Reply, Visitor};
use serde_json::json;

const ADA: &str = "ada@example.org";

/// Failures that the tests' gateways let pass.
const ATTEMPTS: u32 = 3;

/// The same for what is ten times as loose.
const LOOSE: u32 = 30;

/// A gateway behind a proxy of this machine, with `ada@example.org` registered from this machine.
async fn shop(change: impl FnOnce(&mut Config)) -> Stack {
    let stack = Stack::with(StubUpstream::start().await, |config| {
        config.front.trusted.add("loopback").unwrap();
        let settings = ThrottleSettings { attempts: ATTEMPTS, ..ThrottleSettings::default() };
        config.auth.throttle = Some(settings);
        change(config);
    })
    .await;
    stack.signed_in(ADA).await;
    stack
}

/// Somebody whom the proxy saw at `address`.
fn from(stack: &Stack, address: &str) -> Visitor {
    stack.anonymous().header("X-Forwarded-For", address)
}

async fn sign_in(visitor: &Visitor, email: &str, password: &str) -> Reply {
    visitor.post("/api/auth/login", &credentials(email, password)).await
}

/// How many of `attempts` failures are answered as failures, before the rest is refused.
async fn fail(visitor: &Visitor, email: &str, attempts: u32) -> u32 {
    let mut failed = 0;
    for _ in 0..attempts {
        match sign_in(visitor, email, "wrong").await.status {
            StatusCode::UNAUTHORIZED => failed += 1,
            status => assert_eq!(status, StatusCode::TOO_MANY_REQUESTS),
        }
    }
    failed
}

#[tokio::test]
async fn whoever_fails_too_often_is_told_when_to_come_again_and_the_right_password_waits_too() {
    let stack = shop(|_| {}).await;
    let guesser = from(&stack, "203.0.113.7");
    assert_eq!(fail(&guesser, ADA, 10).await, ATTEMPTS);
    for password in ["wrong", PASSWORD] {
        let reply = sign_in(&guesser, ADA, password).await;
        assert_eq!(reply.status, StatusCode::TOO_MANY_REQUESTS);
        let text = "Too many attempts. Please try again later";
        assert_eq!(reply.json(), json!({ "status": "error", "message": text }));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        let seconds: u64 = reply.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=5 * 60).contains(&seconds), "a third of the window at most: {seconds}");
    }
}

#[tokio::test]
async fn an_unknown_account_is_throttled_as_a_known_one() {
    let stack = shop(|_| {}).await;
    let mut replies = Vec::new();
    for (email, address) in [(ADA, "203.0.113.7"), ("nobody@example.org", "203.0.113.8")] {
        let guesser = from(&stack, address);
        assert_eq!(fail(&guesser, email, 10).await, ATTEMPTS);
        let reply = sign_in(&guesser, email, "wrong").await;
        replies.push((reply.status, reply.text().to_owned()));
    }
    assert_eq!(replies[0], replies[1]);
}

#[tokio::test]
async fn other_spellings_addresses_of_a_subscriber_and_forged_hops_are_the_same_client() {
    let stack = shop(|_| {}).await;
    fail(&from(&stack, "2001:db8:1:2::1"), ADA, ATTEMPTS).await;
    assert_eq!(fail(&from(&stack, "2001:db8:1:2:3:4:5:6"), "Ada@Example.org", 1).await, 0);
    assert_eq!(fail(&from(&stack, "198.51.100.9, 2001:db8:1:2::1"), ADA, 1).await, 0);
    assert_eq!(fail(&from(&stack, "2001:db8:1:3::1"), ADA, 1).await, 1, "the neighbour's");
}

#[tokio::test]
async fn a_client_that_signed_in_before_is_let_in_while_others_guess() {
    let stack = shop(|_| {}).await;
    let owner = from(&stack, "203.0.113.7");
    assert_eq!(sign_in(&owner, ADA, PASSWORD).await.status, StatusCode::OK);
    for attacker in 1..=LOOSE {
        fail(&from(&stack, &format!("198.51.100.{attacker}")), ADA, 1).await;
    }
    assert_eq!(fail(&from(&stack, "198.51.100.99"), ADA, 1).await, 0, "the account is closed");
    assert_eq!(sign_in(&owner, ADA, PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_right_password_lets_a_client_fail_anew() {
    let stack = shop(|_| {}).await;
    let forgetful = from(&stack, "203.0.113.7");
    for _ in 0..4 {
        assert_eq!(fail(&forgetful, ADA, ATTEMPTS - 1).await, ATTEMPTS - 1);
        assert_eq!(sign_in(&forgetful, ADA, PASSWORD).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn right_passwords_at_once_are_at_worst_asked_to_come_again_in_a_moment() {
    let stack = shop(|_| {}).await;
    let tabs: Vec<_> = (0..20).map(|_| from(&stack, "203.0.113.7")).collect();
    let replies = join_all(tabs.iter().map(|tab| sign_in(tab, ADA, PASSWORD))).await;
    let refused: Vec<_> = replies.iter().filter(|reply| reply.status != StatusCode::OK).collect();
    assert!(replies.len() - refused.len() >= ATTEMPTS as usize);
    for reply in refused {
        assert_eq!(reply.status, StatusCode::TOO_MANY_REQUESTS);
        assert!(reply.header("retry-after").unwrap().parse::<u64>().unwrap() <= 4);
    }
    assert_eq!(sign_in(&tabs[0], ADA, PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn one_client_cannot_try_a_password_on_everybody() {
    let stack = shop(|_| {}).await;
    let stuffer = from(&stack, "203.0.113.7");
    let mut failed = 0;
    for number in 0..LOOSE + 5 {
        failed += fail(&stuffer, &format!("{number}@example.org"), 1).await;
    }
    assert_eq!(failed, LOOSE);
    let other = from(&stack, "203.0.113.8");
    assert_eq!(sign_in(&other, ADA, PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn this_machine_is_no_client_but_its_failures_count_for_the_account() {
    let stack = shop(|_| {}).await;
    let local = stack.anonymous();
    assert_eq!(fail(&local, ADA, LOOSE + 1).await, LOOSE);
    assert_eq!(fail(&local, "bob@example.org", 1).await, 1);
}

#[tokio::test]
async fn registrations_of_one_client_are_bounded() {
    let stack = shop(|config| {
        let settings = ThrottleSettings { attempts: 1, ..ThrottleSettings::default() };
        config.auth.throttle = Some(settings);
    })
    .await;
    let mut statuses = Vec::new();
    for number in 0..11 {
        let visitor = from(&stack, "203.0.113.7");
        let form = registration(&format!("{number}@example.org"));
        statuses.push(visitor.post("/api/auth/register", &form).await.status.as_u16());
    }
    assert_eq!(statuses, [[200; 10].as_slice(), &[429]].concat());
}

#[tokio::test]
async fn in_the_words_of_express_too_a_throttled_client_is_told_when_to_come_again() {
    let stack = shop(|config| config.auth.statuses = AuthStatuses::Express).await;
    let guesser = from(&stack, "203.0.113.7");
    for _ in 0..ATTEMPTS {
        assert_eq!(sign_in(&guesser, ADA, "wrong").await.status.as_u16(), 500);
    }
    let reply = sign_in(&guesser, ADA, "wrong").await;
    assert_eq!(reply.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(reply.json()["status"], "error");
    assert!(reply.header("retry-after").is_some());
}

#[tokio::test]
async fn a_throttled_client_costs_no_query_and_no_hash() {
    let stack = shop(|_| {}).await;
    let guesser = from(&stack, "203.0.113.7");
    fail(&guesser, ADA, ATTEMPTS).await;
    stack.database.run("DROP TABLE users CASCADE").await;
    assert_eq!(sign_in(&guesser, ADA, "wrong").await.status, StatusCode::TOO_MANY_REQUESTS);
    let other = sign_in(&from(&stack, "203.0.113.8"), ADA, "wrong").await;
    assert_eq!(other.status, StatusCode::INTERNAL_SERVER_ERROR, "the database was asked");
}

#[tokio::test]
async fn off_throttles_nobody() {
    let stack = shop(|config| config.auth.throttle = None).await;
    assert_eq!(fail(&from(&stack, "203.0.113.7"), ADA, LOOSE + 5).await, LOOSE + 5);
}
