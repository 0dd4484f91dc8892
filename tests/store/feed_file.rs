//! Who else writes to an SQLite file, and who may serve on it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use nextbnb_gateway::session::changes::Change;
use nextbnb_migrations::TableNames;
use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::next::{Group, free_address};
use nextbnb_tests::wait_until;

use crate::examined::look;
use crate::feed::Ear;
use crate::program::{self, listens};
use crate::site::connect;

fn shell(path: &Path, statement: &str) {
    let status = Command::new("sqlite3").arg(path).arg(statement).status().unwrap();
    assert!(status.success(), "{statement}");
}

const USER: &str = r#"INSERT INTO "users" ("email", "password") VALUES ('a@b.c', 'h')"#;

#[tokio::test]
async fn what_a_shell_writes_to_the_file_is_everything_and_what_the_gateway_writes_is_nothing() {
    let test = TestDatabase::sqlite().await;
    let site = crate::site::Site::open(test).await;
    let ear = Ear::on(&site.database, None);
    ear.comes_up().await;
    ear.hears(&Change::Everything).await;
    assert_eq!(site.register("ada@example.com").await.status, 200);
    let proved = ear.feed.stats().last_proof.unwrap();
    wait_until("it was asked again", async || {
        ear.feed.stats().last_proof.is_some_and(|ago| ago < proved)
    })
    .await;
    assert!(ear.has_heard_nothing(), "its own");
    shell(&site.test.path(), USER);
    ear.hears(&Change::Everything).await;
    assert!(ear.is_whole());
}

#[tokio::test]
async fn a_file_that_is_served_on_can_still_be_migrated_and_looked_at() {
    let test = TestDatabase::sqlite().await;
    let database = connect(&test).await;
    database.migrate(&TableNames::default()).await.unwrap();
    let held = database.hold_file().unwrap();
    let other = connect(&test).await;
    other.migrate(&TableNames::default()).await.unwrap();
    assert!(look(&test).await.is_healthy());
    let told = other.hold_file().unwrap_err().to_string();
    assert!(told.contains("serves on it") && told.contains("--state-dir"), "{told}");
    drop(held);
    other.hold_file().unwrap();
}

fn serve(path: &Path, address: SocketAddr) -> Command {
    let url = format!("sqlite://{}?mode=rwc", path.display());
    program::serve(&url, path.parent().unwrap(), address)
}

#[tokio::test]
async fn a_second_gateway_on_a_file_is_refused_until_the_first_has_died() {
    let test = TestDatabase::sqlite().await;
    let address = free_address();
    let first = Group::spawn(serve(&test.path(), address).stderr(Stdio::null()));
    listens(address).await;
    let link = test.path().with_file_name("link.sqlite");
    std::os::unix::fs::symlink(test.path(), &link).unwrap();
    let second = serve(&link, free_address()).output().unwrap();
    let told = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(1), "{told}");
    assert!(told.contains("is taken: process "), "{told}");
    drop(first); // By SIGKILL.
    let address = free_address();
    let _third = Group::spawn(serve(&link, address).stderr(Stdio::null()));
    listens(address).await;
}
