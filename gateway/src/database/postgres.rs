//! Postgres: a pool whose first connection tells what is wrong.

use std::io;
use std::time::Duration;

use sea_orm::sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sea_orm::sqlx::{self, AssertSqlSafe, ConnectOptions, Connection, Error, Row};
use sea_orm::{DatabaseConnection, SqlxPostgresConnector};
use tokio::time::timeout;
use tracing::info;

use super::{DatabaseLimits, Left};
use crate::error::StartError;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Longest wait for the end of a statement that nobody waits for any more; then its connection is
/// closed, and makes room for another.
const RELEASE_LIMIT: Duration = Duration::from_secs(1);

/// Longest life of a connection: without a feed nobody tells that the server's name leads elsewhere.
const LIFETIME: Duration = Duration::from_mins(5);

/// What a server is told about each connection, unless somebody has told it already: how long a
/// statement may take, and how long a transaction may be left alone, as by a gateway whose machine is
/// gone, with the locks that it has.
const SERVER_LIMITS: [&str; 2] = ["statement_timeout", "idle_in_transaction_session_timeout"];

/// For looking, as long as that takes. TLS as the URL's `sslmode` says; without one it is used where
/// the server offers it.
pub(super) async fn open(
    url: &str,
    limits: &DatabaseLimits,
) -> Result<DatabaseConnection, StartError> {
    Ok(pool(proved(url, limits).await?, limits, Left::default()))
}

/// As [`open`], with a limit to what the server does for one statement: it would go on with one that
/// the gateway has given up.
pub(super) async fn open_to_serve(
    url: &str,
    limits: &DatabaseLimits,
    left: Left,
) -> Result<DatabaseConnection, StartError> {
    let options = proved(url, limits).await?;
    let limited = options.clone().options(unlimited(&options, limits).await);
    // A pooler refuses what it does not know.
    let is_taken = prove(&limited, limits).await.is_ok();
    Ok(pool(if is_taken { limited } else { options }, limits, left))
}

async fn proved(url: &str, limits: &DatabaseLimits) -> Result<PgConnectOptions, StartError> {
    let options = options(url)?;
    let server = describe(&options);
    // Before the first wait, and since DATABASE_URL may be meant for another program.
    info!("the database is {server}");
    prove(&options, limits).await.map_err(|source| StartError::Database { server, source })?;
    Ok(options)
}

fn pool(options: PgConnectOptions, limits: &DatabaseLimits, left: Left) -> DatabaseConnection {
    let pool = PgPoolOptions::new()
        .max_connections(limits.connections)
        .acquire_timeout(limits.acquire_timeout)
        .max_lifetime(LIFETIME)
        .before_acquire(move |_, meta| {
            let is_left = left.concerns(meta.age);
            Box::pin(async move { Ok(!is_left) })
        })
        // The pool itself would wait for ever, with the connection's place taken.
        .after_release(|connection, _| {
            Box::pin(async move {
                let late = |_| Err(Error::Io(io::ErrorKind::TimedOut.into()));
                timeout(RELEASE_LIMIT, connection.flush()).await.unwrap_or_else(late)?;
                Ok(true)
            })
        })
        .connect_lazy_with(options);
    SqlxPostgresConnector::from_sqlx_postgres_pool(pool)
}

/// The limits that nobody has set, as the server is to be told; none where it does not say.
async fn unlimited(
    options: &PgConnectOptions,
    limits: &DatabaseLimits,
) -> Vec<(&'static str, u128)> {
    let asking = async {
        let mut connection = options.connect().await?;
        let [statement, idle] = SERVER_LIMITS.map(|name| format!("current_setting('{name}')"));
        let query = AssertSqlSafe(format!("SELECT {statement} AS \"0\", {idle} AS \"1\""));
        let row = sqlx::raw_sql(query).fetch_one(&mut connection).await?;
        connection.close().await?;
        let set = [row.try_get::<String, _>(0)?, row.try_get::<String, _>(1)?];
        Ok::<_, Error>(set)
    };
    let Ok(Ok(set)) = timeout(limits.connect_timeout, asking).await else { return Vec::new() };
    let is_unset = |(name, value): (&'static str, String)| (value == "0").then_some(name);
    let names = SERVER_LIMITS.into_iter().zip(set).filter_map(is_unset);
    names.map(|name| (name, limits.work_timeout.as_millis())).collect()
}

/// See [`describe`].
pub(super) fn place_of(url: &str) -> Result<String, StartError> {
    Ok(describe(&options(url)?))
}

/// What `url` says, and how the gateway connects.
pub(super) fn options(url: &str) -> Result<PgConnectOptions, StartError> {
    let options: PgConnectOptions = url
        .parse()
        .map_err(|error: Error| StartError::DatabaseUrl { reason: cause(error).to_string() })?;
    Ok(options
        .application_name("nextbnb-gateway")
        .extra_float_digits(None) // PgBouncer refuses it unless told not to; no column is a float.
        .disable_statement_logging())
}

/// Connects once by hand: the pool would try again until its time is up and forget why.
pub(super) async fn prove(
    options: &PgConnectOptions,
    limits: &DatabaseLimits,
) -> Result<(), Cause> {
    let late = |_| {
        let text = format!("no answer within {:?}", limits.connect_timeout);
        Err(Error::Io(io::Error::new(io::ErrorKind::TimedOut, text)))
    };
    let connecting = timeout(limits.connect_timeout, options.connect());
    let connection = connecting.await.unwrap_or_else(late).map_err(cause)?;
    connection.close().await.map_err(cause)
}

/// Where and as whom, without the password.
pub(super) fn describe(options: &PgConnectOptions) -> String {
    let host = options
        .get_socket()
        .map_or_else(|| options.get_host().to_owned(), |socket| socket.display().to_string());
    let database = options.get_database().unwrap_or(options.get_username());
    format!("postgres://{}@{host}:{}/{database}", options.get_username(), options.get_port())
}

/// The level of the error that says something.
pub(super) fn cause(error: Error) -> Cause {
    match error {
        Error::Io(error) => Box::new(error),
        Error::Database(error) => error.message().into(),
        Error::Configuration(error) | Error::Tls(error) => error,
        other => Box::new(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_described_without_its_password() {
        let options: PgConnectOptions =
            "postgres://ada:hunter2@db.example:6543/nextbnb".parse().unwrap();
        assert_eq!(describe(&options), "postgres://ada@db.example:6543/nextbnb");
    }
}
