//! The built executable's commands that look at a database and leave it as it is.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failed set-up should stop the test"
)]

use std::io::Write;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A command of the gateway in this folder, with nothing of this process's settings.
fn gateway(folder: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nextbnb-gateway"));
    command.args(arguments).current_dir(folder).env_clear().stdin(Stdio::null());
    command
}

/// What a command wrote to standard output and how it ended.
fn said(command: &mut Command) -> (String, Option<i32>) {
    let Output { stdout, status, .. } = command.output().unwrap();
    (String::from_utf8(stdout).unwrap(), status.code())
}

#[test]
fn a_print_is_sql_that_the_shell_runs_and_applies_nothing() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("site.sqlite"), "").unwrap();
    let arguments = ["migrate", "--print", "--database-url", "sqlite://site.sqlite"];
    let (sql, code) = said(&mut gateway(&folder, &arguments));
    assert_eq!(code, Some(0));
    assert_eq!(std::fs::read(folder.path().join("site.sqlite")).unwrap(), b"");
    let mut shell = Command::new("sqlite3");
    shell.args(["-bail", "site.sqlite"]).current_dir(&folder).stdin(Stdio::piped());
    let mut shell = shell.spawn().unwrap();
    shell.stdin.take().unwrap().write_all(sql.as_bytes()).unwrap();
    assert!(shell.wait().unwrap().success(), "{sql}");

    let (nothing, code) = said(&mut gateway(&folder, &arguments));
    assert_eq!(code, Some(0));
    assert!(nothing.contains("nothing is pending"), "{nothing}");
    assert!(nothing.lines().all(|line| line.starts_with("-- ")), "{nothing}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was made");
}

/// A migrated file `site.sqlite`.
fn site() -> (TempDir, [&'static str; 4]) {
    let folder = TempDir::new().unwrap();
    let mut migrate =
        gateway(&folder, &["migrate", "--database-url", "sqlite://site.sqlite?mode=rwc"]);
    assert!(migrate.stderr(Stdio::null()).status().unwrap().success());
    (folder, ["doctor", "database", "--database-url", "sqlite://site.sqlite"])
}

#[test]
fn a_doctor_ends_well_on_warnings_and_badly_on_problems() {
    let (folder, look) = site();
    let (report, code) = said(&mut gateway(&folder, &look));
    assert!(report.contains("\nwarning  secrets "), "{report}");
    assert!(report.ends_with("\n0 problems, 1 warning\n") && !report.contains('\x1b'), "{report}");
    assert_eq!(code, Some(0), "{report}");

    let (report, code) = said(gateway(&folder, &look).env("SESSION_SECRET", "hunter2"));
    assert!(report.contains("\nproblem  secrets ") && !report.contains("hunter2"), "{report}");
    assert_eq!(code, Some(1));
    let (_, code) = said(gateway(&folder, &["doctor", "database", "--what"]).stderr(Stdio::null()));
    assert_eq!(code, Some(2));
}

#[test]
fn a_doctor_reads_a_cookie_from_standard_input_and_writes_json() {
    let (folder, look) = site();
    let mut doctor = gateway(&folder, &look);
    doctor.args(["--cookie-stdin", "--json", "--allow-short-secret"]);
    doctor.env("SESSION_SECRET", "343ji43j4n3jn4jk3n").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut doctor = doctor.spawn().unwrap();
    let cookie = "nextbnb=s%3AFOuIfejAGTNED3azkkvFfsMTsFEtHapb.\
        hOzZxel5kSoqgDzzRaBJtHbAcQqxnxaQXHr2ejP%2BQSc\n";
    doctor.stdin.take().unwrap().write_all(cookie.as_bytes()).unwrap();
    let output = doctor.wait_with_output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let last = report["findings"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["id"], &last["level"]), (&"cookie".into(), &"problem".into()));
    assert_eq!(last["facts"]["signed_by"], 1);
    assert_eq!((report["healthy"].as_bool(), output.status.code()), (Some(false), Some(1)));
}
