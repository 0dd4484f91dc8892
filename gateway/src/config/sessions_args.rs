//! Settings of `sessions`, as typed.

use clap::builder::{FalseyValueParser, NonEmptyStringValueParser};
use clap::{ArgGroup, Args, Subcommand};

use super::args::DatabaseArgs;
use super::site_args::{CaseArgs, ListArgs, SecretArgs, UserKeyArgs};

/// Settings of `sessions`.
#[derive(Debug, Args)]
pub struct SessionsArgs {
    /// What to do.
    #[command(subcommand)]
    pub part: SessionsPart,
}

/// What is done to sessions.
#[derive(Debug, Subcommand)]
pub enum SessionsPart {
    /// List the live sessions: what the log calls each, whose it is, when it was written, its end
    List(SessionsListArgs),
    /// End sessions, on every replica within a second
    End(SessionsEndArgs),
}

/// Settings of `sessions list`.
#[derive(Debug, Args)]
pub struct SessionsListArgs {
    /// List the sessions of this account alone
    #[arg(
        long,
        env = "NEXTBNB_SESSIONS_USER",
        value_name = "EMAIL",
        value_parser = NonEmptyStringValueParser::new()
    )]
    pub user: Option<String>,
    /// How the list is written.
    #[command(flatten)]
    pub list: ListArgs,
    /// How a session is known.
    #[command(flatten)]
    pub site: KnownArgs,
}

/// Settings of `sessions end`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").required(true).multiple(true)
    .args(["sessions", "cookie_stdin", "user", "all"]))]
pub struct SessionsEndArgs {
    /// Sessions to end, as `sessions list` or the log calls them, or by their cookies; those are safer
    /// with --cookie-stdin, since arguments are everybody's to read
    #[arg(value_name = "HASH|COOKIE")]
    pub sessions: Vec<String>,
    /// Read cookies from standard input, one a line: values as browsers show them, or whole Cookie
    /// headers
    #[arg(long, env = "NEXTBNB_COOKIE_STDIN", value_parser = FalseyValueParser::new())]
    pub cookie_stdin: bool,
    /// End every session of this account
    #[arg(
        long,
        env = "NEXTBNB_SESSIONS_USER",
        value_name = "EMAIL",
        value_parser = NonEmptyStringValueParser::new(),
        conflicts_with_all = ["sessions", "cookie_stdin", "all"]
    )]
    pub user: Option<String>,
    /// End every session, guests' as well; asks first
    #[arg(
        long,
        env = "NEXTBNB_SESSIONS_ALL",
        value_parser = FalseyValueParser::new(),
        conflicts_with_all = ["sessions", "cookie_stdin"]
    )]
    pub all: bool,
    /// Do not ask
    #[arg(long, env = "NEXTBNB_YES", value_parser = FalseyValueParser::new())]
    pub yes: bool,
    /// Name of the session cookie
    #[arg(long, env = "NEXTBNB_COOKIE_NAME", value_name = "NAME", default_value = "nextbnb")]
    pub cookie_name: String,
    /// How a session is known.
    #[command(flatten)]
    pub site: KnownArgs,
}

/// How a session is known.
#[derive(Debug, Args)]
pub struct KnownArgs {
    /// What it is called.
    #[command(flatten)]
    pub secrets: SecretArgs,
    /// How it names its account.
    #[command(flatten)]
    pub key: UserKeyArgs,
    /// Which addresses are one.
    #[command(flatten)]
    pub case: CaseArgs,
    /// Where it is kept.
    #[command(flatten)]
    pub database: DatabaseArgs,
}
