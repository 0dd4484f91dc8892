//! Which database answers, how fast, and whether something stands between.

use std::time::Instant;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

use super::Finding;
use crate::database::look::Look;
use crate::database::{DatabaseLimits, DatabaseTarget, cause};
use crate::error::chain;

/// Opens the database and asks what it is.
pub(super) async fn open(target: &DatabaseTarget) -> Result<(Look, Finding), Finding> {
    let failed = |what: String| {
        Finding::problem("database", what)
            .why("without it nobody can sign in, and cookies get 503")
            .cure("mend what the message names, or give another --database-url")
    };
    let began = Instant::now();
    let look = Look::open(target, &DatabaseLimits::default())
        .await
        .map_err(|error| failed(chain(&error)))?;
    let version = version(&look).await.map_err(|error| failed(cause(&error)))?;
    let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let what = format!("{version} at {}, opened in {milliseconds} ms", look.place());
    let finding = Finding::ok("database", what)
        .fact("place", look.place())
        .fact("version", version)
        .fact("opened_milliseconds", milliseconds);
    Ok((look, finding))
}

async fn version(look: &Look) -> Result<String, DbErr> {
    let transaction = look.begin().await?;
    let query = match look.backend() {
        DbBackend::Postgres => "SELECT 'PostgreSQL ' || current_setting('server_version') AS v",
        _ => "SELECT 'SQLite ' || sqlite_version() AS v",
    };
    let row = transaction.query_one_raw(Statement::from_string(look.backend(), query)).await?;
    row.map_or(Ok(String::new()), |row| row.try_get("", "v"))
}

/// Whether two connections of ours are served by one process of the server, which only a pooler
/// makes of them.
///
/// Ours are both open, and idle in turns: whoever lends a process for a transaction at a time has
/// the first one's to give to the second, as `PgBouncer` does unless others ask at that moment.
pub(super) async fn pooler(look: &Look, target: &DatabaseTarget) -> Result<Vec<Finding>, DbErr> {
    if look.backend() != DbBackend::Postgres {
        return Ok(Vec::new());
    }
    let opening = Look::open(target, &DatabaseLimits::default()).await;
    let other = opening.map_err(|error| DbErr::Custom(chain(&error)))?;
    let processes = [process(look).await?, process(&other).await?];
    other.close().await?;
    Ok(vec![judge(processes)])
}

fn judge([one, other]: [i32; 2]) -> Finding {
    if one != other {
        return Finding::ok("pooler", "each connection keeps its own process of the server")
            .fact("shares_processes", false);
    }
    Finding::warning("pooler", "a pooler lends processes of the server for a transaction each")
        .why(
            "LISTEN, SET and prepared statements do not outlast a transaction there; the gateway \
             needs the last, which PgBouncer keeps since 1.21 (`max_prepared_statements`)",
        )
        .cure("give --database-url the server itself, or set max_prepared_statements above 0")
        .fact("shares_processes", true)
}

async fn process(look: &Look) -> Result<i32, DbErr> {
    let transaction = look.begin().await?;
    let query = "SELECT pg_backend_pid() AS process";
    let statement = Statement::from_string(DbBackend::Postgres, query);
    let row = transaction.query_one_raw(statement).await?;
    transaction.rollback().await?;
    row.map_or(Ok(0), |row| row.try_get("", "process"))
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    #[test]
    fn two_connections_in_one_process_have_a_pooler_between() {
        assert_eq!(judge([7, 7]).level, Level::Warning);
        assert_eq!(judge([7, 8]).level, Level::Ok);
    }
}
