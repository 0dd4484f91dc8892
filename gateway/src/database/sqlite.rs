//! SQLite: one file, one connection, and a look before anything is written.

use std::fs::{self, OpenOptions};
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sea_orm::sqlx::error::DatabaseError;
use sea_orm::sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use sea_orm::sqlx::{self, ConnectOptions, Connection, Error};
use sea_orm::{DatabaseConnection, SqlxSqliteConnector};

use super::DatabaseLimits;
use super::sqlite_file::mark;
use crate::error::StartError;

/// How long a writer waits for another process's writer, such as the sqlite3 shell.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Bytes of the header that say 2 twice for a write-ahead log
/// (<https://sqlite.org/fileformat.html#file_format_version_numbers>).
const WAL_VERSIONS: Range<usize> = 18..20;

/// What to do where there is no file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    Make,
    Refuse,
}

/// The file in the state folder, made when missing.
pub(super) async fn open_embedded(
    path: &Path,
    limits: &DatabaseLimits,
) -> Result<DatabaseConnection, StartError> {
    let options = SqliteConnectOptions::new().filename(path);
    open(options, Missing::Make, "--state-dir", limits).await
}

/// The file that a URL names, made when missing only if the URL says `mode=rwc`.
pub(super) async fn open_url(
    url: &str,
    limits: &DatabaseLimits,
) -> Result<DatabaseConnection, StartError> {
    let options = read(url)?;
    let settings = url.split_once('?').map_or("", |(_, settings)| settings);
    let may_make = form_urlencoded::parse(settings.as_bytes())
        .any(|(key, value)| key == "mode" && value == "rwc");
    let missing = if may_make { Missing::Make } else { Missing::Refuse };
    open(options, missing, "--database-url", limits).await
}

fn read(url: &str) -> Result<SqliteConnectOptions, StartError> {
    url.parse().map_err(|error: Error| StartError::DatabaseUrl { reason: error.to_string() })
}

/// The file in the state folder, for reading alone; also tells where it is.
pub(super) async fn look_at_embedded(
    path: &Path,
    limits: &DatabaseLimits,
) -> Result<(DatabaseConnection, PathBuf), StartError> {
    look(SqliteConnectOptions::new().filename(path), "--state-dir", limits).await
}

/// The file that a URL names, for reading alone; also tells where it is.
pub(super) async fn look_at_url(
    url: &str,
    limits: &DatabaseLimits,
) -> Result<(DatabaseConnection, PathBuf), StartError> {
    look(read(url)?, "--database-url", limits).await
}

/// Makes no file, nor one beside it.
async fn look(
    options: SqliteConnectOptions,
    setting: &'static str,
    limits: &DatabaseLimits,
) -> Result<(DatabaseConnection, PathBuf), StartError> {
    let path = options.get_filename().to_owned();
    let unusable = |reason: String| StartError::DatabaseFile {
        path: path.clone(),
        setting,
        source: reason.into(),
    };
    if !path.exists() {
        return Err(unusable("there is no such file; `serve` makes it".to_owned()));
    }
    let options = options
        .create_if_missing(false)
        .read_only(true)
        .immutable(is_log_at_rest(&path).map_err(|error| unusable(error.to_string()))?)
        .disable_statement_logging()
        .busy_timeout(BUSY_TIMEOUT);
    inspect(options.clone()).await.map_err(|error| unusable(explain(&error)))?;
    let pool = SqlitePoolOptions::new()
        .max_connections(limits.connections)
        .acquire_timeout(limits.acquire_timeout)
        .connect_with(options)
        .await
        .map_err(|error| unusable(explain(&error)))?;
    Ok((SqlxSqliteConnector::from_sqlx_sqlite_pool(pool), path))
}

/// Whether the file has a write-ahead log that nobody has open: even a reader would make its two
/// files then, unless it is told that nothing changes.
fn is_log_at_rest(path: &Path) -> io::Result<bool> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let mut header = Vec::new();
    fs::File::open(path)?.take(WAL_VERSIONS.end as u64).read_to_end(&mut header)?;
    let versions = header.get(WAL_VERSIONS).unwrap_or_default();
    Ok(versions == [2, 2] && !Path::new(&log).exists())
}

async fn open(
    options: SqliteConnectOptions,
    missing: Missing,
    setting: &'static str,
    limits: &DatabaseLimits,
) -> Result<DatabaseConnection, StartError> {
    let path = options.get_filename().to_owned();
    let unusable = |reason: String| StartError::DatabaseFile {
        path: path.clone(),
        setting,
        source: reason.into(),
    };
    if missing == Missing::Make {
        create_private(&path).map_err(|error| unusable(error.to_string()))?;
    } else if !path.exists() {
        return Err(unusable("there is no such file; ?mode=rwc makes it".to_owned()));
    }
    let options =
        options.create_if_missing(false).disable_statement_logging().busy_timeout(BUSY_TIMEOUT);
    inspect(options.clone().read_only(true)).await.map_err(|error| unusable(explain(&error)))?;

    let options =
        options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Normal);
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false) // Nothing between can have broken it.
        .after_connect(|connection, _| Box::pin(mark(connection)))
        .acquire_timeout(limits.acquire_timeout)
        .connect_with(options)
        .await
        .map_err(|error| unusable(explain(&error)))?;
    Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool))
}

/// Sessions are in it: nobody else on the machine may read it, nor what SQLite puts beside it.
fn create_private(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        outcome => outcome.map(drop),
    }
}

/// Reads the whole file as a database before the first write to it, so that a damaged one stays
/// as it is for whoever wants to save it.
async fn inspect(options: SqliteConnectOptions) -> Result<(), Error> {
    let mut connection = options.connect().await?;
    let verdict: String =
        sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&mut connection).await?;
    connection.close().await?;
    if verdict == "ok" { Ok(()) } else { Err(Error::Protocol(verdict)) }
}

/// SQLite's words, without the heading of `quick_check`.
fn explain(error: &Error) -> String {
    let damage = match error {
        Error::Database(error) if is_damage(&**error) => error.message(),
        Error::Database(error) => return error.message().to_owned(),
        Error::Protocol(verdict) => verdict.lines().last().unwrap_or_default(),
        other => return other.to_string(),
    };
    format!(
        "it is damaged and was left as it is: {damage}; put a backup in its place, or move it away \
         to begin with an empty one"
    )
}

/// Whether the code is `SQLITE_CORRUPT` or `SQLITE_NOTADB` (<https://sqlite.org/rescode.html>).
fn is_damage(error: &dyn DatabaseError) -> bool {
    error.code().is_some_and(|code| ["11", "26"].contains(&&*code))
}
