//! Settings of `doctor`, as typed.

use std::convert::Infallible;
use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Args, Subcommand};

use super::args::{DatabaseArgs, ListenArgs};
use super::bytes::parse_bytes;
use super::front_args::PlaceArgs;

/// Settings of `doctor`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct DoctorArgs {
    /// What to look at; everything when left out.
    #[command(subcommand)]
    pub part: Option<DoctorPart>,
    /// Settings of a look at everything.
    #[command(flatten)]
    pub everything: DoctorEverythingArgs,
}

/// What to look at.
#[derive(Debug, Subcommand)]
pub enum DoctorPart {
    /// Look at what this machine allows: file descriptors, cores, files watched
    Machine(DoctorMachineArgs),
    /// Look at the Next.js application: Node.js, packages, its release and what is known of it
    Frontend(DoctorFrontendArgs),
    /// Ask the upstream what it is, and whether others reach it
    Upstream(DoctorUpstreamArgs),
    /// Look at the database, read-only, and say what is wrong with it
    Database(DoctorDatabaseArgs),
}

/// Settings of `doctor`, when it looks at everything.
#[derive(Debug, Args)]
pub struct DoctorEverythingArgs {
    /// The application.
    #[command(flatten)]
    pub application: ApplicationArgs,
    /// The upstream.
    #[command(flatten)]
    pub upstream: UpstreamArgs,
    /// Where the gateway is to listen.
    #[command(flatten)]
    pub listen: ListenArgs,
    /// Where else.
    #[command(flatten)]
    pub places: PlaceArgs,
    /// The database, the secret and the report.
    #[command(flatten)]
    pub database: DoctorDatabaseArgs,
}

/// Settings of `doctor machine`.
#[derive(Debug, Args)]
pub struct DoctorMachineArgs {
    /// How the report is written.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// Settings of `doctor frontend`.
#[derive(Debug, Args)]
pub struct DoctorFrontendArgs {
    /// The application.
    #[command(flatten)]
    pub application: ApplicationArgs,
    /// How the report is written.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// Settings of `doctor upstream`.
#[derive(Debug, Args)]
pub struct DoctorUpstreamArgs {
    /// The application, for its basePath.
    #[command(flatten)]
    pub application: ApplicationArgs,
    /// The upstream.
    #[command(flatten)]
    pub upstream: UpstreamArgs,
    /// Where the gateway is to listen, which is where browsers come from.
    #[command(flatten)]
    pub listen: ListenArgs,
    /// How the report is written.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// The Next.js application.
#[derive(Debug, Args)]
pub struct ApplicationArgs {
    /// Folder of the Next.js application [default: the first folder upwards that holds a
    /// `frontend/` depending on `next`, or depends on `next` itself]
    #[arg(long, env = "NEXTBNB_FRONTEND", value_name = "DIR")]
    pub frontend: Option<PathBuf>,
    /// Largest body of a request that is passed on, as for `serve`
    #[arg(long, env = "NEXTBNB_MAX_BODY", value_name = "SIZE", value_parser = parse_bytes)]
    pub max_body: Option<u64>,
}

/// The upstream.
#[derive(Debug, Args)]
pub struct UpstreamArgs {
    /// Origin of Next.js, as for `serve` [default: that of `serve`, where something answers]
    #[arg(long, env = "NEXTBNB_UPSTREAM", value_name = "URL")]
    pub upstream: Option<String>,
    /// The site's one public origin, as for `serve`
    #[arg(long, env = "NEXTBNB_PUBLIC_URL", value_name = "ORIGIN")]
    pub public_url: Option<String>,
}

/// Settings of `doctor database`.
#[derive(Debug, Args)]
pub struct DoctorDatabaseArgs {
    /// Where sessions and accounts are kept.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// File with the secrets that sign session cookies, or set SESSION_SECRET, as for `serve`; without
    /// them signatures are not checked [default with the embedded database: those in the state folder]
    #[arg(long, env = "NEXTBNB_SESSION_SECRET_FILE", value_name = "FILE")]
    pub session_secret_file: Option<PathBuf>,
    /// Accept secrets under 32 bytes, to adopt those of an Express site
    #[arg(long, env = "NEXTBNB_ALLOW_SHORT_SECRET", value_parser = FalseyValueParser::new())]
    pub allow_short_secret: bool,
    /// What `passport.user` holds, as for `serve`
    #[arg(long, env = "NEXTBNB_SESSION_USER_KEY", value_name = "KEY", default_value = "email")]
    pub session_user_key: String,
    /// Name of the session cookie
    #[arg(long, env = "NEXTBNB_COOKIE_NAME", value_name = "NAME", default_value = "nextbnb")]
    pub cookie_name: String,
    /// Read a session cookie from standard input and say what it leads to, or why to nothing: its
    /// value as browsers show it, `name=value`, or a whole Cookie header
    #[arg(long, env = "NEXTBNB_COOKIE_STDIN", value_parser = FalseyValueParser::new())]
    pub cookie_stdin: bool,
    /// Read at most so many sessions and so many accounts; counts are then those of a sample
    #[arg(
        long,
        env = "NEXTBNB_SAMPLE",
        value_name = "ROWS",
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    pub sample: Option<u64>,
    /// How the report is written.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// How a report is written.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Write one JSON object for programs, see docs/doctor.md
    #[arg(long, env = "NEXTBNB_JSON", value_parser = FalseyValueParser::new())]
    pub json: bool,
    /// Write without colour, as where no terminal reads; the variable counts whatever it is set to
    #[arg(
        long,
        env = "NO_COLOR",
        value_parser = |text: &str| Ok::<_, Infallible>(!text.is_empty())
    )]
    pub no_color: bool,
}
