//! Two things at once, in an order that the test forces.

use std::sync::Arc;

use nextbnb_gateway::session::policy::{AnonymousSessions, Touch};
use nextbnb_tests::stack::{PASSWORD, Stack, credentials, registration};
use nextbnb_tests::upstream::{StubUpstream, text};
use nextbnb_tests::{database::TestDatabase, wait_until};
use sea_orm::{ConnectionTrait, DatabaseTransaction, TransactionTrait};
use serde_json::json;
use tokio::sync::Semaphore;

const COOKIE: &str = "nextbnb";

/// An upstream that answers `/slow` when the test lets it.
async fn slow_upstream() -> (StubUpstream, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let held = gate.clone();
    let upstream = StubUpstream::answering(move |request| {
        let held = held.clone();
        async move {
            if request.uri().path() == "/slow" {
                held.acquire().await.unwrap().forget();
            }
            text("hello")
        }
    });
    (upstream.await, gate)
}

/// Begins a transaction that holds what `statement` locks.
pub(crate) async fn hold(database: &TestDatabase, statement: &str) -> DatabaseTransaction {
    let transaction = database.connection().begin().await.unwrap();
    transaction.execute_unprepared(statement).await.unwrap();
    transaction
}

/// Waits until one of the gateways' statements waits for a lock. Most do so only for milliseconds, and
/// then again, so two are seldom seen at once.
pub(crate) async fn wait_for_waiting(database: &TestDatabase) {
    let query = "SELECT pid::text FROM pg_stat_activity \
                 WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let is_waiting = async || !database.texts(query).await.is_empty();
    wait_until("a statement that waits for a lock", is_waiting).await;
}

/// Makes every cookie one that is due to be renewed.
const AGE: &str = "UPDATE \"Sessions\" SET data = regexp_replace(data, '\"expires\":\"[^\"]*\"', \
    '\"expires\":\"' || to_char(now() + interval '5 days', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') || '\"'), \
    \"updatedAt\" = now() - interval '1 hour'";

#[tokio::test]
async fn a_slow_request_does_not_undo_a_logout_on_any_gateway() {
    let (upstream, gate) = slow_upstream().await;
    let stack = Stack::before(upstream).await;
    let ada = stack.signed_in("ada@example.org").await;
    stack.database.run(AGE).await;
    let replica = stack.replica().await;
    let elsewhere = replica.anonymous();
    elsewhere.set_cookie(COOKIE, &ada.cookie(COOKIE).unwrap());
    let (here, there) = (ada.clone(), elsewhere.clone());
    let slow = tokio::spawn(async move { tokio::join!(here.get("/slow"), there.get("/slow")) });
    wait_until("both slow requests", async || stack.upstream.seen().len() == 2).await;
    ada.post("/api/auth/logout", &json!({})).await;
    gate.add_permits(2);
    let (here, there) = slow.await.unwrap();
    for reply in [here, there] {
        assert_eq!((reply.status.as_u16(), reply.header("set-cookie")), (200, None));
    }
    assert_eq!(elsewhere.get("/.nextbnb/session").await.text(), r#"{"user":null}"#);
    assert_eq!(stack.count("\"Sessions\"").await, 0);
}

#[tokio::test]
async fn a_slow_visit_with_expresss_settings_does_not_undo_a_logout() {
    let (upstream, gate) = slow_upstream().await;
    let stack = Stack::with(upstream, |config| {
        config.session.policy.touch = Touch::Every(std::time::Duration::ZERO);
        config.session.policy.anonymous = AnonymousSessions::Save;
    })
    .await;
    let ada = stack.signed_in("ada@example.org").await;
    let slow = ada.clone();
    let slow = tokio::spawn(async move { slow.get("/slow").await });
    wait_until("the slow request", async || stack.upstream.seen().len() == 1).await;
    ada.post("/api/auth/logout", &json!({})).await;
    gate.add_permits(1);
    assert_eq!(slow.await.unwrap().header("set-cookie"), None);
    assert_eq!(stack.count("\"Sessions\"").await, 0);
}

#[tokio::test]
async fn two_sign_ins_at_once_make_two_sessions_and_end_the_old_one() {
    let stack = Stack::start().await;
    let replica = stack.replica().await;
    let ada = stack.signed_in("ada@example.org").await;
    let old = ada.cookie(COOKIE).unwrap();
    let held = hold(&stack.database, "SELECT 1 FROM \"Sessions\" FOR UPDATE").await;
    let sign_in = |visitor: nextbnb_tests::visitor::Visitor| {
        visitor.set_cookie(COOKIE, &old);
        tokio::spawn(async move {
            let form = credentials("ada@example.org", PASSWORD);
            let reply = visitor.post("/api/auth/login", &form).await;
            (reply.status.as_u16(), visitor)
        })
    };
    let (one, two) = (sign_in(stack.anonymous()), sign_in(replica.anonymous()));
    wait_for_waiting(&stack.database).await;
    held.commit().await.unwrap();
    for (status, visitor) in [one.await.unwrap(), two.await.unwrap()] {
        assert_eq!(status, 200);
        let session = visitor.get("/.nextbnb/session").await;
        assert_eq!(session.json()["user"]["email"], "ada@example.org");
    }
    assert_eq!(ada.get("/.nextbnb/session").await.text(), r#"{"user":null}"#);
    assert_eq!(stack.count("\"Sessions\"").await, 2);
}

#[tokio::test]
async fn one_of_two_registrations_on_two_gateways_has_the_address() {
    let stack = Stack::start().await;
    let replica = stack.replica().await;
    stack.database.run("ALTER TABLE users DROP CONSTRAINT users_email_key").await;
    let lock = "SELECT pg_advisory_xact_lock(hashtextextended('nextbnb register a@b.c', 0))";
    let held = hold(&stack.database, lock).await;
    let register = |visitor: nextbnb_tests::visitor::Visitor, email: &'static str| {
        tokio::spawn(async move {
            visitor.post("/api/auth/register", &registration(email)).await.status.as_u16()
        })
    };
    let one = register(stack.anonymous(), "a@b.c");
    let two = register(replica.anonymous(), "A@b.c");
    wait_for_waiting(&stack.database).await;
    held.commit().await.unwrap();
    let mut statuses = [one.await.unwrap(), two.await.unwrap()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    assert_eq!(stack.count("users").await, 1);
    assert_eq!(stack.count("\"Sessions\"").await, 1);
}

#[tokio::test]
async fn a_burst_of_sign_ins_leaves_the_database_to_sessions() {
    let upstream = StubUpstream::start().await;
    let stack = Stack::with(upstream, |config| config.limits.concurrent_hashes = 1).await;
    let ada = stack.signed_in("ada@example.org").await;
    // A session that needs no account, so that it does not wait for the lock.
    let forget = r#"UPDATE "Sessions" SET data = regexp_replace(data, ',"passport".*', '}')"#;
    stack.database.run(forget).await;
    let held = hold(&stack.database, "LOCK TABLE users").await;
    let burst: Vec<_> = (0..30)
        .map(|_| {
            let visitor = stack.anonymous();
            let form = credentials("ada@example.org", PASSWORD);
            tokio::spawn(async move { visitor.post("/api/auth/login", &form).await.status })
        })
        .collect();
    wait_for_waiting(&stack.database).await;
    assert_eq!(ada.get("/").await.status, 200);
    held.commit().await.unwrap();
    for login in burst {
        assert!([200, 503].contains(&login.await.unwrap().as_u16()));
    }
}
