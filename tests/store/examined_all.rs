//! `doctor` before a real server: the database's findings are among the others.

use std::process::Stdio;

use nextbnb_migrations::TableNames;
use nextbnb_tests::binary::gateway_binary;
use nextbnb_tests::database::TestDatabase;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::site::{SECRET, connect};

#[tokio::test]
async fn everything_is_one_report_with_the_database_in_it() {
    let test = TestDatabase::postgres().await;
    connect(&test).await.migrate(&TableNames::default()).await.unwrap();
    let binary = tokio::task::spawn_blocking(gateway_binary).await.unwrap();
    let folder = TempDir::new().unwrap();
    let mut doctor = Command::new(binary);
    doctor.args(["doctor", "--json", "--allow-short-secret", "--port", "0"]);
    doctor.current_dir(&folder).env_clear().stdin(Stdio::null());
    doctor.env("DATABASE_URL", test.url()).env("SESSION_SECRET", SECRET);
    let output = doctor.output().await.unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let level = |id: &str| {
        let found = findings.iter().find(|finding| finding["id"] == id);
        found.unwrap_or_else(|| panic!("no {id} in {report}"))["level"].as_str()
    };
    for id in ["cores", "frontend", "port", "upstream", "database", "clock", "sessions", "secrets"]
    {
        assert_eq!(level(id), Some("ok"), "{id} in {report}");
    }
    assert_eq!(level("secret-strength"), Some("warning"), "{report}");
    assert!(!report.to_string().contains(test.url()), "{report}");
    assert_eq!(output.status.code(), Some(0), "{report}");
}
