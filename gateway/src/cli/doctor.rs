//! `doctor`: looks, and says what is wrong.

use std::io::{self, IsTerminal, Read, Write};
use std::process::ExitCode;

use super::block_on;
use super::signals::{HangUp, StopSignals};
use crate::config::doctor::DatabaseSubject;
use crate::config::doctor_args::{DoctorArgs, DoctorPart, ReportArgs};
use crate::doctor::database::examine;
use crate::doctor::render::{self, Colour};
use crate::error::StartError;

/// Bytes read of a pasted cookie: Node's longest header is 16 kB.
const LONGEST_PASTE: u64 = 64 * 1024;

/// Ends with 1 when there is a problem.
pub(super) fn run(args: &DoctorArgs) -> Result<ExitCode, StartError> {
    let DoctorPart::Database(args) = &args.part;
    let subject = DatabaseSubject::of(args)?;
    let pasted = if args.cookie_stdin { Some(read_cookie()?) } else { None };
    let report = block_on(HangUp::Ends, async {
        let looking = async { Ok(examine(&subject, pasted.as_deref()).await) };
        StopSignals::listen(HangUp::Ends)?.unless_told(looking).await
    })?;
    let Some(report) = report else { return Ok(ExitCode::FAILURE) };
    let written = if args.report.json {
        render::json(&report)
    } else {
        render::text(&report, colour(&args.report))
    };
    io::stdout().write_all(written.as_bytes()).map_err(|source| StartError::Output { source })?;
    Ok(if report.is_healthy() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// From standard input, since arguments are everybody's to read.
fn read_cookie() -> Result<Vec<u8>, StartError> {
    let mut pasted = Vec::new();
    let mut input = io::stdin().take(LONGEST_PASTE);
    if io::stdin().is_terminal() {
        drop(io::stderr().write_all(b"paste the cookie, then Enter and Ctrl-D:\n"));
    }
    input
        .read_to_end(&mut pasted)
        .map_err(|source| StartError::System { what: "without standard input", source })?;
    Ok(pasted)
}

fn colour(args: &ReportArgs) -> Colour {
    if io::stdout().is_terminal() && !args.no_color { Colour::On } else { Colour::Off }
}
