//! Settings: as typed ([`args`]), then checked ([`Config`]).

pub mod args;
pub mod auth_args;
pub mod limits;
pub mod secrets;
pub mod session_args;
pub mod state_dir;
pub mod units;

use std::path::{Path, PathBuf};
use std::time::Duration;

use nextbnb_migrations::TableNames;

use self::args::{DatabaseArgs, DevArgs, ListenArgs, ServeArgs};
use self::auth_args::{AuthArgs, AuthStatuses, EmailCase, PasswordPolicy};
use self::limits::Limits;
use self::secrets::SecretList;
use self::session_args::{
    AnonymousSessions, CookieArgs, CookiePriority, CookieSameSite, CookieSecure, MaxAge, Rolling,
    SessionArgs, TouchInterval,
};
use self::state_dir::StateDir;
use crate::error::StartError;

/// The host that stands for every address of this machine.
pub const EVERY_ADDRESS: &str = "*";

/// Everything the running gateway needs to know, checked.
#[derive(Debug)]
pub struct Config {
    /// Where connections are accepted.
    pub listen: Listen,
    /// Where sessions and accounts are kept.
    pub database: DatabaseSource,
    /// What their tables are called.
    pub tables: TableNames,
    /// Whether pending migrations are applied at start.
    pub migrations: Migrations,
    /// The cookie and the life of a session.
    pub session: SessionConfig,
    /// How register, login and logout read and answer.
    pub auth: AuthConfig,
    /// Which command runs.
    pub mode: Mode,
    /// How long running requests may take after a signal to stop.
    pub drain: Duration,
    /// Number of threads that serve connections.
    pub workers: usize,
    /// Numbers that only an engineer would change.
    pub limits: Limits,
}

/// The address to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// Host name or address, or `*`; every address that it resolves to is used.
    pub host: String,
    /// TCP port; 0 lets the system choose.
    pub port: u16,
}

/// The database that holds sessions and accounts.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseSource {
    /// As given with `--database-url`; may hold a password.
    Url(String),
    /// An SQLite file in the state folder.
    Embedded(PathBuf),
}

/// What happens to pending migrations at start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Migrations {
    /// They are applied, by one replica at a time.
    Apply,
    /// The schema is taken as it is (`--no-migrate`).
    Skip,
}

/// The cookie and the life of a session.
#[derive(Debug)]
pub struct SessionConfig {
    /// Signs (the first) and verifies (all) the session cookie.
    pub secrets: SecretList,
    /// What the cookie is like.
    pub cookie: CookieConfig,
    /// Life of a session after its last touch, and of its cookie after it was issued.
    pub max_age: MaxAge,
    /// Life of a row whose cookie names no end, after each visit.
    pub expiration: Duration,
    /// How old the last write must be for a visit to be written down.
    pub touch_interval: TouchInterval,
    /// When the cookie is sent again.
    pub rolling: Rolling,
    /// Whether guests have sessions.
    pub anonymous: AnonymousSessions,
    /// Whether a sign-in keeps the data of the session before it.
    pub login_keeps_data: bool,
    /// How often ended rows are deleted; zero is never.
    pub sweep_interval: Duration,
}

/// What the session cookie is like; each field can stand in a header.
#[derive(Debug)]
pub struct CookieConfig {
    /// Its name.
    pub name: String,
    /// Which hosts get it; `None` is the host asked for.
    pub domain: Option<String>,
    /// Which paths get it, and have sessions.
    pub path: String,
    /// Whether scripts do not see it.
    pub http_only: bool,
    /// Whether it is kept to TLS.
    pub secure: CookieSecure,
    /// Which foreign pages' requests carry it.
    pub same_site: CookieSameSite,
    /// Whether each embedding site has its own.
    pub partitioned: bool,
    /// How early it is dropped.
    pub priority: Option<CookiePriority>,
}

/// How register, login and logout read and answer.
#[derive(Debug)]
pub struct AuthConfig {
    /// Whose statuses, headers and texts.
    pub statuses: AuthStatuses,
    /// What registration wants.
    pub policy: PasswordPolicy,
    /// Whether addresses that differ in case are one.
    pub email_case: EmailCase,
    /// Whether a logout clears what the browser stores for the site.
    pub clear_site_data: bool,
}

impl AuthConfig {
    fn of(args: &AuthArgs) -> Self {
        Self {
            statuses: args.auth_statuses,
            policy: args.password_policy,
            email_case: args.email_case,
            clear_site_data: args.clear_site_data,
        }
    }
}

/// The command that runs, where a request is answered differently for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// `serve`: an upstream that does not answer is an error.
    Serve,
    /// `dev`: the upstream may still be starting or compiling.
    Dev,
}

impl Config {
    /// Checks what was typed for `serve`.
    ///
    /// With the embedded database a missing secret is made and kept beside it. With any other a
    /// secret must be given, since every replica needs the same.
    pub fn serve(args: &ServeArgs) -> Result<Self, StartError> {
        let state = StateDir::new(args.database.state_dir_or(Path::new(StateDir::DEFAULT)));
        let database = DatabaseSource::of(&args.database, &state);
        if let DatabaseSource::Embedded(_) = database {
            state.prepare()?;
        }
        let secrets = match (&database, SecretList::given(&args.session)?) {
            (_, Some(secrets)) => secrets,
            (DatabaseSource::Embedded(_), None) => SecretList::kept_in(&state)?,
            (DatabaseSource::Url(_), None) => return Err(StartError::SecretMissing),
        };
        Ok(Self {
            listen: Listen::of(&args.listen, EVERY_ADDRESS),
            database,
            tables: units::parse_table_names(&args.database)?,
            migrations: if args.no_migrate { Migrations::Skip } else { Migrations::Apply },
            session: SessionConfig::of(&args.session, secrets)?,
            auth: AuthConfig::of(&args.auth),
            mode: Mode::Serve,
            drain: args.drain.into(),
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            limits: Limits::default(),
        })
    }

    /// Checks what was typed for `dev`.
    ///
    /// `state_dir` is used unless another was typed. A missing secret is made, whatever the
    /// database: a developer's sessions are worth keeping, not protecting.
    pub fn dev(args: &DevArgs, state_dir: &Path) -> Result<Self, StartError> {
        let state = StateDir::new(args.database.state_dir_or(state_dir));
        state.prepare()?;
        let secrets = match SecretList::given(&args.session)? {
            Some(secrets) => secrets,
            None => SecretList::kept_in(&state)?,
        };
        Ok(Self {
            listen: Listen::of(&args.listen, "localhost"),
            database: DatabaseSource::of(&args.database, &state),
            tables: units::parse_table_names(&args.database)?,
            migrations: Migrations::Apply,
            session: SessionConfig::of(&args.session, secrets)?,
            auth: AuthConfig::of(&args.auth),
            mode: Mode::Dev,
            drain: Limits::DEV_DRAIN,
            workers: 1,
            limits: Limits::dev(),
        })
    }
}

impl Listen {
    fn of(args: &ListenArgs, default_host: &str) -> Self {
        let host = args.host.as_deref().unwrap_or(default_host);
        Self { host: host.to_owned(), port: args.port }
    }
}

impl DatabaseSource {
    /// The database typed, else the embedded one in `state`.
    pub fn of(args: &DatabaseArgs, state: &StateDir) -> Self {
        match &args.database_url {
            Some(url) if !url.is_empty() => Self::Url(url.clone()),
            _ => Self::Embedded(state.database_file()),
        }
    }
}

impl std::fmt::Debug for DatabaseSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Url(_) => f.write_str("Url(redacted)"),
            Self::Embedded(file) => f.debug_tuple("Embedded").field(file).finish(),
        }
    }
}

impl SessionConfig {
    fn of(args: &SessionArgs, secrets: SecretList) -> Result<Self, StartError> {
        Ok(Self {
            secrets,
            cookie: CookieConfig::of(&args.cookie)?,
            max_age: units::check_max_age(args.life.session_max_age)?,
            expiration: args.life.session_expiration.into(),
            touch_interval: args.life.touch_interval,
            rolling: args.life.rolling,
            anonymous: args.life.anonymous_sessions,
            login_keeps_data: args.life.login_keeps_data,
            sweep_interval: args.life.sweep_interval.into(),
        })
    }
}

impl CookieConfig {
    fn of(args: &CookieArgs) -> Result<Self, StartError> {
        Ok(Self {
            name: units::parse_cookie_name(&args.cookie_name)?,
            domain: args.cookie_domain.as_deref().map(units::parse_cookie_domain).transpose()?,
            path: units::parse_cookie_path(&args.cookie_path)?,
            http_only: args.cookie_http_only,
            secure: args.cookie_secure,
            same_site: args.cookie_same_site,
            partitioned: args.cookie_partitioned,
            priority: args.cookie_priority,
        })
    }
}
