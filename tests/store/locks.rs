//! What somebody else has locked, and whom that holds up.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::join_all;
use http::StatusCode;
use http::header::RETRY_AFTER;
use nextbnb_gateway::database::{Database, DatabaseError, DatabaseLimits, DatabaseTarget};
use nextbnb_migrations::TableNames;
use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::wait_until;
use sea_orm::{ConnectionTrait, DatabaseTransaction, TransactionTrait};
use tokio::runtime::Handle;

use crate::answer::Answer;
use crate::site::{EXPRESS_COOKIE, EXPRESS_DATA, EXPRESS_SID, PASSWORD, Site, at};

const ADA: &str = "ada@example.com";
const BEA: &str = "bea@example.com";

/// With a session of ada's that Express began.
async fn site() -> Site {
    let mut site = Site::open(TestDatabase::postgres().await).await;
    site.register(ADA).await;
    site.test.run(r#"DELETE FROM "Sessions""#).await;
    site.insert_row(EXPRESS_SID, EXPRESS_DATA, at("2026-12-23T09:15:16.146Z")).await;
    site.advance(TimeDelta::days(16));
    site
}

/// Until the transaction ends.
async fn lock(site: &Site) -> DatabaseTransaction {
    let locking = site.test.connection().begin().await.unwrap();
    let lock = format!(r#"SELECT 1 FROM "Sessions" WHERE "sid" = '{EXPRESS_SID}' FOR UPDATE"#);
    locking.execute_unprepared(&lock).await.unwrap();
    locking
}

#[track_caller]
fn is_asked_to_come_again(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.header(RETRY_AFTER).is_some());
}

/// With more requests about it than there are connections.
#[tokio::test]
async fn a_row_that_is_locked_holds_up_nobody_else() {
    let site = site().await;
    let bea = site.register(BEA).await.cookie();
    let locked = lock(&site).await;
    let count = DatabaseLimits::default().connections as usize + 5;
    let are_answered = AtomicBool::new(false);
    let leaving = async {
        let leaving = (0..count).map(|_| site.log_out(&[EXPRESS_COOKIE]));
        let visiting = (0..count).map(|_| site.read_page(&[EXPRESS_COOKIE]));
        let (answers, renewed) = tokio::join!(join_all(leaving), join_all(visiting));
        are_answered.store(true, Ordering::Relaxed);
        assert!(renewed.iter().all(Option::is_none), "{renewed:?}");
        answers
    };
    let staying = async {
        while !are_answered.load(Ordering::Relaxed) {
            assert_eq!(site.user(&[&bea]).await.as_deref(), Some(BEA));
            assert_eq!(site.log_in(BEA, PASSWORD, &[]).await.status, StatusCode::OK);
        }
    };
    let (answers, ()) = tokio::join!(leaving, staying);
    answers.iter().for_each(is_asked_to_come_again);
    locked.rollback().await.unwrap();
    assert_eq!(
        site.user(&[EXPRESS_COOKIE]).await.as_deref(),
        Some(ADA),
        "nothing was done by half"
    );
    assert!(site.read_page(&[EXPRESS_COOKIE]).await.is_some(), "renewed with the next visit");
    assert_eq!(site.log_out(&[EXPRESS_COOKIE]).await.status, StatusCode::OK);
    assert_eq!(site.user(&[EXPRESS_COOKIE]).await, None);
}

/// Lets go of the row once it was asked for in vain.
async fn unlock(site: &Site, locked: DatabaseTransaction, failed: u64) {
    wait_until("asked in vain", async || site.database.stats().failed > failed).await;
    locked.rollback().await.unwrap();
}

#[tokio::test]
async fn what_was_locked_for_a_moment_is_done_after_it() {
    let site = site().await;
    let (locked, failed) = (lock(&site).await, site.database.stats().failed);
    let leaving = site.log_out(&[EXPRESS_COOKIE]);
    let (answer, ()) = tokio::join!(leaving, unlock(&site, locked, failed));
    assert_eq!(answer.status, StatusCode::OK);
    assert!(site.rows().await.is_empty());
}

#[tokio::test]
async fn a_sign_in_over_a_row_that_is_locked_writes_all_or_nothing() {
    let site = site().await;
    let locked = lock(&site).await;
    is_asked_to_come_again(&site.log_in(ADA, PASSWORD, &[EXPRESS_COOKIE]).await);
    assert_eq!(site.row().await.sid, EXPRESS_SID);
    let failed = site.database.stats().failed;
    let signing_in = site.log_in(ADA, PASSWORD, &[EXPRESS_COOKIE]);
    let (answer, ()) = tokio::join!(signing_in, unlock(&site, locked, failed));
    assert_eq!(answer.status, StatusCode::OK);
    assert_ne!(site.row().await.sid, EXPRESS_SID, "one row, and another one");
}

const WAITING: &str = "SELECT count(*)::text FROM pg_stat_activity WHERE wait_event_type = 'Lock'
    AND datname = current_database()";

/// Else each that the gateway has given up would keep a connection of the server's hundred.
#[tokio::test]
async fn a_statement_that_was_given_up_is_given_up_by_the_server() {
    let test = TestDatabase::postgres().await;
    let target = DatabaseTarget::Url(test.url().to_owned());
    let work_timeout = Duration::from_millis(200);
    let limits = DatabaseLimits { work_timeout, connections: 2, ..DatabaseLimits::default() };
    let database = Database::connect(&target, &limits, Handle::current()).await.unwrap();
    database.migrate(&TableNames::default()).await.unwrap();
    let locked = test.connection().begin().await.unwrap();
    locked.execute_unprepared(r#"LOCK TABLE "Sessions""#).await.unwrap();
    for _ in 0..5 {
        let late = database.check(&TableNames::default()).await;
        late.unwrap_err();
    }
    wait_until("nobody waits", async || test.texts(WAITING).await == ["0"]).await;
    database.ping(Duration::from_secs(20)).await.map_err(DatabaseError::from).unwrap();
    locked.rollback().await.unwrap();
    database.check(&TableNames::default()).await.unwrap();
}
