//! What differs between Postgres and SQLite once a connection stands.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use sea_orm::sea_query::{
    Alias, Expr, Func, IntoIden, LockBehavior, LockType, SelectStatement, SimpleExpr,
};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, SqliteTransactionMode, Statement,
    TransactionOptions,
};

/// Locks that replicas share on Postgres.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lock {
    /// One replica sweeps at a time: `nbsw` in bytes.
    Sweep = 0x6e62_7377,
}

/// A transaction that takes the write lock at once, where there is one to take.
pub(crate) fn writing() -> TransactionOptions {
    TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    }
}

/// Longest wait for somebody else's lock with a connection in hand, as Postgres writes it: whoever
/// wants the lock longer asks again, and lets others use the connection meanwhile.
const LOCK_TIMEOUT: &str = "20ms";

/// A condition that holds and has this statement, and the transaction after it, wait for a row's lock
/// for 20 ms only; `None` on SQLite, where nobody locks a row.
///
/// It is looked at before any row is locked, since none is before the conditions are. Not a setting
/// of the connection, which a pooler would lend to others next.
pub(crate) fn waits_briefly(backend: DbBackend) -> Option<SimpleExpr> {
    let condition =
        format!("(SELECT set_config('lock_timeout', '{LOCK_TIMEOUT}', true)) IS NOT NULL");
    (backend == DbBackend::Postgres).then(|| Expr::cust(condition))
}

/// A point in time in a form that compares rightly.
///
/// SQLite compares times as text, where Sequelize's `2026-12-23 09:15` sorts before our
/// `2026-12-23T00:00`; as Julian days both are numbers, exact to the millisecond.
pub(crate) fn moment(backend: DbBackend, time: impl Into<SimpleExpr>) -> SimpleExpr {
    match backend {
        DbBackend::Sqlite => Func::cust(Alias::new("julianday")).arg(time).into(),
        _ => time.into(),
    }
}

/// What [`within_calendar`] makes of all that lies beyond.
pub(crate) fn last_day() -> DateTime<Utc> {
    NaiveDate::from_ymd_opt(9999, 12, 31).unwrap_or_default().and_time(NaiveTime::MIN).and_utc()
}

/// A column of times with those that lie before 1970 or after 9999 moved to these ends, and NULL
/// to the last day: sqlx panics at `infinity` and in the year 294276, which Postgres knows.
pub(crate) fn within_calendar(backend: DbBackend, column: impl IntoIden) -> SimpleExpr {
    let column = Expr::col(column);
    match backend {
        DbBackend::Postgres => {
            let ends = [column, Expr::val(last_day()), Expr::val(DateTime::<Utc>::UNIX_EPOCH)];
            Expr::cust_with_exprs("greatest(least($1, $2), $3)", ends)
        }
        _ => column,
    }
}

/// Locks the rows that `select` finds for a writer, and passes over those that somebody else has
/// locked. On SQLite whoever writes is alone.
pub(crate) fn lock_those_free(backend: DbBackend, select: &mut SelectStatement) {
    if backend == DbBackend::Postgres {
        select.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    }
}

/// Whether a column of texts holds one; `None` on Postgres, where it holds nothing else.
pub(crate) fn is_text(backend: DbBackend, column: impl IntoIden) -> Option<SimpleExpr> {
    (backend == DbBackend::Sqlite)
        .then(|| Expr::cust_with_expr("typeof(?) = 'text'", Expr::col(column)))
}

/// Text with `A` to `Z` made small and every other letter left alone, as the index has it.
pub(crate) fn ascii_lower(backend: DbBackend, column: impl IntoIden) -> SimpleExpr {
    match backend {
        DbBackend::Sqlite => Func::lower(Expr::col(column)).into(),
        _ => Expr::cust_with_expr(r#"lower($1 COLLATE "C")"#, Expr::col(column)),
    }
}

/// Holds back every transaction that wants the same name until this one ends; where another has it
/// for longer than is waited with a connection in hand, that is an error (see [`waits_briefly`]).
///
/// A writing transaction on SQLite is alone anyway.
pub(crate) async fn lock_name(transaction: &DatabaseTransaction, name: &str) -> Result<(), DbErr> {
    let backend = transaction.get_database_backend();
    if backend == DbBackend::Postgres {
        let query = "SELECT set_config('lock_timeout', $2, true), \
                     pg_advisory_xact_lock(hashtextextended($1, 0))";
        let values = [name.into(), LOCK_TIMEOUT.into()];
        transaction.query_one_raw(Statement::from_sql_and_values(backend, query, values)).await?;
    }
    Ok(())
}

/// Takes `lock` until the transaction ends, unless another replica has it; none of its statements
/// takes longer than `limit`.
pub(crate) async fn try_lock(
    transaction: &DatabaseTransaction,
    lock: Lock,
    limit: Duration,
) -> Result<bool, DbErr> {
    let backend = transaction.get_database_backend();
    if backend != DbBackend::Postgres {
        return Ok(true);
    }
    let query = "SELECT pg_try_advisory_xact_lock($1) AS taken, \
                 set_config('statement_timeout', $2, true)";
    let values = [(lock as i64).into(), limit.as_millis().to_string().into()];
    let statement = Statement::from_sql_and_values(backend, query, values);
    match transaction.query_one_raw(statement).await? {
        Some(row) => row.try_get("", "taken"),
        None => Ok(false),
    }
}
