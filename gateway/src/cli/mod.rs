//! The commands.

mod asking;
mod banner;
mod completions;
mod dev;
mod dev_next;
mod doctor;
mod health;
mod health_tls;
mod help;
mod keys;
mod listing;
mod man;
mod migrate;
mod ready;
mod serve;
mod sessions;
mod signals;
mod site;
mod users;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::FromArgMatches;
use tokio::runtime::Runtime;
use tokio::task::JoinError;

use self::signals::{HangUp, StopSignals};
use crate::config::Config;
use crate::config::args::{Command, CommandLine, LogArgs};
use crate::doctor::render::visible;
use crate::error::{StartError, chain};
use crate::ops::logs::{LogReader, Pace, start_logs};
use crate::proxy::upstream_address::UpstreamAddress;
use crate::server::listeners::Listeners;

/// Longest wait, at the end, for work that cannot be cut, such as the hashing of a password.
const LEFT_OVER: Duration = Duration::from_millis(100);

/// Runs the command that the process was started with.
pub fn run() -> ExitCode {
    let parsed = help::command().try_get_matches();
    let CommandLine { command, serve } =
        match parsed.and_then(|mut matches| CommandLine::from_arg_matches_mut(&mut matches)) {
            Ok(typed) => typed,
            Err(error) => return help::refuse(error),
        };
    let done = match command.unwrap_or(Command::Serve(serve)) {
        Command::Serve(args) => {
            with_logs(&args.log, Pace::Batched, LogReader::Operator, || serve::run(&args))
        }
        Command::Dev(args) => {
            let reader = LogReader::Developer(args.view.detail());
            with_logs(&args.log, Pace::AtOnce, reader, || dev::run(&args))
        }
        Command::Migrate(args) => {
            with_logs(&args.log, Pace::AtOnce, LogReader::Operator, || migrate::run(&args))
        }
        Command::Doctor(args) => match doctor::run(&args) {
            Ok(code) => return code,
            Err(error) => Err(error),
        },
        Command::Health(args) => health::run(&args),
        Command::Users(args) => users::run(&args),
        Command::Sessions(args) => sessions::run(&args),
        Command::Completions(args) => completions::run(&args, help::command()),
        Command::Man(args) => man::run(&args, help::command()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&error);
            ExitCode::FAILURE
        }
    }
}

fn with_logs(
    args: &LogArgs,
    pace: Pace,
    reader: LogReader,
    command: impl FnOnce() -> Result<(), StartError>,
) -> Result<(), StartError> {
    let _written_at_the_end = start_logs(args.log_format, pace, reader)?;
    command()
}

/// Tells the operator's terminal, in the same words whatever the log format.
fn tell(error: &StartError) {
    let line = format!("nextbnb-gateway: {}\n", chain(error));
    drop(io::stderr().write_all(line.as_bytes())); // Nobody reads a closed terminal.
}

/// Runs a command on the runtime of everything but the workers: database, password hashing,
/// signals. The command ends on a first signal; whoever insists ends it here.
fn block_on<T>(
    hang_up: HangUp,
    command: impl Future<Output = Result<T, StartError>>,
) -> Result<T, StartError> {
    let runtime = runtime()?;
    let done = runtime.block_on(async {
        let mut signals = StopSignals::listen(hang_up)?;
        tokio::select! {
            done = command => done,
            signal = signals.insisted() => Err(StartError::Insisted { signal }),
        }
    });
    runtime.shutdown_timeout(LEFT_OVER);
    done
}

fn runtime() -> Result<Runtime, StartError> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("services")
        .enable_all()
        .build()
        .map_err(|source| StartError::System { what: "the runtime", source })
}

/// Tells on standard output what was done.
fn say(line: &str) -> Result<(), StartError> {
    let line = format!("{}\n", visible(line));
    io::stdout().write_all(line.as_bytes()).map_err(|source| StartError::Output { source })
}

/// Listens as `config` says; refuses an upstream, `next` or one of the routes', that leads back
/// here.
///
/// On a thread of its own, since a name server that hangs must not hold up a signal.
async fn listen(config: &Config, next: Option<UpstreamAddress>) -> Result<Listeners, StartError> {
    let routes = config.routes.iter().map(|(_, target)| target.upstream.clone());
    let mut upstreams: Vec<UpstreamAddress> = next.into_iter().chain(routes).collect();
    let (places, workers) = (config.listen.clone(), config.workers);
    let listening = tokio::task::spawn_blocking(move || {
        let listeners = Listeners::open(&places, workers)?;
        upstreams.retain(|upstream| listeners.are_reached_by(upstream));
        match upstreams.first() {
            Some(upstream) => Err(StartError::UpstreamIsSelf { upstream: upstream.to_string() }),
            None => Ok(listeners),
        }
    });
    let lost = |error: JoinError| {
        Err(StartError::System { what: "a thread that listens", source: error.into() })
    };
    listening.await.unwrap_or_else(lost)
}
