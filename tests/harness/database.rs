//! An empty database for one test.

use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use sea_orm::{ConnectionTrait, Database, DatabaseConnection, Statement};
use tempfile::TempDir;
use tokio::runtime::Builder;

use crate::postgres;

/// A database of its own, with nothing in it, gone when this is dropped.
#[derive(Debug)]
pub struct TestDatabase {
    url: String,
    connection: DatabaseConnection,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Folder(TempDir),
    Server { admin_url: String, name: String },
}

impl TestDatabase {
    /// A new SQLite file.
    pub async fn sqlite() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let path = folder.path().join("nextbnb.sqlite");
        let url = format!("sqlite://{}?mode=rwc", path.display());
        let connection = Database::connect(&url).await.expect("a new SQLite file");
        Self { url, connection, place: Place::Folder(folder) }
    }

    /// A new database on the server that `TEST_DATABASE_URL` names, else on one that this process
    /// starts for all of its tests.
    pub async fn postgres() -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("nextbnb_test_{}_{count}", process::id());
        let admin_url = postgres::server_url().to_owned();
        let create = format!("CREATE DATABASE {name} TEMPLATE template0");
        run_on(&admin_url, &create).await;
        let url = with_database(&admin_url, &name);
        let connection = Database::connect(&url).await.expect("a new database");
        Self { url, connection, place: Place::Server { admin_url, name } }
    }

    /// Where the gateway finds it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether this is Postgres, for what only one of the two can show.
    pub fn is_postgres(&self) -> bool {
        matches!(self.place, Place::Server { .. })
    }

    /// What no other database of the tests' server is called.
    pub fn name(&self) -> &str {
        match &self.place {
            Place::Folder(_) => "main",
            Place::Server { name, .. } => name,
        }
    }

    /// The file, on SQLite.
    pub fn path(&self) -> PathBuf {
        match &self.place {
            Place::Folder(folder) => folder.path().join("nextbnb.sqlite"),
            Place::Server { name, .. } => panic!("{name} is no file"),
        }
    }

    /// A connection beside the gateway's, such as Express or a shell would have.
    pub fn connection(&self) -> &DatabaseConnection {
        &self.connection
    }

    /// Runs statements that answer nothing.
    pub async fn run(&self, statements: &str) {
        self.connection.execute_unprepared(statements).await.expect(statements);
    }

    /// The first column of every row, as text.
    pub async fn texts(&self, query: &str) -> Vec<String> {
        let statement = Statement::from_string(self.connection.get_database_backend(), query);
        let rows = self.connection.query_all_raw(statement).await.expect(query);
        rows.iter().map(|row| row.try_get_by_index(0).expect("a text")).collect()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Place::Server { admin_url, name } = &self.place else { return };
        let drop = format!("DROP DATABASE {name} WITH (FORCE)");
        // On a thread of its own: the test's runtime cannot wait for itself.
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let runtime =
                    Builder::new_current_thread().enable_all().build().expect("a runtime");
                runtime.block_on(run_on(admin_url, &drop));
            });
        });
    }
}

async fn run_on(url: &str, statement: &str) {
    let connection = Database::connect(url).await.expect("the Postgres of the tests");
    connection.execute_unprepared(statement).await.expect(statement);
    connection.close().await.expect("a closed connection");
}

/// The same server and settings, another database.
fn with_database(url: &str, name: &str) -> String {
    let (place, settings) = url.split_once('?').unwrap_or((url, ""));
    let (server, _) = place.rsplit_once('/').expect("a URL that names a database");
    format!("{server}/{name}?{settings}")
}
