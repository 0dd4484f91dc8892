//! Real Chromium, driven by the journeys in `tests/browser/journeys/`.

use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;

use crate::next::repository;

/// Where a failed journey leaves a screenshot, and every journey what it was asked to draw.
pub fn pictures() -> PathBuf {
    repository().join("target/browser")
}

/// Walks `journey` at `url`; what it needs beside that is in `details`.
///
/// Fails with what the journey said.
#[track_caller]
pub fn walk(journey: &str, url: &str, details: &[&str]) -> impl Future<Output = ()> {
    let mut command = Command::new("node");
    command.current_dir(repository().join("tests/browser"));
    command.args(["walk.mjs", journey, url]).args(details);
    command.env("PICTURES", pictures()).stdin(Stdio::null()).kill_on_drop(true);
    let journey = journey.to_owned();
    async move {
        let output = command.output().await.expect("node does not start");
        let said = String::from_utf8_lossy(&output.stdout);
        let complained = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "the journey {journey} failed\n{said}\n{complained}");
    }
}
