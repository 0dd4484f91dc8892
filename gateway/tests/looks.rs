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
