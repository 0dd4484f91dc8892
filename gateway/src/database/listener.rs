//! The one connection on which Postgres tells of changes.

use std::fmt;
use std::time::Duration;

use nextbnb_migrations::{TableNames, session_triggers, user_triggers};
use sea_orm::sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions, PgRow};
use sea_orm::sqlx::{self, AssertSqlSafe, Row};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, TransactionTrait};
use tokio::time::timeout;

use super::{Database, DatabaseLimits, cause, kind_of, postgres};
use crate::error::StartError;

/// The way to a Postgres around its pooler (`--database-direct-url`).
#[derive(Clone)]
pub struct DirectUrl(Box<PgConnectOptions>);

impl DirectUrl {
    /// Fails with [`StartError::DatabaseDirectUrl`] where it does not lead to a Postgres.
    pub fn parse(url: &str) -> Result<Self, StartError> {
        let refused = |reason: &str| StartError::DatabaseDirectUrl { reason: reason.to_owned() };
        match kind_of(url).and_then(|kind| Ok((kind, postgres::options(url)?))) {
            Ok((DbBackend::Postgres, options)) => Ok(Self(Box::new(options))),
            Err(StartError::DatabaseUrl { reason }) if url.starts_with("postgres") => {
                Err(refused(&reason))
            }
            _ => Err(refused("it must be postgres://user:password@host/database")),
        }
    }

    /// Where it leads and as whom, without the password.
    pub fn place(&self) -> String {
        postgres::describe(&self.0)
    }
}

impl fmt::Debug for DirectUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DirectUrl(redacted)")
    }
}

/// The numbers of both tables in the database (`pg_class.oid`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TableNumbers {
    pub(crate) sessions: u32,
    pub(crate) users: u32,
}

/// What was told, and on which channel.
#[derive(Debug)]
pub(crate) struct Notice {
    pub(crate) channel: String,
    pub(crate) payload: String,
}

/// What a look at the server and its triggers showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Look {
    /// Whether it takes no writes: then somebody else may take them by now.
    pub(crate) is_read_only: bool,
    /// Whether all triggers that should be there are, and fire.
    pub(crate) are_whole: bool,
    /// Another than before when one was dropped and made, or disabled and enabled, in between.
    pub(crate) mark: String,
}

/// Asks which process of the server it is that answers.
const PROCESS: &str = "SELECT pg_backend_pid()";

/// A connection that listens. Whatever goes wrong, it is of no more use.
pub(crate) struct Listener(PgListener);

impl Listener {
    /// Connects, directly where there is a way, with no statement prepared: a pooler between is
    /// told apart by what it does not tell, and not by its trouble with those.
    pub(crate) async fn open(
        database: &Database,
        direct: Option<&DirectUrl>,
        limits: &DatabaseLimits,
    ) -> Result<Self, Lost> {
        let options = if let Some(DirectUrl(options)) = direct {
            (**options).clone()
        } else {
            let pool = database.connection().get_postgres_connection_pool();
            (*pool.connect_options()).clone()
        };
        let options = options.application_name("nextbnb-gateway feed");
        postgres::prove(&options, limits).await.map_err(|cause| Lost(cause.to_string()))?;
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .max_lifetime(None)
            .idle_timeout(None)
            .acquire_timeout(limits.connect_timeout)
            .connect_lazy_with(options);
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.eager_reconnect(false);
        Ok(Self(listener))
    }

    /// Listens to `channel` from now on.
    pub(crate) async fn listen(&mut self, channel: &str, limit: Duration) -> Result<(), Lost> {
        Ok(timeout(limit, self.0.listen(channel)).await.map_err(|_| Lost::late(limit))??)
    }

    /// Whether a pooler lends this connection and the pool's the same processes of the server, each
    /// for a transaction; a busy one may go unnoticed. To listen at such a one would leave a process
    /// that listens to whoever is lent it next, and the driver takes a notice that it did not ask
    /// for as an error.
    pub(crate) async fn is_lent(&mut self, database: &Database) -> Result<bool, Lost> {
        let own = self.process().await?;
        let failed = |error: DbErr| Lost(cause(&error));
        let other = database.connection().begin().await.map_err(failed)?;
        let statement = Statement::from_string(DbBackend::Postgres, PROCESS);
        let row = other.query_one_raw(statement).await.map_err(failed)?;
        let theirs = row.map(|row| row.try_get_by_index(0)).transpose().map_err(failed)?;
        // Meanwhile the other keeps what it was lent.
        let again = self.process().await?;
        other.rollback().await.map_err(failed)?;
        Ok(theirs == Some(own) || again != own)
    }

    async fn process(&mut self) -> Result<i32, Lost> {
        Ok(sqlx::raw_sql(PROCESS).fetch_one(&mut self.0).await?.try_get(0)?)
    }

    /// The next notice.
    pub(crate) async fn next(&mut self) -> Result<Notice, Lost> {
        let told = self.0.try_recv().await?;
        let told = told.ok_or_else(|| Lost("the server closed the connection".to_owned()))?;
        Ok(Notice { channel: told.channel().to_owned(), payload: told.payload().to_owned() })
    }

    /// Sends itself `token`, which is heard after all that was committed before, and looks at the
    /// triggers.
    pub(crate) async fn prove(
        &mut self,
        (channel, token): (&str, &str),
        tables: TableNumbers,
        names: &TableNames,
        limit: Duration,
    ) -> Result<Look, Lost> {
        let query = sqlx::raw_sql(AssertSqlSafe(proof(channel, token, tables, names)));
        let asking = timeout(limit, query.fetch_one(&mut self.0));
        let row: PgRow = asking.await.map_err(|_| Lost::late(limit))??;
        let (is_read_only, mark) = (row.try_get("is_read_only")?, row.try_get("mark")?);
        Ok(Look { is_read_only, are_whole: row.try_get("are_whole")?, mark })
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listener")
    }
}

/// Why a connection tells nothing any more, in the words of the system or the server.
#[derive(Debug)]
pub(crate) struct Lost(pub(crate) String);

impl Lost {
    pub(crate) fn late(limit: Duration) -> Self {
        Self(format!("no answer within {limit:?}"))
    }
}

impl From<sqlx::Error> for Lost {
    fn from(error: sqlx::Error) -> Self {
        Self(postgres::cause(error).to_string())
    }
}

impl Database {
    /// Has another connection than the one that listens, one of the pool, send it `token`, and tells
    /// which tables the pool knows by these names; `None` where one is not there.
    pub(crate) async fn send_token(
        &self,
        (channel, token): (&str, &str),
        names: &TableNames,
    ) -> Result<Option<TableNumbers>, DbErr> {
        let query = r#"SELECT to_regclass(quote_ident($1::text))::oid::bigint AS "sessions",
            to_regclass(quote_ident($2::text))::oid::bigint AS "users",
            pg_notify($3::text, $4::text)::text AS "told""#;
        let values = [&names.sessions, &names.users, channel, token].map(Into::into);
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, query, values);
        let connection = self.connection().clone();
        let row = self.run(async move { connection.query_one_raw(statement).await }).await?;
        let Some(row) = row else { return Ok(None) };
        let number = |column| {
            let number: Option<i64> = row.try_get("", column)?;
            Ok::<_, DbErr>(number.and_then(|number| u32::try_from(number).ok()))
        };
        let (sessions, users) = (number("sessions")?, number("users")?);
        Ok(sessions.zip(users).map(|(sessions, users)| TableNumbers { sessions, users }))
    }
}

/// One statement: a triggers' look costs nothing beside the way there and back.
fn proof(channel: &str, token: &str, tables: TableNumbers, names: &TableNames) -> String {
    let (sessions, users) = (session_triggers(names), user_triggers(names));
    let wanted = sessions.len() + users.len();
    let of_table = |number: u32, name: &str, triggers: Vec<nextbnb_migrations::Trigger>| {
        let triggers: Vec<_> = triggers.iter().map(|trigger| literal(&trigger.name)).collect();
        let (name, triggers) = (literal(name), triggers.join(", "));
        format!("c.oid = {number} AND c.relname = {name} AND t.tgname IN ({triggers})")
    };
    let sessions = of_table(tables.sessions, &names.sessions, sessions);
    let users = of_table(tables.users, &names.users, users);
    format!(
        r#"SELECT pg_notify({channel}, {token}), count(*) = {wanted} AS "are_whole",
            current_setting('transaction_read_only') = 'on' AS "is_read_only",
            coalesce(string_agg(t.oid || '/' || t.xmin, ' ' ORDER BY t.oid), '') AS "mark"
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE t.tgenabled IN ('O', 'A') AND ({sessions} OR {users})"#,
        channel = literal(channel),
        token = literal(token),
    )
}

/// As a text in SQL.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
