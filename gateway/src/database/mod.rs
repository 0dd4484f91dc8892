//! One pool of connections, on a runtime of its own.

pub(crate) mod columns;
pub(crate) mod dialect;
mod failure;
pub(crate) mod kinds;
pub mod layout;
pub mod listener;
pub(crate) mod locks;
pub mod look;
mod postgres;
mod sqlite;
pub mod sqlite_file;
pub mod stats;
pub mod tables;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nextbnb_migrations::{Applied, TableNames};
use sea_orm::{DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, TransactionTrait};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tracing::Instrument;

pub(crate) use crate::error::root_cause as cause;
pub use failure::DatabaseError;

use self::layout::missing_users_column;
use self::stats::{DatabaseStats, Statements};
use crate::error::StartError;

/// Which database to use, as the settings say.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseTarget {
    /// An SQLite file in the state folder, made when missing.
    Embedded(PathBuf),
    /// What `--database-url` says: `postgres://…`, `postgresql://…` or `sqlite://…`.
    Url(String),
}

impl fmt::Debug for DatabaseTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded(path) => f.debug_tuple("Embedded").field(path).finish(),
            Self::Url(_) => f.write_str("Url(redacted)"),
        }
    }
}

/// Longest wait for work under way when the process ends.
pub(crate) const CLOSE_LIMIT: Duration = Duration::from_secs(1);

/// How long, and how many.
#[derive(Debug, Clone)]
pub struct DatabaseLimits {
    /// Longest wait for the first connection, at start.
    pub connect_timeout: Duration,
    /// Longest wait for a free connection, a new one's making included; then the visitor sees 503.
    pub acquire_timeout: Duration,
    /// Longest time that one piece of work may take, for a server that accepts and then is silent;
    /// the server itself gives up a statement after it, unless it was told another time.
    pub work_timeout: Duration,
    /// Connections to Postgres at most; its own default allows 100 for all replicas together.
    pub connections: u32,
}

impl Default for DatabaseLimits {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            acquire_timeout: Duration::from_secs(3),
            work_timeout: Duration::from_secs(10),
            connections: 10,
        }
    }
}

/// The pool, and the runtime on which everything that uses it runs.
///
/// Workers are single-threaded and die with their requests; what is asked of the database runs to
/// its end elsewhere, though nobody waits for the answer any more.
#[derive(Debug, Clone)]
pub struct Database {
    connection: DatabaseConnection,
    runtime: Handle,
    work_timeout: Duration,
    statements: Statements,
    left: Left,
}

/// Connections that were made before are not used again. Clones are the same.
#[derive(Debug, Clone, Default)]
struct Left(Arc<Mutex<Option<Instant>>>);

impl Left {
    fn leave(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether a connection that was made so long ago is one of them.
    fn concerns(&self, age: Duration) -> bool {
        let left = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        left.is_some_and(|left| left.elapsed() <= age)
    }
}

impl Database {
    /// Opens the database and proves that it answers. Alters nothing in it; see [`Self::migrate`].
    pub async fn connect(
        target: &DatabaseTarget,
        limits: &DatabaseLimits,
        runtime: Handle,
    ) -> Result<Self, StartError> {
        let (target, opening_limits) = (target.clone(), limits.clone());
        let left = Left::default();
        let heeded = left.clone();
        let opening = runtime.spawn(async move { open(&target, &opening_limits, heeded).await });
        let mut connection = opening.await.map_err(|error| StartError::Database {
            server: "as configured".to_owned(),
            source: Box::new(error),
        })??;
        let statements = Statements::default();
        statements.count(&mut connection);
        Ok(Self { connection, runtime, work_timeout: limits.work_timeout, statements, left })
    }

    /// Brings the tables up to date; takes as long as it takes.
    ///
    /// Alters nothing where accounts lack a column: SQLite takes its quoted name for a text, and would
    /// index that.
    pub async fn migrate(&self, tables: &TableNames) -> Result<Applied, StartError> {
        let (connection, tables) = (self.connection.clone(), tables.clone());
        let (looked_at, names) = (connection.clone(), tables.clone());
        let looking = async move { Ok::<_, DbErr>(missing_users_column(&looked_at, &names).await) };
        if let Ok(Some(missing)) = self.run(looking).await {
            return Err(missing);
        }
        let migrating = async move { nextbnb_migrations::migrate(&connection, &tables).await };
        let applied = self.run_long(migrating);
        applied.await.map_err(|error| StartError::Migrate { source: cause(&error).into() })
    }

    /// Closes every connection, when the last work is done or a second has passed.
    ///
    /// Work that waits for somebody else's lock would hold up the end of the process for ever.
    pub async fn close(self) -> Result<(), DbErr> {
        let late = |_| Err(DbErr::Custom("the last work did not end in time".to_owned()));
        timeout(CLOSE_LIMIT, self.connection.close()).await.unwrap_or_else(late)
    }

    /// Has the pool make new connections in place of all that it has: the server's name may lead
    /// elsewhere by now.
    pub(crate) fn leave_connections(&self) {
        self.left.leave();
    }

    /// Which kind it is.
    pub(crate) fn backend(&self) -> DbBackend {
        self.connection.get_database_backend()
    }

    /// What was asked of it, and how many connections there are for that.
    pub fn stats(&self) -> DatabaseStats {
        self.statements.stats(&self.connection)
    }

    /// Whether it answers within `limit`.
    pub async fn ping(&self, limit: Duration) -> Result<(), DbErr> {
        let connection = self.connection.clone();
        let late = move |_| Err(DbErr::Custom(format!("no answer within {limit:?}")));
        self.run_long(async move { timeout(limit, connection.ping()).await.unwrap_or_else(late) })
            .await
    }

    pub(crate) fn connection(&self) -> &DatabaseConnection {
        &self.connection
    }

    /// Begins a transaction that will write.
    ///
    /// On SQLite it has the write lock from its first statement on: one that reads before it
    /// writes would else fail whenever another writer came between, whatever the busy timeout.
    pub(crate) async fn begin_write(&self) -> Result<DatabaseTransaction, DbErr> {
        self.connection.begin_with_options(dialect::writing()).await
    }

    /// Runs `work` on the database's runtime, to its end whether or not the caller waits for it,
    /// and for no longer than the work timeout.
    pub(crate) async fn run<T, E>(
        &self,
        work: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbErr> + Send + 'static,
    {
        let limit = self.work_timeout;
        let late = move |_| Err(E::from(DbErr::Custom(format!("no answer within {limit:?}"))));
        self.run_long(async move { timeout(limit, work).await.unwrap_or_else(late) }).await
    }

    /// As [`Self::run`], for work that no visitor waits for.
    pub(crate) async fn run_long<T, E>(
        &self,
        work: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbErr> + Send + 'static,
    {
        let cut_short = |error| {
            Err(E::from(DbErr::Custom(format!("the work on the database was cut short: {error}"))))
        };
        self.runtime.spawn(work.in_current_span()).await.unwrap_or_else(cut_short)
    }

    /// Starts `work` on the database's runtime; nobody learns how it ended but the log.
    pub(crate) fn start(&self, work: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        self.runtime.spawn(work.in_current_span()).abort_handle()
    }

    /// As [`Self::start`], for work that belongs to no request: the log names none.
    pub(crate) fn start_apart(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(work);
    }
}

async fn open(
    target: &DatabaseTarget,
    limits: &DatabaseLimits,
    left: Left,
) -> Result<DatabaseConnection, StartError> {
    let url = match target {
        DatabaseTarget::Embedded(path) => return sqlite::open_embedded(path, limits).await,
        DatabaseTarget::Url(url) => url,
    };
    match kind_of(url)? {
        DbBackend::Sqlite => sqlite::open_url(url, limits).await,
        _ => postgres::open_to_serve(url, limits, left).await,
    }
}

/// Whether the settings name a Postgres.
pub(crate) fn is_postgres(target: &DatabaseTarget) -> bool {
    match target {
        DatabaseTarget::Embedded(_) => false,
        DatabaseTarget::Url(url) => kind_of(url).is_ok_and(|kind| kind == DbBackend::Postgres),
    }
}

fn kind_of(url: &str) -> Result<DbBackend, StartError> {
    match url.split_once(':') {
        Some(("postgres" | "postgresql", _)) => Ok(DbBackend::Postgres),
        Some(("sqlite", _)) => Ok(DbBackend::Sqlite),
        // Whatever else it is may be a password.
        _ => Err(StartError::DatabaseUrl {
            reason: "it must be postgres://user:password@host/database or sqlite://path?mode=rwc"
                .to_owned(),
        }),
    }
}
