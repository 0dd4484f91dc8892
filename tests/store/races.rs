//! Sweeps against visits, in an order that the test forces; on Postgres, where both can wait.

use chrono::TimeDelta;
use nextbnb_gateway::session::SessionSettings;
use nextbnb_gateway::session::policy::OldData;
use nextbnb_tests::database::TestDatabase;
use sea_orm::{ConnectionTrait, DatabaseTransaction, TransactionTrait};

use crate::site::{EXPRESS_COOKIE, EXPRESS_DATA, EXPRESS_SID, PASSWORD, Site, eventually};

/// A site with one session, whose row a transaction of another process has just written.
async fn with_held_row(age: TimeDelta, statement: &str) -> (Site, DatabaseTransaction) {
    let mut site = Site::open(TestDatabase::postgres().await).await;
    site.insert_row(EXPRESS_SID, EXPRESS_DATA, site.now + TimeDelta::days(30)).await;
    site.test
        .run(r#"INSERT INTO "users" ("email", "password") VALUES ('ada@example.com', 'x')"#)
        .await;
    site.advance(age);
    let transaction = site.test.connection().begin().await.unwrap();
    transaction.execute_unprepared(statement).await.unwrap();
    (site, transaction)
}

async fn wait_for_waiting(site: &Site) {
    let query = "SELECT count(*)::text FROM pg_stat_activity \
                 WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually("a statement that waits", async || {
        (site.test.texts(query).await == ["1"]).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_sweep_spares_a_row_that_is_touched_while_it_looks() {
    let touch = r#"UPDATE "Sessions" SET "expires" = '2030-01-01 00:00:00+00'"#;
    let (site, touching) = with_held_row(TimeDelta::days(31), touch).await;
    assert_eq!(site.sessions.sweep(site.now).await.unwrap(), 0, "and waits for nobody");
    touching.commit().await.unwrap();
    assert_eq!(site.sessions.sweep(site.now).await.unwrap(), 0);
    assert_eq!(site.rows().await.len(), 1);
}

#[tokio::test]
async fn a_touch_never_brings_back_a_row_that_is_swept_meanwhile() {
    let age = TimeDelta::minutes(11);
    let (site, deleting) = with_held_row(age, r#"DELETE FROM "Sessions""#).await;
    let session = site.visit(&[EXPRESS_COOKIE]).await.unwrap();
    assert_eq!(site.settle(session.clone()).await, None);
    site.sessions.write_visits_down().await;
    deleting.commit().await.unwrap();
    site.settle(session).await;
    site.sessions.write_visits_down().await;
    assert_eq!(site.rows().await.len(), 0);
}

#[tokio::test]
async fn a_sign_in_keeps_what_express_writes_while_it_looks() {
    let test = TestDatabase::postgres().await;
    let keep = |settings: &mut SessionSettings| settings.policy.old_data = OldData::Keep;
    let site = Site::open_with(test, keep).await;
    site.register("ada@example.com").await;
    site.test.run(r#"DELETE FROM "Sessions""#).await;
    site.insert_row(EXPRESS_SID, EXPRESS_DATA, site.now + TimeDelta::days(30)).await;
    let writing = site.test.connection().begin().await.unwrap();
    let write =
        r#"UPDATE "Sessions" SET "data" = replace("data", '"passport"', '"cart":[1],"passport"')"#;
    writing.execute_unprepared(write).await.unwrap();
    let cookies = [EXPRESS_COOKIE];
    let (answer, ()) = tokio::join!(site.log_in("ada@example.com", PASSWORD, &cookies), async {
        wait_for_waiting(&site).await;
        writing.commit().await.unwrap();
    });
    assert_eq!(answer.status, 200);
    let data = site.row().await.data.unwrap();
    assert!(data.contains(r#""cart":[1]"#), "{data}");
}
