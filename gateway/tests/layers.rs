//! What can be read off the sources: imports run downward in the order of `lib.rs`, so that there
//! are no cycles, and what only one place may do is done in no other.
#![allow(clippy::unwrap_used, reason = "a failed set-up should stop the test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Rooms in reading order: a room may import only from those after it.
const ROOMS: [&str; 19] = [
    "fuzzing",
    "cli",
    "app",
    "doctor",
    "config",
    "server",
    "gateway",
    "auth",
    "session",
    "accounts",
    "identity",
    "downstream",
    "static_files",
    "proxy",
    "next",
    "ops",
    "database",
    "entity",
    "error",
];

#[test]
fn imports_run_downward() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for file in files(&source, &["rs"]) {
        let Some(room) = room_of(&source, &file) else { continue };
        for import in imports(&fs::read_to_string(&file).unwrap()) {
            if !is_allowed(&room, &import) {
                wrong.push(format!("{} imports crate::{import}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_library_lists_its_rooms_in_reading_order() {
    let library = include_str!("../src/lib.rs");
    let listed: Vec<&str> = library
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod "))
        .map(|name| name.trim_end_matches(';'))
        .collect();
    assert_eq!(listed, ROOMS);
}

#[test]
fn an_import_against_the_order_would_be_found() {
    assert!(is_allowed("gateway", "session"));
    assert!(!is_allowed("session", "gateway"));
    assert!(!is_allowed("proxy", "config"));
    assert!(!is_allowed("proxy", "unknown"));
    assert_eq!(imports("use crate::{a::B, c};\nlet x = crate::d::e();"), ["a", "c", "d"]);
}

#[test]
fn only_identity_names_the_trusted_headers() {
    check_only(
        &["x-forwarded-user", "x-forwarded-email", "x-forwarded-preferred"],
        &["identity/headers.rs", "identity/names.rs"],
    );
}

/// `proxy/forwarding.rs` sets them.
#[test]
fn only_the_front_reads_what_proxies_tell() {
    check_only(
        &["x_forwarded_for", "x_forwarded_proto", "x_forwarded_host", "x_forwarded_port"],
        &["downstream/forwarded_for.rs", "downstream/front.rs", "proxy/forwarding.rs"],
    );
}

/// `database/tables.rs` reads no row: it looks whether the columns are there.
#[test]
fn only_the_store_touches_the_table_of_sessions() {
    check_only(
        &["session::column", "session::{column", "session::entity", "session::{entity"],
        &["database/tables.rs", "session/store/mod.rs", "session/store/touch.rs"],
    );
}

#[test]
fn the_environment_is_read_in_config_and_for_the_log() {
    check_only(&["env::var", "env = \"", "default_env"], &["config/", "ops/logs.rs"]);
}

#[test]
fn the_frontend_knows_nothing_of_a_custom_server() {
    let frontend = Path::new(env!("CARGO_MANIFEST_DIR")).join("../frontend");
    let manifest = fs::read_to_string(frontend.join("package.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let scripts = serde_json::json!({
        "dev": "next dev", "build": "next build", "start": "next start"
    });
    assert_eq!(manifest["scripts"], scripts);
    let sources = ["app", "components", "lib"].map(|folder| frontend.join(folder));
    let mut sources: Vec<_> =
        sources.iter().flat_map(|folder| files(folder, &["ts", "tsx"])).collect();
    sources.push(frontend.join("next.config.ts"));
    assert!(sources.len() > 20, "these are not the sources");
    for source in sources {
        let text = fs::read_to_string(&source).unwrap();
        for word in ["createServer", "node:http", "express", "server.js", "from 'next'"] {
            let is_type = word == "from 'next'" && text.contains("import type");
            assert!(!text.contains(word) || is_type, "{} has {word}", source.display());
        }
    }
}

/// Fails unless exactly these files and folders under `src/` hold one of the words, in letters of
/// either case.
#[track_caller]
fn check_only(words: &[&str], expected: &[&str]) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let has_word = |file: &PathBuf| {
        let text = fs::read_to_string(file).unwrap().to_lowercase();
        words.iter().any(|word| text.contains(word))
    };
    let place = |file: PathBuf| {
        let file = file.strip_prefix(&source).unwrap().display().to_string();
        let folder =
            expected.iter().find(|place| place.ends_with('/') && file.starts_with(**place));
        folder.map_or(file.clone(), ToString::to_string)
    };
    let found = files(&source, &["rs"]).into_iter().filter(has_word).map(place);
    let found: BTreeSet<String> = found.collect();
    assert!(found.iter().eq(expected), "{words:?} in {found:?}, not in {expected:?}");
}

fn is_allowed(room: &str, import: &str) -> bool {
    let place = |name: &str| ROOMS.iter().position(|room| *room == name);
    match (place(room), place(import)) {
        (Some(from), Some(to)) => from <= to,
        _ => false,
    }
}

/// The rooms that a source text names by `crate::`.
fn imports(text: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
    };
    let mut found = Vec::new();
    for part in text.split("crate::").skip(1) {
        match part.strip_prefix('{') {
            None => found.push(name(part)),
            Some(group) => {
                let group = group.split("};").next().unwrap_or_default();
                let mut depth = 0;
                let top_level = group.split(|c: char| {
                    depth += i32::from(c == '{') - i32::from(c == '}');
                    c == ',' && depth == 0
                });
                found.extend(top_level.map(|item| name(item.trim())).filter(|n| !n.is_empty()));
            }
        }
    }
    found
}

fn room_of(source: &Path, file: &Path) -> Option<String> {
    let first = file.strip_prefix(source).unwrap().components().next()?;
    let room = first.as_os_str().to_str()?.trim_end_matches(".rs").to_owned();
    (room != "lib" && room != "main").then_some(room)
}

/// The files in a folder and below whose names end with one of these.
fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, endings));
        } else if path.extension().is_some_and(|ending| endings.iter().any(|e| ending == *e)) {
            found.push(path);
        }
    }
    found
}
