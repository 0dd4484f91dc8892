//! Postgres: a pool whose first connection tells what is wrong.

use std::io;

use sea_orm::sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sea_orm::sqlx::{ConnectOptions, Connection, Error};
use sea_orm::{DatabaseConnection, SqlxPostgresConnector};
use tokio::time::timeout;
use tracing::info;

use super::DatabaseLimits;
use crate::error::StartError;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// TLS as the URL's `sslmode` says; without one it is used where the server offers it.
pub(super) async fn open(
    url: &str,
    limits: &DatabaseLimits,
) -> Result<DatabaseConnection, StartError> {
    let options = options(url)?;
    let server = describe(&options);
    // Before the first wait, and since DATABASE_URL may be meant for another program.
    info!("the database is {server}");
    prove(&options, limits).await.map_err(|source| StartError::Database { server, source })?;

    let pool = PgPoolOptions::new()
        .max_connections(limits.connections)
        .acquire_timeout(limits.acquire_timeout)
        .connect_lazy_with(options);
    Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(pool))
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
