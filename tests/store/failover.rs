//! A server that is left for another, while it goes on and takes no writes.

use std::time::Duration;

use futures_util::future::join_all;
use nextbnb_gateway::database::{Database, DatabaseLimits, DatabaseTarget};
use nextbnb_migrations::TableNames;
use nextbnb_tests::chaos::ChaosProxy;
use nextbnb_tests::postgres::OwnServer;
use nextbnb_tests::wait_until;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use tokio::runtime::Handle;

use crate::feed::Ear;
use crate::site::{at, sessions_in};

/// Any moment.
const NOW: &str = "2026-11-23T09:15:14.368Z";

/// Connections of a pool here.
const CONNECTIONS: u32 = 3;

async fn open(url: &str) -> Database {
    let target = DatabaseTarget::Url(url.to_owned());
    let short = Duration::from_millis(300);
    let limits = DatabaseLimits {
        acquire_timeout: short,
        work_timeout: short,
        connections: CONNECTIONS,
        ..DatabaseLimits::default()
    };
    let database = Database::connect(&target, &limits, Handle::current()).await.unwrap();
    database.migrate(&TableNames::default()).await.unwrap();
    database
}

/// Whether as many at once as there are connections are answered.
async fn answers(database: &Database) -> bool {
    let names = TableNames::default();
    let asked = (0..CONNECTIONS).map(|_| database.check(&names));
    join_all(asked).await.iter().all(Result::is_ok)
}

/// As when a name is moved to another machine: what is connected stays where it is.
#[tokio::test]
async fn an_old_primary_that_takes_no_writes_is_left_for_the_new_one() {
    let (old, new) = (OwnServer::start(), OwnServer::start());
    let proxy = ChaosProxy::before_url(old.url()).await;
    let database = open(proxy.url()).await;
    open(new.url()).await;
    let sessions = sessions_in(&database).await;
    let ear = Ear::on(&database, None);
    ear.comes_up().await;
    assert!(answers(&database).await && sessions.sweep(at(NOW)).await.is_ok());
    proxy.lead_to(new.url());
    let operator = sea_orm::Database::connect(old.url()).await.unwrap();
    for change in ["ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()"]
    {
        operator.execute_unprepared(change).await.unwrap();
    }
    wait_until("it is written again", async || sessions.sweep(at(NOW)).await.is_ok()).await;
    ear.comes_up().await;
    let connected = Statement::from_string(
        DbBackend::Postgres,
        "SELECT 1 FROM pg_stat_activity WHERE application_name = 'nextbnb-gateway'",
    );
    wait_until("the old one is left", async || {
        answers(&database).await;
        operator.query_all_raw(connected.clone()).await.unwrap().is_empty()
    })
    .await;
}
