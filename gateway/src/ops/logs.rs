//! Where log lines go and what they look like.

use std::cell::RefCell;
use std::env::VarError;
use std::error::Error;
use std::io::{self, IsTerminal};
use std::panic::PanicHookInfo;
use std::sync::OnceLock;
use std::time::SystemTime;

use clap::ValueEnum;
use tracing::{Level, debug, enabled, error, warn};
use tracing_subscriber::EnvFilter;

use super::access_line::{AccessLine, TARGET};
use super::calm::{Calm, Palette, write_request};
pub use super::log_queue::Pace;
use super::log_queue::{LogQueue, Room};
use crate::error::StartError;

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

/// Who reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogReader {
    /// Somebody afterwards, or a program.
    Operator,
    /// Somebody who develops: at a terminal the lines are short.
    Developer(Detail),
}

/// How much a developer is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Nothing of requests that went as requests go.
    Quiet,
    /// No requests for built files, and none of hot reload.
    Usual,
    /// Every request.
    Verbose,
}

impl LogReader {
    /// What is written unless `RUST_LOG` says otherwise. The commands' own words are always: one of
    /// them says where to look.
    fn filter(self) -> String {
        match self {
            Self::Developer(Detail::Quiet) => "warn,nextbnb_gateway::cli=info".to_owned(),
            Self::Developer(Detail::Verbose) => format!("{DEFAULT},{TARGET}=debug"),
            Self::Operator | Self::Developer(Detail::Usual) => DEFAULT.to_owned(),
        }
    }
}

/// The log of this process, once it is started.
static LOG: OnceLock<Log> = OnceLock::new();

#[derive(Debug)]
struct Log {
    queue: LogQueue,
    /// How lines of requests are written; `None` where they go by way of `tracing`.
    requests: Option<RequestLines>,
}

#[derive(Debug)]
struct RequestLines {
    look: RequestLook,
    pace: Pace,
    /// The least important level that is wanted.
    least: Option<Level>,
}

/// What the line of a request looks like.
#[derive(Debug, Clone, Copy)]
enum RequestLook {
    Full(LogShape),
    Calm(Palette),
}

/// Sends log lines to standard error from now on, panics among them; those of requests at `pace`,
/// but at once where somebody looks at a terminal.
///
/// `RUST_LOG` chooses which, by default all from `info` on. A second call in one process changes
/// nothing.
pub fn start_logs(shape: LogShape, pace: Pace, reader: LogReader) -> Result<LogGuard, StartError> {
    let (filter, mistake) = match EnvFilter::try_from_default_env() {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new(reader.filter()), error.source().and_then(mistake_in)),
    };
    let queue = LogQueue::start(io::stderr())
        .map_err(|source| StartError::System { what: "the log", source })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(queue.clone())
        .log_internal_errors(false); // A closed terminal must not end what outlives it.
    let is_terminal = io::stderr().is_terminal();
    let has_colours = shape == LogShape::Pretty && wants_colour(&io::stderr());
    let palette = if has_colours { Palette::Colours } else { Palette::Plain };
    let is_calm = is_terminal && matches!(reader, LogReader::Developer(_));
    let started = match shape {
        LogShape::Pretty if is_calm => {
            builder.with_ansi(has_colours).event_format(Calm(palette)).try_init()
        }
        LogShape::Pretty => builder.with_target(false).with_ansi(has_colours).compact().try_init(),
        LogShape::Json => builder.json().flatten_event(true).with_span_list(false).try_init(),
    };
    match started {
        Ok(()) => {
            std::panic::set_hook(Box::new(log_panic));
            let pace = if is_terminal { Pace::AtOnce } else { pace };
            let look = match shape {
                LogShape::Pretty if is_calm => Some(RequestLook::Calm(palette)),
                LogShape::Pretty if has_colours => None,
                shape => Some(RequestLook::Full(shape)),
            };
            let requests = look.map(|look| RequestLines { look, pace, least: least_level() });
            let is_first = LOG.set(Log { queue: queue.clone(), requests }).is_ok();
            debug_assert!(is_first, "only the first subscriber is taken");
        }
        Err(error) => debug!(cause = %error, "logs were started before"),
    }
    if let Some(mistake) = mistake {
        warn!("RUST_LOG is not usable, so all from `info` on is written: {mistake}");
    }
    Ok(LogGuard(queue))
}

/// Whether colours are wanted in what is written to `out`: where that is a terminal, and with
/// `NO_COLOR` nowhere, unless that is empty (<https://no-color.org>).
#[expect(clippy::disallowed_methods, reason = "how text looks is the log's affair")]
pub fn wants_colour(out: &impl IsTerminal) -> bool {
    out.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Writes what is left, for a second at most, when it is dropped.
#[derive(Debug)]
pub struct LogGuard(LogQueue);

impl Drop for LogGuard {
    fn drop(&mut self) {
        self.0.flush();
    }
}

/// Lines that nobody read in time.
pub fn lost_lines() -> u64 {
    LOG.get().map_or(0, |log| log.queue.lost())
}

/// Writes the line of a request, if it is wanted.
pub(super) fn write_access(line: &AccessLine<'_>) {
    thread_local! {
        static LINE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    let Some(Log { queue, requests: Some(requests) }) = LOG.get() else { return line.trace() };
    if requests.least.is_none_or(|least| line.level > least) {
        return;
    }
    let (pace, room) = if line.level <= Level::WARN {
        (Pace::AtOnce, Room::Other)
    } else {
        (requests.pace, Room::Request)
    };
    LINE.with_borrow_mut(|text| {
        text.clear();
        match requests.look {
            RequestLook::Full(shape) => line.write(shape, SystemTime::now(), text),
            RequestLook::Calm(palette) => write_request(line, palette, text),
        }
        queue.push(text, pace, room);
    });
}

/// The least important level at which lines of requests are wanted.
fn least_level() -> Option<Level> {
    let wanted = [
        (Level::DEBUG, enabled!(target: TARGET, Level::DEBUG)),
        (Level::INFO, enabled!(target: TARGET, Level::INFO)),
        (Level::WARN, enabled!(target: TARGET, Level::WARN)),
        (Level::ERROR, enabled!(target: TARGET, Level::ERROR)),
    ];
    wanted.into_iter().find(|(_, is_wanted)| *is_wanted).map(|(level, _)| level)
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
