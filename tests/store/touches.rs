//! Visits that are written down together.

use chrono::TimeDelta;
use nextbnb_gateway::entity::session::Model;
use nextbnb_gateway::session::Session;
use nextbnb_gateway::session::id::SessionId;
use nextbnb_gateway::session::secrets::Secrets;
use nextbnb_gateway::session::signed_cookie;
use nextbnb_migrations::{TableNames, notices};
use nextbnb_tests::database::TestDatabase;
use sea_orm::sqlx::postgres::PgListener;
use sea_orm::{ConnectionTrait, TransactionTrait};

use crate::site::{SECRET, Site, at};

/// Nobody's, for half an hour from its last visit on.
const DATA: &str = r#"{"cookie":{"originalMaxAge":1800000,"path":"/"}}"#;

fn life() -> TimeDelta {
    TimeDelta::minutes(30)
}

/// `count` sessions that are to be touched, each found by a request.
async fn found(site: &mut Site, count: usize) -> Vec<(String, Session)> {
    let secrets = Secrets::new(&[SECRET.into()]).unwrap();
    let mut cookies = Vec::new();
    for _ in 0..count {
        let id = SessionId::generate().unwrap();
        site.insert_row(id.as_str(), DATA, site.now + life()).await;
        cookies.push((id.as_str().to_owned(), signed_cookie::write(&id, &secrets)));
    }
    site.advance(TimeDelta::minutes(11));
    let mut found = Vec::new();
    for (sid, cookie) in cookies {
        found.push((sid, site.visit(&[&cookie]).await.unwrap()));
    }
    found
}

async fn settle(site: &Site, sessions: &[(String, Session)]) {
    for (_, session) in sessions {
        assert_eq!(site.settle(session.clone()).await, None);
    }
}

/// How many rows tell of a visit now.
async fn count_touched(site: &Site) -> usize {
    let rows = site.rows().await;
    let is_touched = |row: &&Model| row.updated_at == site.now;
    let touched: Vec<_> = rows.iter().filter(is_touched).collect();
    assert!(touched.iter().all(|row| row.expires == Some(site.now + life())));
    touched.len()
}

async fn many_visits_are_one_statement(test: TestDatabase) {
    let mut site = Site::open(test).await;
    let sessions = found(&mut site, 100).await;
    let before = site.database.stats().done;
    settle(&site, &sessions).await;
    settle(&site, &sessions).await;
    assert_eq!(site.database.stats().done, before, "no answer waits for it");
    site.sessions.write_visits_down().await;
    assert_eq!(site.database.stats().done, before + 1);
    assert_eq!(count_touched(&site).await, 100);
}

async fn more_than_a_statement_holds_are_written_as_well(test: TestDatabase) {
    let mut site = Site::open(test).await;
    let sessions = found(&mut site, 600).await;
    settle(&site, &sessions).await;
    site.sessions.write_visits_down().await;
    assert_eq!(count_touched(&site).await, 600);
}

async fn of_several_visits_of_a_session_the_last_counts(test: TestDatabase) {
    let mut site = Site::open(test).await;
    let sessions = found(&mut site, 1).await;
    settle(&site, &sessions).await;
    site.advance(TimeDelta::minutes(12));
    settle(&site, &sessions).await;
    site.advance(TimeDelta::minutes(-6)); // Whose answer took longer than the other's.
    settle(&site, &sessions).await;
    site.advance(TimeDelta::minutes(6));
    site.sessions.write_visits_down().await;
    assert_eq!(count_touched(&site).await, 1);
}

async fn a_visit_changes_nothing_that_was_written_after_it_was_read(test: TestDatabase) {
    let mut site = Site::open(test).await;
    let sessions = found(&mut site, 3).await;
    settle(&site, &sessions).await;
    let sid = &sessions[1].0;
    let later = r#"UPDATE "Sessions" SET "updatedAt" = '2026-11-23 09:25:00.000+00:00'"#;
    site.test.run(&format!(r#"{later} WHERE "sid" = '{sid}'"#)).await;
    site.sessions.write_visits_down().await;
    assert_eq!(count_touched(&site).await, 2);
}

/// As a trigger of the site's may.
async fn a_row_that_is_refused_stands_in_nobodys_way(test: TestDatabase) {
    let mut site = Site::open(test).await;
    let sessions = found(&mut site, 20).await;
    let sid = &sessions[7].0;
    let refusing = if site.test.is_postgres() {
        format!(
            r#"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                   $$BEGIN RAISE 'not this one'; END$$;
               CREATE TRIGGER refuse BEFORE UPDATE ON "Sessions" FOR EACH ROW
                   WHEN (OLD.sid = '{sid}') EXECUTE FUNCTION refuse()"#
        )
    } else {
        format!(
            r#"CREATE TRIGGER refuse BEFORE UPDATE ON "Sessions" WHEN OLD.sid = '{sid}'
               BEGIN SELECT RAISE(ABORT, 'not this one'); END"#
        )
    };
    site.test.run(&refusing).await;
    settle(&site, &sessions).await;
    site.sessions.write_visits_down().await;
    assert_eq!(count_touched(&site).await, 19);
}

async fn without_a_time_of_writing_the_end_never_moves_back(test: TestDatabase) {
    test.run(
        r#"CREATE TABLE "Sessions" ("sid" VARCHAR(36) PRIMARY KEY,
            "expires" TIMESTAMP WITH TIME ZONE, "data" TEXT,
            "createdAt" TIMESTAMP WITH TIME ZONE, "updatedAt" INTEGER)"#,
    )
    .await;
    let site = Site::open_named(test, &TableNames::default()).await;
    let id = SessionId::generate().unwrap();
    let cookie = signed_cookie::write(&id, &Secrets::new(&[SECRET.into()]).unwrap());
    let (sid, end) = (id.as_str(), site.now + TimeDelta::minutes(1));
    let insert = r#"INSERT INTO "Sessions" ("sid", "expires", "data") VALUES"#;
    let end = end.format("%Y-%m-%d %H:%M:%S%.3f+00:00");
    site.test.run(&format!("{insert} ('{sid}', '{end}', '{DATA}')")).await;
    let session = site.visit(&[&cookie]).await.unwrap();
    let expires = r#"SELECT CAST("expires" AS TEXT) FROM "Sessions""#;
    let as_it_was = site.test.texts(expires).await;
    site.settle(session.clone()).await;
    site.sessions.write_visits_down().await;
    let moved = site.test.texts(expires).await;
    assert_ne!(moved, as_it_was);
    let later = "2027-01-01 00:00:00.000+00:00";
    site.test.run(&format!(r#"UPDATE "Sessions" SET "expires" = '{later}'"#)).await;
    let later = site.test.texts(expires).await;
    site.settle(session).await;
    site.sessions.write_visits_down().await;
    assert_eq!(site.test.texts(expires).await, later);
}

on_both_databases! {
    many_visits_are_one_statement
    more_than_a_statement_holds_are_written_as_well
    of_several_visits_of_a_session_the_last_counts
    a_visit_changes_nothing_that_was_written_after_it_was_read
    a_row_that_is_refused_stands_in_nobodys_way
    without_a_time_of_writing_the_end_never_moves_back
}

#[tokio::test]
async fn a_row_that_is_locked_stands_in_nobodys_way() {
    let mut site = Site::open(TestDatabase::postgres().await).await;
    let sessions = found(&mut site, 20).await;
    let locking = site.test.connection().begin().await.unwrap();
    let lock = format!(r#"SELECT 1 FROM "Sessions" WHERE "sid" = '{}' FOR UPDATE"#, sessions[7].0);
    locking.execute_unprepared(&lock).await.unwrap();
    settle(&site, &sessions).await;
    site.sessions.write_visits_down().await;
    assert_eq!(count_touched(&site).await, 19);
    locking.rollback().await.unwrap();
}

/// As an old primary that was made a standby.
#[tokio::test]
async fn visits_are_kept_while_the_server_is_read_only_and_written_when_it_no_longer_is() {
    let mut site = Site::open(TestDatabase::postgres().await).await;
    let sessions = found(&mut site, 3).await;
    turn_read_only(&site, "on").await;
    settle(&site, &sessions).await;
    site.sessions.write_visits_down().await;
    assert_eq!(count_touched(&site).await, 0);
    turn_read_only(&site, "off").await;
    site.sessions.write_visits_down().await;
    assert_eq!(count_touched(&site).await, 3);
}

/// For the gateway's connections, which are ended with it.
async fn turn_read_only(site: &Site, to: &str) {
    let name = site.test.name();
    let set = format!("ALTER DATABASE {name} SET default_transaction_read_only = {to}");
    site.test.run(&set).await;
    let end = "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity \
               WHERE datname = current_database() AND application_name = 'nextbnb-gateway'";
    assert!(!site.test.texts(end).await.is_empty());
}

/// Else each would have every replica read its session again.
#[tokio::test]
async fn the_triggers_tell_nothing_of_visits() {
    let mut site = Site::open(TestDatabase::postgres().await).await;
    site.now = at("2100-01-01T00:00:00Z"); // What has ended by the server's clock is another matter.
    let oid = site.test.texts(r#"SELECT '"Sessions"'::regclass::oid::text"#).await;
    let channel = notices::channel(oid[0].parse().unwrap());
    let mut listener = PgListener::connect(site.test.url()).await.unwrap();
    listener.listen_all([channel.as_str(), "end"]).await.unwrap();
    let sessions = found(&mut site, 60).await;
    for _ in 0..60 {
        assert_eq!(listener.recv().await.unwrap().channel(), channel, "it does hear");
    }
    settle(&site, &sessions).await;
    site.sessions.write_visits_down().await;
    assert_eq!(count_touched(&site).await, 60);
    site.test.run("NOTIFY \"end\"").await;
    assert_eq!(listener.recv().await.unwrap().channel(), "end");
}
