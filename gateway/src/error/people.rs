//! Why a command about accounts or sessions does not do what it was asked.

use std::error::Error;
use std::io;

/// Why accounts or sessions stay as they are.
///
/// An address is told where the operator typed it, on the terminal and not in a log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PeopleError {
    /// Nothing was made yet, and these commands make nothing.
    #[error(
        "the database has no table {table:?}: run `nextbnb-gateway migrate`, which makes it, or name \
         the site's own ({flag})"
    )]
    TableMissing {
        /// The table.
        table: String,
        /// The setting that names it.
        flag: &'static str,
    },
    /// There is no such account, or it is not clear which.
    #[error(
        "no account has the address {email:?}: `users list` shows those that are there; of several \
         spellings type the exact one"
    )]
    NoAccount {
        /// As typed.
        email: String,
    },
    /// The address cannot have another account.
    #[error("the address {email:?} has an account already, perhaps in another case (--email-case)")]
    Taken {
        /// As typed.
        email: String,
    },
    /// A rule for accounts is not kept.
    #[error("nothing was changed: want {wanted} (--password-policy)")]
    Rule {
        /// What would be right.
        wanted: &'static str,
    },
    /// The table wants of an account what only the site knows.
    #[error("no account can be made: give {columns} in --users-table a default, or let it be null")]
    Unfilled {
        /// The columns.
        columns: String,
    },
    /// Accounts here have an address and a password alone.
    #[error("accounts have no column for --name: leave it out, or say which with --users-column")]
    Nameless,
    /// What was typed blindly was not the same twice.
    #[error("nothing was changed: the two passwords are not the same")]
    PasswordsApart,
    /// No password can be read.
    #[error("no password: want it at the prompt, or as one line of UTF-8 on standard input")]
    Password {
        /// What the system said.
        source: io::Error,
    },
    /// Not shown, since it may be a cookie of another name.
    #[error(
        "session {place} is none: want a hash as `sessions list` or the log shows it, or a cookie \
         (--cookie-name)"
    )]
    NoHandle {
        /// Which of those typed.
        place: usize,
    },
    /// The log's hashes are keyed.
    #[error(
        "{hash} is a hash as in the log: give the secret of the site with --session-secret-file or \
         SESSION_SECRET"
    )]
    Keyed {
        /// The hash.
        hash: String,
    },
    /// There was nothing to end.
    #[error("no such session: {handles}")]
    NoSession {
        /// How they are called.
        handles: String,
    },
    /// Nobody can be asked, or somebody said no.
    #[error("nothing was ended: want --yes, or a yes at the prompt")]
    Unconfirmed,
    /// The database did not do what it was asked.
    #[error("cannot go on with the database (--database-url)")]
    Database {
        /// What it said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The pages of the manual cannot be written.
    #[error("cannot write the manual to {folder}")]
    Manual {
        /// Where to.
        folder: String,
        /// What the system said.
        source: io::Error,
    },
}
