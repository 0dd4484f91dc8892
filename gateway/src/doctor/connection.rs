//! Which database answers, how fast, and whether something stands between.

use std::error::Error;
use std::time::Instant;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement};

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
    let version = version(&look).await.map_err(|error| unread("database", &error))?;
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

/// Whether a connection of ours is served by more than one process of the server, or two by one,
/// which only a pooler makes of them.
///
/// Both hold one at a time, and give it back in turn. A pooler that lends them for a transaction has
/// two free then: the first connection gets the other's now if the last to come back is lent first,
/// and at its second question if the first is.
pub(super) async fn pooler(look: &Look, target: &DatabaseTarget) -> Result<Vec<Finding>, DbErr> {
    if look.backend() != DbBackend::Postgres {
        return Ok(Vec::new());
    }
    let opening = Look::open(target, &DatabaseLimits::default()).await;
    let other = opening.map_err(|error| DbErr::Custom(chain(&error)))?;
    let [first, second] = [look.begin().await?, other.begin().await?];
    let mut ours = vec![process(&first).await?];
    let mut others = vec![process(&second).await?];
    first.rollback().await?;
    second.rollback().await?;
    for (look, processes) in [(look, &mut ours), (&other, &mut others)] {
        for _ in 0..2 {
            let transaction = look.begin().await?;
            processes.push(process(&transaction).await?);
            transaction.rollback().await?;
        }
    }
    other.close().await?;
    Ok(vec![judge(&ours, &others)])
}

/// What could not be asked, and why.
///
/// A statement that was prepared and is not there, or is there before it is prepared, shows a pooler
/// that lends processes and does not keep track of what each connection prepared.
pub(super) fn unread(id: &'static str, error: &(dyn Error + 'static)) -> Finding {
    let cause = cause(error);
    let finding = Finding::problem(id, format!("cannot be looked at: {cause}"));
    if cause.contains("prepared statement") {
        finding.why(LENT).cure(DIRECT)
    } else {
        finding.why("the gateway would meet the same error")
    }
}

/// As measured with `PgBouncer` 1.18 in its transaction mode.
const LENT: &str = "LISTEN, SET and prepared statements do not outlast a transaction at such a \
    pooler, and the gateway prepares statements, which PgBouncer keeps from 1.21 on";

const DIRECT: &str = "give --database-url the server itself, or set PgBouncer's \
    max_prepared_statements above 0, or its pool_mode to session; the change feed needs the server \
    itself, by --database-direct-url";

/// `ours` and `others` are the processes that have served each of two connections.
fn judge(ours: &[i32], others: &[i32]) -> Finding {
    let are_kept = |processes: &[i32]| processes.windows(2).all(|pair| pair.first() == pair.last());
    if are_kept(ours) && are_kept(others) && ours.first() != others.first() {
        return Finding::ok("pooler", "each connection keeps its own process of the server")
            .fact("shares_processes", false);
    }
    Finding::warning("pooler", "a pooler lends processes of the server for a transaction each")
        .why(LENT)
        .cure(DIRECT)
        .fact("shares_processes", true)
}

async fn process(transaction: &DatabaseTransaction) -> Result<i32, DbErr> {
    let query = "SELECT pg_backend_pid() AS process";
    let statement = Statement::from_string(DbBackend::Postgres, query);
    let row = transaction.query_one_raw(statement).await?;
    row.map_or(Ok(0), |row| row.try_get("", "process"))
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    #[test]
    fn connections_that_share_a_process_have_a_pooler_between() {
        assert_eq!(judge(&[7, 7, 7], &[8, 8, 8]).level, Level::Ok);
        assert_eq!(judge(&[7, 7, 7], &[7, 7, 7]).level, Level::Warning);
        assert_eq!(judge(&[7, 8, 8], &[8, 8, 8]).level, Level::Warning);
        assert_eq!(judge(&[7, 7, 7], &[8, 8, 7]).level, Level::Warning);
    }

    #[test]
    fn a_pooler_that_forgets_statements_is_known_by_the_servers_words() {
        let unread = |words: &str| unread("sessions", &DbErr::Custom(words.to_owned()));
        for words in [
            r#"prepared statement "sqlx_s_1" already exists"#,
            r#"prepared statement "sqlx_s_1" does not exist"#,
        ] {
            assert!(unread(words).cure.unwrap().contains("max_prepared_statements"));
        }
        assert_eq!(unread("permission denied").cure, None);
    }
}
