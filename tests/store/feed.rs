//! The change feed on a real Postgres: what is heard, and what is promised when nothing is.

use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nextbnb_gateway::database::listener::DirectUrl;
use nextbnb_gateway::database::{Database, DatabaseLimits, DatabaseTarget};
use nextbnb_gateway::doctor::Level;
use nextbnb_gateway::session::changes::{Change, Changes, SessionDigest};
use nextbnb_gateway::session::feed::{Feed, FeedLimits};
use nextbnb_migrations::TableNames;
use nextbnb_tests::chaos::ChaosProxy;
use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::pgbouncer::PgBouncer;
use nextbnb_tests::postgres::{OwnServer, program};
use nextbnb_tests::wait_until;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;

use crate::examined::{found, look};
use crate::site::connect;

/// Short, so that a test need not wait for what a server is given time for.
const LIMITS: FeedLimits = FeedLimits {
    proof_interval: Duration::from_millis(50),
    silence: Duration::from_secs(1),
    by_hand: Duration::from_millis(100),
    file_interval: Duration::from_millis(50),
    file_silence: Duration::from_secs(1),
};

/// A gateway, as far as it hears of changes.
pub(crate) struct Ear {
    pub(crate) feed: Feed,
    changes: Changes,
    heard: Arc<Mutex<Vec<(Change, Instant)>>>,
}

impl Ear {
    pub(crate) fn on(database: &Database, direct: Option<&str>) -> Self {
        let changes = Changes::new();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let to = heard.clone();
        changes.subscribe(move |change| to.lock().unwrap().push((change.clone(), Instant::now())));
        let direct = direct.map(|url| DirectUrl::parse(url).unwrap());
        let feed = Feed::start(database, &TableNames::default(), direct.as_ref(), LIMITS, &changes);
        Self { feed, changes, heard }
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.changes.are_whole(Instant::now())
    }

    pub(crate) async fn comes_up(&self) {
        wait_until("the feed is up", async || self.is_whole()).await;
    }

    /// When the last was heard since the last call, once it is.
    pub(crate) async fn hears(&self, change: &Change) -> Instant {
        let began = Instant::now();
        loop {
            {
                let mut heard = self.heard.lock().unwrap();
                if let Some((_, at)) = heard.iter().rfind(|(heard, _)| heard == change).cloned() {
                    heard.clear();
                    return at;
                }
            }
            let stats = self.feed.stats();
            assert!(began.elapsed() < Duration::from_mins(1), "never {change:?} but {stats:?}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    pub(crate) fn has_heard_nothing(&self) -> bool {
        self.heard.lock().unwrap().is_empty()
    }

    async fn says(&self, part: &str) {
        let began = Instant::now();
        loop {
            let stats = self.feed.stats();
            if stats.cause.as_ref().is_some_and(|cause| cause.contains(part)) {
                return;
            }
            assert!(began.elapsed() < Duration::from_mins(1), "never {part:?} but {stats:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn open(url: &str) -> Database {
    let target = DatabaseTarget::Url(url.to_owned());
    Database::connect(&target, &DatabaseLimits::default(), Handle::current()).await.unwrap()
}

/// Migrated.
async fn ready() -> (TestDatabase, Database) {
    let test = TestDatabase::postgres().await;
    let database = connect(&test).await;
    database.migrate(&TableNames::default()).await.unwrap();
    (test, database)
}

fn session(sid: &str) -> Change {
    let mut half = [0; 16];
    half.copy_from_slice(&Sha256::digest(sid)[..16]);
    Change::Session(SessionDigest(half))
}

async fn insert(test: &TestDatabase, sid: &str) {
    test.run(&format!(
        r#"INSERT INTO "Sessions" VALUES ('{sid}', now() + '1 day', '{{}}', now(), now())"#
    ))
    .await;
}

fn psql(url: &str, statement: &str) {
    let mut psql = Command::new(program("psql"));
    let status =
        psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement]).arg(url).status();
    assert!(status.unwrap().success(), "{statement}");
}

#[tokio::test]
async fn what_psql_removes_is_heard_by_every_gateway() {
    let (test, one) = ready().await;
    let ears = [Ear::on(&one, None), Ear::on(&connect(&test).await, None), Ear::on(&one, None)];
    for ear in &ears {
        ear.comes_up().await;
    }
    insert(&test, "a").await;
    for ear in &ears {
        ear.hears(&session("a")).await;
    }
    psql(test.url(), r#"DELETE FROM "Sessions" WHERE "sid" = 'a'"#);
    test.run(r#"INSERT INTO "users" ("id", "email", "password") VALUES (7, 'a@b.c', 'h')"#).await;
    psql(test.url(), r#"DELETE FROM "users""#);
    for ear in &ears {
        ear.hears(&Change::Account("7".into())).await;
    }
}

#[tokio::test]
async fn nothing_is_promised_before_a_feed_is_up_nor_after_it_ends() {
    let (_test, database) = ready().await;
    let ear = Ear::on(&database, None);
    assert!(!ear.is_whole());
    ear.comes_up().await;
    let Ear { feed, changes, .. } = ear;
    drop(feed);
    assert!(!changes.are_whole(Instant::now()));
}

const END_LISTENERS: &str = "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity
    WHERE application_name = 'nextbnb-gateway feed' AND datname = current_database()";

#[tokio::test]
async fn after_a_listener_was_ended_everything_is_told_before_anything_is_promised() {
    let (test, database) = ready().await;
    let ear = Ear::on(&database, None);
    ear.comes_up().await;
    ear.hears(&Change::Everything).await;
    assert_eq!(test.texts(END_LISTENERS).await, ["true"], "one connection");
    ear.hears(&Change::Everything).await;
    ear.comes_up().await;
    let stats = ear.feed.stats();
    assert!(stats.is_up && stats.reconnects == 1 && stats.cause.is_none(), "{stats:?}");
    insert(&test, "a").await;
    ear.hears(&session("a")).await;
}

#[tokio::test]
async fn a_way_that_dies_silently_ends_the_promise() {
    let (test, database) = ready().await;
    let proxy = ChaosProxy::before(&test).await;
    let ear = Ear::on(&database, Some(proxy.url()));
    ear.comes_up().await;
    ear.hears(&Change::Everything).await;
    proxy.freeze();
    wait_until("nothing is promised", async || !ear.is_whole()).await;
    insert(&test, "a").await;
    ear.says("no answer within").await;
    assert!(!ear.is_whole() && ear.has_heard_nothing());
    proxy.heal();
    ear.hears(&Change::Everything).await;
    ear.comes_up().await;
}

#[tokio::test]
async fn a_server_that_was_killed_is_listened_to_again() {
    let server = OwnServer::start();
    let database = open(server.url()).await;
    database.migrate(&TableNames::default()).await.unwrap();
    let ear = Ear::on(&database, None);
    ear.comes_up().await;
    ear.hears(&Change::Everything).await;
    psql(server.url(), "CHECKPOINT"); // It commits without waiting for its disk.
    server.kill();
    wait_until("nothing is promised", async || !ear.is_whole()).await;
    server.restart();
    ear.hears(&Change::Everything).await;
    psql(
        server.url(),
        r#"INSERT INTO "Sessions" VALUES ('a', now() + '1 day', '{}', now(), now())"#,
    );
    ear.hears(&session("a")).await;
    drop(ear);
    database.close().await.unwrap();
}

#[tokio::test]
async fn a_pooler_by_transactions_is_found_out_and_the_direct_url_named() {
    let (test, _) = ready().await;
    let pooler = PgBouncer::before(&test).await;
    let ear = Ear::on(&open(&pooler.url()).await, None);
    ear.says("--database-direct-url").await;
    assert!(!ear.is_whole() && ear.has_heard_nothing());
}

#[tokio::test]
async fn around_a_pooler_everything_is_heard() {
    let (test, _) = ready().await;
    let pooler = PgBouncer::before(&test).await;
    let ear = Ear::on(&open(&pooler.url()).await, Some(test.url()));
    ear.comes_up().await;
    psql(&pooler.url().replace("?statement-cache-capacity=0", ""), INSERT_B);
    ear.hears(&session("b")).await;
}

const INSERT_B: &str =
    r#"INSERT INTO "Sessions" VALUES ('b', now() + '1 day', '{}', now(), now())"#;

#[tokio::test]
async fn a_direct_url_to_another_database_is_found_out() {
    let ((_test, database), (other, _)) = (ready().await, ready().await);
    let ear = Ear::on(&database, Some(other.url()));
    ear.says("another database than --database-url").await;
    assert!(!ear.is_whole() && ear.has_heard_nothing());
}

#[tokio::test]
async fn without_its_triggers_nothing_is_promised_and_the_cure_is_named() {
    let (test, database) = ready().await;
    let ear = Ear::on(&database, None);
    ear.comes_up().await;
    assert_eq!(found(&look(&test).await, "change-feed").level, Level::Ok);
    test.run(r#"DROP TRIGGER "nextbnb_users_deleted" ON "users""#).await;
    ear.says("missing or disabled").await;
    assert!(!ear.is_whole());
    let cause = ear.feed.stats().cause.unwrap();
    let (_, cure) = cause.split_once("after ").unwrap();
    let (cure, _) = cure.split_once(" where it says").unwrap();
    test.run(r#"ALTER TABLE "Sessions" DISABLE TRIGGER "nextbnb_sessions_deleted""#).await;
    let told = look(&test).await;
    let told = found(&told, "change-feed");
    assert_eq!(told.facts["missing"], json!(["nextbnb_sessions_deleted", "nextbnb_users_deleted"]));
    assert!(told.cure.as_ref().unwrap().contains(cure), "{told:?}");
    test.run(cure).await;
    let applied = database.migrate(&TableNames::default()).await.unwrap();
    assert_eq!(applied.names, ["m0003_change_feed"]);
    ear.comes_up().await;
}

#[tokio::test]
async fn triggers_that_were_off_for_a_moment_are_as_a_gap() {
    let (test, database) = ready().await;
    let ear = Ear::on(&database, None);
    ear.comes_up().await;
    insert(&test, "a").await;
    ear.hears(&session("a")).await;
    test.run(
        r#"BEGIN; ALTER TABLE "Sessions" DISABLE TRIGGER USER; DELETE FROM "Sessions";
        ALTER TABLE "Sessions" ENABLE TRIGGER USER; COMMIT"#,
    )
    .await;
    ear.hears(&Change::Everything).await;
    assert_eq!(ear.feed.stats().reconnects, 0);
}

/// Prints what `bench/revocation/README.md` records.
#[tokio::test]
#[ignore = "a measurement, of which a busy machine makes anything"]
#[expect(clippy::print_stdout, reason = "a measurement is for reading")]
async fn how_long_a_revocation_takes_to_three_gateways() {
    let (test, _) = ready().await;
    let mut ears = Vec::new();
    for _ in 0..3 {
        ears.push(Ear::on(&connect(&test).await, None));
    }
    let mut times = Vec::new();
    for ear in &ears {
        ear.comes_up().await;
    }
    for number in 0..500 {
        let (sid, change) = (format!("s{number}"), session(&format!("s{number}")));
        insert(&test, &sid).await;
        for ear in &ears {
            ear.hears(&change).await;
        }
        let began = Instant::now();
        test.run(&format!(r#"DELETE FROM "Sessions" WHERE "sid" = '{sid}'"#)).await;
        let mut last = began;
        for ear in &ears {
            last = last.max(ear.hears(&change).await);
        }
        times.push(last - began);
    }
    times.sort();
    println!("from DELETE to the last of three: p50 {:?}", times[250]);
    println!("p90 {:?}, p99 {:?}, worst {:?}", times[450], times[495], times[499]);
}
