//! The package `nextbnb-req-session` before real servers: Next.js 9, 12, 14 and 16, and Express.
//!
//! The tests themselves are JavaScript; what they say is shown when one fails.
#![allow(clippy::unwrap_used, reason = "a failed set-up should stop the test")]

use std::process::Command;

use nextbnb_tests::next::repository;

#[track_caller]
fn run(file: &str) {
    let folder = repository().join("tests/req-session");
    let arguments = ["--test", "--test-reporter=spec", file];
    let output = Command::new("node").args(arguments).current_dir(folder).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("pass"), "no test ran: {said}");
}

#[test]
fn pages_of_next_js_9_to_16_find_their_session() {
    run("next.test.mjs");
}

#[test]
fn express_and_passport_find_their_session() {
    run("express.test.mjs");
}
