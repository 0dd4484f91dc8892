//! Start-up on databases that cannot be used.

use std::error::Error;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use nextbnb_gateway::database::{Database, DatabaseLimits, DatabaseTarget};
use nextbnb_tests::database::TestDatabase;
use tempfile::TempDir;
use tokio::runtime::Handle;

async fn open(target: &DatabaseTarget) -> Result<Database, String> {
    let opened = Database::connect(target, &DatabaseLimits::default(), Handle::current()).await;
    opened.map_err(|error| {
        let mut told = error.to_string();
        let mut cause = error.source();
        while let Some(deeper) = cause {
            told = format!("{told}: {deeper}");
            cause = deeper.source();
        }
        told
    })
}

async fn check_url(url: &str, told: &[&str]) {
    let error = open(&DatabaseTarget::Url(url.to_owned())).await.unwrap_err();
    for part in told {
        assert!(error.contains(part), "{error:?} lacks {part:?}");
    }
    assert!(!error.contains("hunter2"), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[tokio::test]
async fn a_url_that_cannot_be_used_is_told_without_its_password() {
    check_url("mysql://ada:hunter2@db/x", &["--database-url", "must be postgres://"]).await;
    check_url("hunter2", &["--database-url", "must be postgres://"]).await;
    check_url("hunter2://x", &["--database-url", "must be postgres://"]).await;
    check_url("postgres://ada:hunter2@db:99999/x", &["--database-url"]).await;
    check_url("postgres://ada:hunter2@[db/x", &["--database-url"]).await;
    check_url("postgres://ada:hunter2@db/x?sslmode=maybe", &["--database-url"]).await;
    check_url("sqlite://x?mode=hunter", &["--database-url"]).await;
}

#[tokio::test]
async fn an_unreachable_server_is_named() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let url = format!("postgresql://ada:hunter2@127.0.0.1:{port}/x");
    let server = format!("postgres://ada@127.0.0.1:{port}/x (--database-url, DATABASE_URL)");
    check_url(&url, &[&server, "refused"]).await;
}

#[tokio::test]
async fn a_silent_server_is_given_up() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let target = DatabaseTarget::Url(format!("postgres://ada:hunter2@127.0.0.1:{port}/x"));
    let limits = DatabaseLimits {
        connect_timeout: std::time::Duration::from_millis(50),
        ..DatabaseLimits::default()
    };
    let error = Database::connect(&target, &limits, Handle::current()).await.unwrap_err();
    assert!(error.source().unwrap().to_string().contains("no answer within 50ms"));
}

#[tokio::test]
async fn a_missing_database_or_role_is_named() {
    let test = TestDatabase::postgres().await;
    let (server, settings) = test.url().split_once('?').unwrap();
    let (server, _) = server.rsplit_once('/').unwrap();
    check_url(&format!("{server}/nowhere?{settings}"), &["\"nowhere\" does not exist"]).await;
    let (_, place) = test.url().split_once('@').unwrap();
    let stranger = format!("postgres://stranger:hunter2@{place}");
    check_url(&stranger, &["stranger", "--database-url"]).await;
}

/// Opens what is no database and sees it unaltered.
async fn check_file(content: &[u8]) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("nextbnb.sqlite");
    fs::write(&path, content).unwrap();
    let name = path.display().to_string();
    let error = open(&DatabaseTarget::Embedded(path.clone())).await.unwrap_err();
    assert!(error.contains(&name) && error.contains("--state-dir"), "{error}");
    check_url(&format!("sqlite://{name}"), &[&name, "--database-url"]).await;
    assert_eq!(fs::read(&path).unwrap(), content);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing beside it");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_left_as_it_is() {
    check_file(b"Dear diary, ...".repeat(100).as_slice()).await;
}

#[tokio::test]
async fn a_damaged_file_is_left_as_it_is() {
    let test = TestDatabase::sqlite().await;
    nextbnb_migrations::migrate(test.connection(), &nextbnb_migrations::TableNames::default())
        .await
        .unwrap();
    let mut content = fs::read(test.path()).unwrap();
    assert!(content.len() > 8192, "the tables are on pages of their own");
    content[4096..8192].fill(0xff);
    check_file(&content).await;
    check_file(&content[..4096 + 100]).await;
}

#[tokio::test]
async fn an_embedded_file_is_made_for_nobody_else_to_read() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("next bnb?%41.sqlite");
    let database = open(&DatabaseTarget::Embedded(path.clone())).await.unwrap();
    database.migrate(&nextbnb_migrations::TableNames::default()).await.unwrap();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
    }
    assert!(path.exists());
}

#[tokio::test]
async fn a_url_makes_a_file_only_where_it_says_so() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.sqlite");
    check_url(&format!("sqlite://{}", path.display()), &["no such file", "mode=rwc"]).await;
    assert!(!path.exists());
    let target = DatabaseTarget::Url(format!("sqlite://{}?mode=rwc", path.display()));
    open(&target).await.unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}
