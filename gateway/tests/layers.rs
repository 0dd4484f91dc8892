//! Imports run downward in the order of `lib.rs`, so that there are no cycles.
#![allow(clippy::unwrap_used, reason = "a failed set-up should stop the test")]

use std::fs;
use std::path::{Path, PathBuf};

/// Rooms in reading order: a room may import only from those after it.
const ROOMS: [&str; 15] = [
    "cli", "app", "config", "server", "gateway", "auth", "session", "accounts", "identity",
    "proxy", "next", "ops", "database", "entity", "error",
];

#[test]
fn imports_run_downward() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for file in rust_files(&source) {
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

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
