//! What can go wrong: at start-up, told to the operator; in a request, answered to the browser.

mod broken_off;
mod certificate;
mod front;
mod next;
mod people;
mod request;
mod start;

use std::error::Error;
use std::iter::{once, successors};
use std::path::Path;

use sea_orm::sqlx::postgres::PgDatabaseError;
use sea_orm::{DbErr, RuntimeErr, sqlx};

pub use self::broken_off::BrokenOff;
pub use self::certificate::CertificateError;
pub use self::front::FrontError;
pub use self::next::NextError;
pub use self::people::PeopleError;
pub use self::request::{Blame, RequestError};
pub use self::start::StartError;

/// An error and its causes in one line: `what failed: why: why that`.
pub fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    for cause in causes(error).map(ToString::to_string) {
        // Some errors of libraries tell their cause themselves.
        if !line.ends_with(&cause) {
            line += ": ";
            line += &cause;
        }
    }
    without_server_line(line, causes(error))
}

/// What went wrong at the bottom, in the words of the system or the server.
pub(crate) fn root_cause(error: &(dyn Error + 'static)) -> String {
    let all = || once(error).chain(causes(error));
    without_server_line(all().last().map(ToString::to_string).unwrap_or_default(), all())
}

fn causes(error: &dyn Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    successors(error.source(), |&cause| cause.source())
}

/// Without the line of the server's own source that Postgres's driver puts behind its words: it
/// would be looked for in the statement, or in a file of the site's.
fn without_server_line<'a>(
    mut said: String,
    mut all: impl Iterator<Item = &'a (dyn Error + 'static)>,
) -> String {
    if let Some(line) = all.find_map(server_line) {
        let kept = said.strip_suffix(&format!(" at line {line}")).map_or(said.len(), str::len);
        said.truncate(kept);
    }
    said
}

fn server_line(error: &(dyn Error + 'static)) -> Option<usize> {
    let driver = match error.downcast_ref::<DbErr>() {
        Some(
            DbErr::Conn(RuntimeErr::SqlxError(error))
            | DbErr::Exec(RuntimeErr::SqlxError(error))
            | DbErr::Query(RuntimeErr::SqlxError(error)),
        ) => error,
        _ => error.downcast_ref::<sqlx::Error>()?,
    };
    driver.as_database_error()?.try_downcast_ref::<PgDatabaseError>()?.line()
}

/// Where a file was looked for that was named from the working folder.
fn seen_from(file: &Path) -> String {
    match std::env::current_dir() {
        Ok(folder) if file.is_relative() => format!(" in {}", folder.display()),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::ConnAcquireErr;

    use super::*;

    #[test]
    fn a_cause_that_is_told_already_is_not_told_again() {
        let line = chain(&DbErr::ConnectionAcquire(ConnAcquireErr::Timeout));
        assert_eq!(line, "Failed to acquire connection from pool: Connection pool timed out");
        let error = StartError::System { what: "it", source: std::io::Error::other("no memory") };
        assert_eq!(chain(&error), "cannot start it: no memory");
    }
}
