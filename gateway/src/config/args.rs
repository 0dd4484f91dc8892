//! The command line and its environment twins, as typed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use super::admin_args::AdminArgs;
use super::auth_args::AuthArgs;
use super::crowd_args::CrowdArgs;
use super::doctor_args::DoctorArgs;
use super::durations::parse_duration;
use super::feed_args::FeedArgs;
use super::front_args::{FrontArgs, PlaceArgs};
use super::proxy_args::ProxyArgs;
use super::session_args::SessionArgs;
use super::sessions_args::SessionsArgs;
use super::static_files_args::StaticFilesArgs;
use super::tls_args::{PlainInDev, TlsArgs};
use super::users_args::UsersArgs;
use super::view_args::ViewArgs;
use crate::ops::logs::LogShape;

/// The version, and the commit that it was built from where that is known.
pub const VERSION: &str = env!("NEXTBNB_VERSION");

/// A session gateway in front of an unchanged Next.js frontend.
///
/// Resolves the signed session cookie against the database, hands the signed-in user to Next.js
/// in request headers, answers register, login and logout, and forwards everything else.
#[derive(Debug, Parser)]
#[command(name = "nextbnb-gateway", version = VERSION, max_term_width = 100)]
#[command(args_conflicts_with_subcommands = true)]
pub struct CommandLine {
    /// What to do; `serve` when left out.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Settings of `serve`, the command when none is named.
    #[command(flatten)]
    pub serve: ServeArgs,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve in front of a running Next.js (the default command)
    Serve(ServeArgs),
    /// Develop: start `next dev` and serve in front of it, hot reload included
    Dev(DevArgs),
    /// Apply pending migrations, say which, and end; or print them
    Migrate(MigrateArgs),
    /// Make, list, alter and remove accounts
    Users(UsersArgs),
    /// List and end sessions
    Sessions(SessionsArgs),
    /// Look at what the gateway stands on, alter nothing, and say what is wrong
    Doctor(Box<DoctorArgs>),
    /// Ask a gateway whether it serves; for container health checks
    Health(HealthArgs),
    /// Write the completions of a shell to standard output
    Completions(CompletionsArgs),
    /// Write the manual to standard output, or its pages into a folder
    Man(ManArgs),
}

/// Settings of `serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Where to listen.
    #[command(flatten)]
    pub listen: ListenArgs,
    /// Where to listen instead.
    #[command(flatten)]
    pub places: PlaceArgs,
    /// Whether and how TLS is spoken.
    #[command(flatten)]
    pub tls: TlsArgs,
    /// What the site is called, and whom to believe.
    #[command(flatten)]
    pub front: FrontArgs,
    /// How much at once.
    #[command(flatten)]
    pub crowd: CrowdArgs,
    /// Origin of Next.js, plain HTTP, or `unix:/path` of its socket
    #[arg(
        long,
        env = "NEXTBNB_UPSTREAM",
        help_heading = "Upstreams",
        value_name = "URL",
        default_value = "http://localhost:3001"
    )]
    pub upstream: String,
    /// Longest time that requests wait while an upstream takes no connections, as while Next.js is
    /// restarted, before 502; `0s` is not at all
    #[arg(
        long,
        env = "NEXTBNB_UPSTREAM_WAIT",
        help_heading = "Upstreams",
        value_name = "DURATION",
        default_value = "0s",
        value_parser = parse_duration
    )]
    pub upstream_wait: Duration,
    /// Parts of the paths that go elsewhere.
    #[command(flatten)]
    pub routes: RouteArgs,
    /// What passes to the upstreams.
    #[command(flatten)]
    pub proxy: ProxyArgs,
    /// What is kept of their built files.
    #[command(flatten)]
    pub static_files: StaticFilesArgs,
    /// Where sessions and accounts are kept.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// How it tells of changes.
    #[command(flatten)]
    pub feed: FeedArgs,
    /// Start without applying pending migrations
    #[arg(
        long,
        env = "NEXTBNB_NO_MIGRATE",
        help_heading = "Database",
        value_parser = FalseyValueParser::new()
    )]
    pub no_migrate: bool,
    /// The session cookie, what signs it, and the life of sessions.
    #[command(flatten)]
    pub session: SessionArgs,
    /// Register, login and logout.
    #[command(flatten)]
    pub auth: AuthArgs,
    /// Time that running requests get after SIGTERM; upgrades and event streams get one second
    #[arg(
        long,
        env = "NEXTBNB_DRAIN",
        help_heading = "Limits",
        value_name = "DURATION",
        default_value = "10s",
        value_parser = parse_duration
    )]
    pub drain: Duration,
    /// Where operators are answered.
    #[command(flatten)]
    pub admin: AdminArgs,
    /// What the log looks like.
    #[command(flatten)]
    pub log: LogArgs,
}

/// Settings of `dev`.
#[derive(Debug, Args)]
pub struct DevArgs {
    /// Folder of the Next.js application [default: the first folder upwards that holds a
    /// `frontend/` depending on `next`, or depends on `next` itself]
    #[arg(long, env = "NEXTBNB_FRONTEND", value_name = "DIR", conflicts_with = "upstream")]
    pub frontend: Option<PathBuf>,
    /// Origin of a `next dev` that already runs; then none is started
    #[arg(long, env = "NEXTBNB_UPSTREAM", value_name = "URL")]
    pub upstream: Option<String>,
    /// Parts of the paths that go elsewhere.
    #[command(flatten)]
    pub routes: RouteArgs,
    /// What passes to the upstreams.
    #[command(flatten)]
    pub proxy: ProxyArgs,
    /// Show pages `req.session` as the Express server did, by a file that Node loads first
    #[arg(long, env = "NEXTBNB_LEGACY_SESSION", value_parser = FalseyValueParser::new())]
    pub legacy_session: bool,
    /// Where to listen.
    #[command(flatten)]
    pub listen: ListenArgs,
    /// Serve under this host name as well, as a tunnel's or a container's: `app.test`, or `*.app.test`
    /// for all below it. `localhost`, `*.localhost`, addresses, and the names of --host and --public-url
    /// need no saying; others could be a stranger's, made to lead here to read the site's sources. May
    /// be repeated (in the environment: separated by spaces)
    #[arg(
        long = "allow-host",
        env = "NEXTBNB_ALLOW_HOST",
        value_name = "NAME",
        value_delimiter = ' '
    )]
    pub allowed_hosts: Vec<String>,
    /// What the site is called, and whom to believe.
    #[command(flatten)]
    pub front: FrontArgs,
    /// What it refuses.
    #[command(flatten)]
    pub plain: PlainInDev,
    /// Where sessions and accounts are kept.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// How it tells of changes.
    #[command(flatten)]
    pub feed: FeedArgs,
    /// The session cookie, what signs it, and the life of sessions.
    #[command(flatten)]
    pub session: SessionArgs,
    /// Register, login and logout.
    #[command(flatten)]
    pub auth: AuthArgs,
    /// Where operators are answered.
    #[command(flatten)]
    pub admin: AdminArgs,
    /// How much is said.
    #[command(flatten)]
    pub view: ViewArgs,
    /// What the log looks like.
    #[command(flatten)]
    pub log: LogArgs,
}

/// Settings of `migrate`.
#[derive(Debug, Args)]
pub struct MigrateArgs {
    /// Write the pending migrations' SQL to standard output and apply nothing, for an owner of the
    /// schema to run
    #[arg(long, env = "NEXTBNB_PRINT", value_parser = FalseyValueParser::new())]
    pub print: bool,
    /// Where sessions and accounts are kept.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// What the log looks like.
    #[command(flatten)]
    pub log: LogArgs,
}

/// Settings of `health`.
#[derive(Debug, Args)]
pub struct HealthArgs {
    /// Port of the gateway asked
    #[arg(long, env = "PORT", value_name = "PORT", default_value_t = 3000)]
    pub port: u16,
    /// Host of the gateway asked
    #[arg(long, env = "NEXTBNB_HOST", value_name = "HOST", default_value = "localhost")]
    pub host: String,
    /// Where it listens instead, as `serve` takes it; of several the first is asked
    #[arg(long, env = "NEXTBNB_LISTEN", value_name = "PLACE", value_delimiter = ' ')]
    pub listen: Vec<String>,
    /// Begin with a header of the PROXY protocol, as the gateway asked wants it
    #[arg(long, env = "NEXTBNB_PROXY_PROTOCOL", value_parser = FalseyValueParser::new())]
    pub proxy_protocol: bool,
    /// Ask over TLS, on this machine alone: the certificate may be for any name
    #[arg(long, env = "NEXTBNB_HEALTH_TLS", value_parser = FalseyValueParser::new())]
    pub tls: bool,
    /// Ask whether its upstreams can be reached as well; says which cannot
    #[arg(long, env = "NEXTBNB_HEALTH_UPSTREAMS", value_parser = FalseyValueParser::new())]
    pub upstreams: bool,
}

/// Settings of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    pub shell: Shell,
}

/// Settings of `man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Folder for a page of each command, made when missing [default: all go to standard output]
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
}

/// Parts of the paths that go elsewhere.
#[derive(Debug, Args)]
#[command(next_help_heading = "Upstreams")]
pub struct RouteArgs {
    /// Send the paths that begin with PREFIX to another upstream, as `/api/=http://localhost:3002`
    /// or `/api/=unix:/run/api.sock`; with `,strip` at the end it is sent the rest of the path alone. May be repeated (in the
    /// environment: separated by spaces); the longest prefix decides
    #[arg(long = "route", env = "NEXTBNB_ROUTE", value_name = "PREFIX=URL", value_delimiter = ' ')]
    pub routes: Vec<String>,
    /// File with the secret by which upstreams know the gateway's requests (X-Nextbnb-Token); they
    /// are then told what `req.session` shows [default in `dev`: made once, kept in the state folder]
    #[arg(long, env = "NEXTBNB_UPSTREAM_TOKEN_FILE", value_name = "FILE")]
    pub upstream_token_file: Option<PathBuf>,
}

/// Where to listen.
#[derive(Debug, Args)]
#[command(next_help_heading = "Listening")]
pub struct ListenArgs {
    /// TCP port to listen on
    #[arg(long, env = "PORT", value_name = "PORT", default_value_t = 3000)]
    pub port: u16,
    /// Address or host name to listen on, `*` for every address [default: `*` for `serve`,
    /// `localhost` for `dev`]
    #[arg(long, env = "NEXTBNB_HOST", value_name = "HOST")]
    pub host: Option<String>,
}

impl ListenArgs {
    /// The host typed, else `default`.
    pub fn host_or<'a>(&'a self, default: &'a str) -> &'a str {
        self.host.as_deref().unwrap_or(default)
    }
}

/// Where sessions and accounts are kept.
#[derive(Debug, Args)]
#[command(next_help_heading = "Database")]
pub struct DatabaseArgs {
    /// `postgres://user:password@host/database` or `sqlite://file?mode=rwc` [default: an SQLite
    /// file in the state folder]
    #[arg(long, env = "DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// Folder for the embedded database and its session secret [default: `.nextbnb` in the
    /// working folder; for `dev` beside `frontend/`]
    #[arg(long, env = "NEXTBNB_STATE_DIR", value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Table of sessions, letter by letter as Sequelize has it; made when missing [default: what is
    /// there of `Sessions`, `Session` and `sessions`, else `Sessions`]
    #[arg(long, env = "NEXTBNB_SESSION_TABLE", value_name = "NAME")]
    pub session_table: Option<String>,
    /// Table of accounts, letter by letter as Sequelize has it; made when missing [default: what is
    /// there of `users`, `Users`, `user` and `User`, else `users`]
    #[arg(long, env = "NEXTBNB_USERS_TABLE", value_name = "NAME")]
    pub users_table: Option<String>,
    /// Column of accounts that has another name, as `email=mail_address`: of `id`, `email`,
    /// `password` and `name`. May be repeated (in the environment: separated by commas)
    #[arg(
        long = "users-column",
        env = "NEXTBNB_USERS_COLUMN",
        value_name = "ROLE=NAME",
        value_delimiter = ','
    )]
    pub users_columns: Vec<String>,
}

impl DatabaseArgs {
    /// The state folder typed, else `default`.
    pub fn state_dir_or<'a>(&'a self, default: &'a Path) -> &'a Path {
        self.state_dir.as_deref().unwrap_or(default)
    }
}

/// What the log looks like.
#[derive(Debug, Args)]
#[command(next_help_heading = "Logs and operators")]
pub struct LogArgs {
    /// How log lines are written
    #[arg(long, env = "NEXTBNB_LOG_FORMAT", value_enum, default_value_t = LogShape::Pretty)]
    pub log_format: LogShape,
}
