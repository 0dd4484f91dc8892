//! Why the program does not start.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::certificate::CertificateError;
use super::front::FrontError;
use super::next::NextError;
use super::people::PeopleError;
use super::seen_from;

/// Why the program does not start, in the operator's words.
///
/// Each message names the setting to change and says what would be right. It is printed once, as
/// `nextbnb-gateway: <error>: <cause>: <cause>`, and the exit code is 1.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    // config
    /// The upstream is not a plain HTTP origin.
    #[error("--upstream {url:?} is not usable: {reason}")]
    Upstream {
        /// As typed.
        url: String,
        /// What would be right.
        reason: &'static str,
    },
    /// A route cannot be where `--auth-path` says.
    #[error("--auth-path {typed:?} is not usable: {reason}")]
    AuthPath {
        /// As typed.
        typed: String,
        /// What would be right.
        reason: &'static str,
    },
    /// A column of accounts cannot be what `--users-column` says.
    #[error("--users-column {typed:?} is not usable: {reason}")]
    UsersColumn {
        /// As typed.
        typed: String,
        /// What would be right.
        reason: &'static str,
    },
    /// Sessions cannot name accounts as `--session-user-key` says.
    #[error(
        "--session-user-key {typed:?} is not usable: want email, id, object, or object: and members \
         of which one is the id, as object:id,username=email"
    )]
    UserKey {
        /// As typed.
        typed: String,
    },
    /// The secret between gateway and upstreams is none.
    #[error(
        "--upstream-token-file {}: want one line of at least 16 letters, digits and marks",
        file.display()
    )]
    UpstreamToken {
        /// The file that was read.
        file: PathBuf,
    },
    /// A part of the paths cannot be sent where `--route` says.
    #[error("--route {route:?} is not usable: {reason}")]
    Route {
        /// As typed.
        route: String,
        /// What would be right.
        reason: &'static str,
    },
    /// The cookie's name would break the header that it is written into.
    #[error("--cookie-name {name:?} is not usable: want letters, digits and !#$%&'*+-.^_`|~")]
    CookieName {
        /// As typed.
        name: String,
    },
    /// Browsers would drop the cookie, and nobody could sign in.
    #[error(
        "--cookie-name {name:?} is not usable so: browsers keep {prefix} cookies only with {want}"
    )]
    CookiePrefix {
        /// As typed.
        name: String,
        /// How it begins.
        prefix: &'static str,
        /// The flags that would be right.
        want: &'static str,
    },
    /// A field that nobody can be named by.
    #[error("--identity-header {typed:?} is not usable: {reason}")]
    IdentityHeader {
        /// As typed.
        typed: String,
        /// What would be right.
        reason: &'static str,
    },
    /// No path begins so in one reading.
    #[error(
        "--max-body-except {typed:?} is not usable: want a prefix like /api/upload/, nothing in it \
         encoded"
    )]
    MaxBodyExcept {
        /// As typed.
        typed: String,
    },
    /// No page has that origin.
    #[error("--allow-origin {typed:?} is not usable: {reason}")]
    AllowOrigin {
        /// As typed.
        typed: String,
        /// What would be right.
        reason: &'static str,
    },
    /// The cookie's domain is no host name.
    #[error("--cookie-domain {domain:?} is not usable: want a host name, as in example.com")]
    CookieDomain {
        /// As typed.
        domain: String,
    },
    /// No table can be called so, or both are.
    #[error(
        "{flag} {name:?} is not usable: want 1 to 63 bytes without NUL, another for each table"
    )]
    TableName {
        /// The flag.
        flag: &'static str,
        /// As typed.
        name: String,
    },
    /// The cookie's path cannot stand in its header.
    #[error("--cookie-path {path:?} is not usable: want a / and visible ASCII without `;`")]
    CookiePath {
        /// As typed.
        path: String,
    },
    /// A shared database needs a secret that every replica has.
    #[error(
        "no session secret: give --session-secret-file FILE (with --generate-secret it is made \
         once) or set SESSION_SECRET"
    )]
    SecretMissing,
    /// Which of the two signs would be a guess.
    #[error("both --session-secret-file and SESSION_SECRET are given: want one of them")]
    SecretTwice,
    /// A file is to be made, and which is not said.
    #[error(
        "--generate-secret needs --session-secret-file FILE, the file to make (or --upstream-token-file)"
    )]
    SecretFileUnnamed,
    /// There is no such file.
    #[error(
        "{flag} {}: there is no such file{}; make it once with --generate-secret, or by \
         `openssl rand -base64 32`",
        file.display(), seen_from(file)
    )]
    SecretFileMissing {
        /// The setting that names it.
        flag: &'static str,
        /// The file.
        file: PathBuf,
    },
    /// A secret's file cannot be read or made.
    #[error("{flag} {} is not usable", file.display())]
    SecretFile {
        /// The setting that names it.
        flag: &'static str,
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A list of secrets with a slip in it.
    #[error("SESSION_SECRET is not usable: want one secret, or a JSON array of strings")]
    SecretList {
        /// Where the slip is.
        source: io::Error,
    },
    /// No secret where one was announced.
    #[error("{source_name} is not usable: it holds no secret")]
    SecretNone {
        /// The flag or variable.
        source_name: String,
    },
    /// A secret that could be guessed.
    #[error(
        "{source_name} is not usable: a secret in it holds {bytes} bytes, needs at least \
         {shortest}; make one with `openssl rand -base64 32`, or adopt a short one with \
         --allow-short-secret"
    )]
    SecretShort {
        /// The flag or variable.
        source_name: String,
        /// The short secret's length.
        bytes: usize,
        /// The length wanted.
        shortest: usize,
    },
    /// The state folder, or a file in it, cannot be made or written.
    #[error("cannot write {} (--state-dir)", path.display())]
    State {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    // server
    /// The host names no address of this machine.
    #[error("cannot listen on {host:?} (--host)")]
    Host {
        /// As typed.
        host: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// The port cannot be bound; `holder` names the process that has it, where the system tells.
    #[error("cannot listen on {address} (--port, --host){}", held_by(holder.as_deref()))]
    Listen {
        /// Where the gateway wanted to listen.
        address: SocketAddr,
        /// The process that has the port, if it is known.
        holder: Option<String>,
        /// What the system said.
        source: io::Error,
    },
    /// Nobody can be answered at the place for operators.
    #[error("cannot listen on {place} (--admin){}", held_by(holder.as_deref()))]
    Admin {
        /// The place.
        place: String,
        /// The process that has it, if it is known.
        holder: Option<String>,
        /// What the system said.
        source: io::Error,
    },
    /// Every request would come back to the gateway, for ever.
    #[error(
        "{upstream} is this gateway itself (--port, --host, --listen): --upstream wants the origin \
         of Next.js, --route that of another server"
    )]
    UpstreamIsSelf {
        /// The upstream.
        upstream: String,
    },
    /// A certificate cannot be served.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// Somebody insisted on the end before it was reached.
    #[error("ended at once on a second {signal}: what still ran was cut")]
    Insisted {
        /// The signal.
        signal: &'static str,
    },
    /// The system gave no thread, signal or runtime.
    #[error("cannot start {what}")]
    System {
        /// What was to be started.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The gateway asked for its health did not answer well.
    #[error("the gateway on {address} is not healthy (--port, --host, --listen): {reason}")]
    Unhealthy {
        /// Where it was asked.
        address: String,
        /// What was answered instead.
        reason: String,
    },

    // database
    /// The database URL cannot be used as it is written.
    #[error("--database-url (DATABASE_URL) is not usable: {reason}")]
    DatabaseUrl {
        /// What is wrong with it, and what would be right; never the URL itself.
        reason: String,
    },
    /// The way around a pooler cannot be used as it is written.
    #[error("--database-direct-url (NEXTBNB_DATABASE_DIRECT_URL) is not usable: {reason}")]
    DatabaseDirectUrl {
        /// What is wrong with it, and what would be right; never the URL itself.
        reason: String,
    },
    /// Another gateway serves on the SQLite file.
    #[error(
        "the database file {} is taken: {} serves on it; end that, or give this one another \
         --state-dir or --database-url (several gateways can share a Postgres)",
        path.display(),
        holder.as_deref().unwrap_or("another gateway")
    )]
    DatabaseFileHeld {
        /// The file.
        path: PathBuf,
        /// The process, if it is known.
        holder: Option<String>,
    },
    /// The database server does not let the gateway in.
    #[error("cannot use the database {server} (--database-url, DATABASE_URL)")]
    Database {
        /// Where and as whom, without the password.
        server: String,
        /// What the system or the server said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The SQLite file is no database, is damaged, or cannot be opened.
    #[error("cannot use the database file {} ({setting})", path.display())]
    DatabaseFile {
        /// The file.
        path: PathBuf,
        /// The setting that names it.
        setting: &'static str,
        /// What SQLite said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// Without them no visitor would be known, and nobody could sign in.
    #[error(
        "the database's tables are not complete: run `migrate` (`migrate --print` writes the SQL for \
         somebody who may), or start without --no-migrate"
    )]
    Tables {
        /// What the server said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A column of accounts that the site named is not there, or one that every site has.
    #[error(
        "the table {table:?} has no column {name:?}: say which with --users-column {role}=NAME"
    )]
    UsersColumnMissing {
        /// What is read of it.
        role: &'static str,
        /// The column.
        name: String,
        /// The table.
        table: String,
    },
    /// What belongs in a column cannot be kept there.
    #[error("the column {column:?} of the table {table:?} is of type {kind}: want {wanted}")]
    ColumnKind {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// Its type.
        kind: String,
        /// The types that would do.
        wanted: &'static str,
    },
    /// More than one table could be the one that is meant.
    #[error("{found} could each be meant: say which with {flag}")]
    TablesAmbiguous {
        /// The setting that decides.
        flag: &'static str,
        /// Their names.
        found: String,
    },
    /// A signal came first.
    #[error("ended by a signal before the tables were up to date")]
    NotMigrated,
    /// The tables could not be brought up to date.
    #[error(
        "cannot bring the database's tables up to date (`doctor database` says what they lack; \
         `migrate --print` writes the SQL for somebody who may; `serve --no-migrate` starts without)"
    )]
    Migrate {
        /// What the server said.
        source: Box<dyn Error + Send + Sync>,
    },

    /// The gateway cannot be reached, or named, as the settings say.
    #[error(transparent)]
    Front(#[from] FrontError),
    /// What is pending could not be told.
    #[error("cannot tell which migrations are pending (--session-table, --users-table)")]
    Plan {
        /// What the server said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// Whoever was to read the answer closed it.
    #[error("cannot write to standard output")]
    Output {
        /// What the system said.
        source: io::Error,
    },

    /// Accounts or sessions stay as they are.
    #[error(transparent)]
    People(#[from] PeopleError),
    /// Next.js is not there, or does not start.
    #[error(transparent)]
    Next(#[from] NextError),
}

pub(super) fn held_by(holder: Option<&str>) -> String {
    holder.map(|holder| format!(": {holder} has it")).unwrap_or_default()
}
