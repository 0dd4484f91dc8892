//! `doctor`: looks, and says what is wrong.

use std::io::{self, IsTerminal, Read, Write};
use std::process::ExitCode;

use super::block_on;
use super::signals::{HangUp, StopSignals};
use crate::config::doctor::{DatabaseSubject, EverythingSubject, FrontendSubject, UpstreamSubject};
use crate::config::doctor_args::{DoctorArgs, DoctorDatabaseArgs, DoctorPart, ReportArgs};
use crate::doctor::render::{self, Colour};
use crate::doctor::{Report, database, everything};
use crate::error::StartError;

/// Bytes read of a pasted cookie: Node's longest header is 16 kB.
const LONGEST_PASTE: u64 = 64 * 1024;

/// Ends with 1 when there is a problem.
pub(super) fn run(args: &DoctorArgs) -> Result<ExitCode, StartError> {
    match &args.part {
        None => {
            let of_database = &args.everything.database;
            let subject = EverythingSubject::of(&args.everything)?;
            let pasted = read_cookie(of_database)?;
            report(&of_database.report, everything::examine(&subject, pasted.as_deref()))
        }
        Some(DoctorPart::Machine(args)) => {
            report(&args.report, async { everything::examine_machine() })
        }
        Some(DoctorPart::Frontend(args)) => {
            let subject = FrontendSubject::of(&args.application)?;
            report(&args.report, everything::examine_frontend(&subject))
        }
        Some(DoctorPart::Upstream(args)) => {
            let subject = UpstreamSubject::of(args)?;
            report(&args.report, everything::examine_upstream(&subject))
        }
        Some(DoctorPart::Database(args)) => {
            let subject = DatabaseSubject::of(args)?;
            let pasted = read_cookie(args)?;
            report(&args.report, database::examine(&subject, pasted.as_deref()))
        }
    }
}

/// Looks, unless told to stop, and writes what was found.
fn report(
    args: &ReportArgs,
    looking: impl Future<Output = Report>,
) -> Result<ExitCode, StartError> {
    let found = block_on(HangUp::Ends, async {
        let looking = async { Ok(looking.await) };
        StopSignals::listen(HangUp::Ends)?.unless_told(looking).await
    })?;
    let Some(report) = found else { return Ok(ExitCode::FAILURE) };
    let written =
        if args.json { render::json(&report) } else { render::text(&report, colour(args)) };
    io::stdout().write_all(written.as_bytes()).map_err(|source| StartError::Output { source })?;
    Ok(if report.is_healthy() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// From standard input, since arguments are everybody's to read.
fn read_cookie(args: &DoctorDatabaseArgs) -> Result<Option<Vec<u8>>, StartError> {
    if !args.cookie_stdin {
        return Ok(None);
    }
    let mut pasted = Vec::new();
    let mut input = io::stdin().take(LONGEST_PASTE);
    if io::stdin().is_terminal() {
        drop(io::stderr().write_all(b"paste the cookie, then Enter and Ctrl-D:\n"));
    }
    input
        .read_to_end(&mut pasted)
        .map_err(|source| StartError::System { what: "without standard input", source })?;
    Ok(Some(pasted))
}

fn colour(args: &ReportArgs) -> Colour {
    if io::stdout().is_terminal() && !args.no_color { Colour::On } else { Colour::Off }
}
