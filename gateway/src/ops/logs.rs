//! Where log lines go and what they look like.

use std::env::VarError;
use std::error::Error;
use std::io::IsTerminal;
use std::panic::PanicHookInfo;

use clap::ValueEnum;
use tracing::{debug, error, warn};
use tracing_subscriber::EnvFilter;

/// The migrator would tell each step twice over; the gateway says once what was applied.
const DEFAULT: &str = "info,sea_orm_migration=warn,sqlx::postgres::notice=warn";

/// What log lines look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogShape {
    /// For people, with colour on a terminal.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// Sends log lines to standard error from now on, panics among them.
///
/// `RUST_LOG` chooses which, by default all from `info` on. A second call in one process changes
/// nothing.
pub fn start_logs(shape: LogShape) {
    let (filter, mistake) = match EnvFilter::try_from_default_env() {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new(DEFAULT), error.source().and_then(mistake_in)),
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .log_internal_errors(false); // A closed terminal must not end what outlives it.
    let started = match shape {
        LogShape::Pretty => {
            let colours = std::io::stderr().is_terminal();
            builder.with_target(false).with_ansi(colours).compact().try_init()
        }
        LogShape::Json => builder.json().flatten_event(true).with_span_list(false).try_init(),
    };
    match started {
        Ok(()) => std::panic::set_hook(Box::new(log_panic)),
        Err(error) => debug!(cause = %error, "logs were started before"),
    }
    if let Some(mistake) = mistake {
        warn!("RUST_LOG is not usable, so all from `info` on is written: {mistake}");
    }
}

/// What is wrong with the variable; `None` where it is not set.
fn mistake_in(cause: &(dyn Error + 'static)) -> Option<String> {
    (!cause.is::<VarError>()).then(|| cause.to_string())
}

/// Says where a task panicked, and not with what: that may hold somebody's data.
///
/// The task's connection ends with it, and nothing else does: tokio catches the panic.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    error!(place, "a task panicked: this is a mistake in the gateway");
}
