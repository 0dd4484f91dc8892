//! What went wrong with the database: nobody there, or a statement that it would not have.

use sea_orm::sqlx;
use sea_orm::sqlx::error::DatabaseError as ServerError;
use sea_orm::{DbErr, RuntimeErr};

/// Why the database did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DatabaseError {
    /// Nobody answered, or nobody who could do it now: later it may work.
    #[error("the database does not answer")]
    Unavailable(#[source] DbErr),
    /// It answered, and will answer so again until somebody changes the table or a row.
    #[error("the database refused a statement about {}", named(table.as_deref()))]
    Refused {
        /// The table, where one is known.
        table: Option<String>,
        /// What the server said.
        source: DbErr,
    },
}

impl DatabaseError {
    /// What went wrong in a statement about `table`.
    pub(crate) fn about(table: &str, error: DbErr) -> Self {
        match Self::from(error) {
            Self::Refused { table: None, source } => {
                Self::Refused { table: Some(table.to_owned()), source }
            }
            other => other,
        }
    }

    /// Whether another transaction was in the way, so that nothing of this one was done: a lock that
    /// was not had in time, or two that waited for each other.
    pub(super) fn is_of_lock(&self) -> bool {
        let (Self::Unavailable(source) | Self::Refused { source, .. }) = self;
        let code = server_error(source).and_then(ServerError::code);
        code.is_some_and(|code| ["55P03", "40001", "40P01"].contains(&&*code))
    }
}

impl From<DbErr> for DatabaseError {
    fn from(source: DbErr) -> Self {
        match server_error(&source) {
            Some(error) if is_passing(error) => Self::Unavailable(source),
            Some(error) => Self::Refused { table: error.table().map(str::to_owned), source },
            None if is_of_data(&source) => Self::Refused { table: None, source },
            None => Self::Unavailable(source),
        }
    }
}

fn named(table: Option<&str>) -> String {
    table.map_or_else(|| "its tables".to_owned(), |table| format!("the table {table:?}"))
}

fn driver_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => {
            Some(error)
        }
        _ => None,
    }
}

fn server_error(error: &DbErr) -> Option<&dyn ServerError> {
    driver_error(error)?.as_database_error()
}

/// Whether a server's error is about its state, and not about the statement.
fn is_passing(error: &dyn ServerError) -> bool {
    let code = error.code().unwrap_or_default();
    match error.try_downcast_ref::<sqlx::sqlite::SqliteError>() {
        Some(_) => code.parse().is_ok_and(|code: u32| SQLITE_STATES.contains(&(code & 0xff))),
        None => POSTGRES_STATES.iter().any(|state| code.starts_with(state)),
    }
}

/// PERM, BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, CORRUPT, FULL, CANTOPEN, PROTOCOL, NOTADB
/// (sqlite.org/rescode.html).
const SQLITE_STATES: [u32; 12] = [3, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 26];

/// Classes and codes of Postgres (its manual, appendix A): connection lost, read-only standby,
/// transaction over its time (idle, or in all), bad password, rolled back to be tried again, out of
/// resources, locked by another, stopped by an operator, trouble with the system, inside.
const POSTGRES_STATES: [&str; 12] =
    ["08", "25006", "25P03", "25P04", "28", "3D000", "40", "53", "55P03", "57", "58", "XX"];

/// Whether a value is not what the gateway takes it to be.
fn is_of_data(error: &DbErr) -> bool {
    let is_of_driver = driver_error(error).is_some_and(|error| {
        use sqlx::Error::{ColumnDecode, ColumnNotFound, Decode, Encode, TypeNotFound};
        matches!(
            error,
            ColumnDecode { .. } | ColumnNotFound(_) | Decode(_) | Encode(_) | TypeNotFound { .. }
        )
    });
    let is_of_rows = matches!(
        error,
        DbErr::Type(_)
            | DbErr::TryIntoErr { .. }
            | DbErr::RecordNotFound(_)
            | DbErr::RecordNotInserted
            | DbErr::RecordNotUpdated
    );
    is_of_driver || is_of_rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_answers_is_not_what_was_refused() {
        let late = DatabaseError::about("users", DbErr::Custom("no answer within 10s".to_owned()));
        assert!(matches!(late, DatabaseError::Unavailable(_)), "{late:?}");
        let odd = DatabaseError::about("users", DbErr::Type("no text".to_owned()));
        assert_eq!(odd.to_string(), r#"the database refused a statement about the table "users""#);
        assert_eq!(
            DatabaseError::from(DbErr::RecordNotInserted).to_string(),
            "the database refused a statement about its tables"
        );
    }
}
