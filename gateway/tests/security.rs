//! What SECURITY.md promises has tests, and they are there.

#![allow(clippy::unwrap_used, reason = "a failed set-up should stop the test")]

use std::collections::BTreeSet;
use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// The requirements of the list that are not for later.
const REQUIRED: [RangeInclusive<u32>; 6] = [1..=30, 38..=43, 46..=51, 53..=59, 65..=65, 67..=75];

/// Those that nothing fulfils yet; each leaves with the row that names its tests.
const NOT_YET: [u32; 1] = [
    42, // There is no absolute limit.
];

/// A row of the table of promises.
struct Row {
    numbers: Vec<u32>,
    tests: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn rows() -> Vec<Row> {
    let text = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let rows = rows.filter_map(|line| {
        let [numbers, _, tests] = line.split(" | ").collect::<Vec<_>>().try_into().ok()?;
        let is_numbered = numbers == "-" || numbers.starts_with('S');
        let numbers = numbers.split(", ").filter_map(|number| number.strip_prefix('S'));
        let numbers = numbers.map(|number| number.parse().unwrap()).collect();
        is_numbered.then(|| Row { numbers, tests: tests.to_owned() })
    });
    rows.collect()
}

/// The files of a suite, of a module of one, or of a module of the gateway.
fn files_of(suite: &str) -> Vec<PathBuf> {
    let root = root();
    let module = root.join("gateway/src").join(suite.replace("::", "/"));
    let candidates = [
        module.with_extension("rs"),
        module.join("mod.rs"),
        root.join("gateway/tests").join(suite).with_extension("rs"),
    ];
    let mut files: Vec<_> = candidates.into_iter().filter(|file| file.is_file()).collect();
    if !suite.contains("::")
        && let Ok(entries) = fs::read_dir(root.join("tests").join(suite))
    {
        files.extend(entries.map(|entry| entry.unwrap().path()));
    }
    files.retain(|file| file.extension().is_some_and(|ending| ending == "rs"));
    files
}

/// Whether one of `files` is the module `name` with tests in it, or has a test of that name.
fn have(files: &[PathBuf], name: &str) -> bool {
    files.iter().any(|file| {
        let text = fs::read_to_string(file).unwrap();
        let is_module = file.file_stem().is_some_and(|stem| stem == name);
        let has_tests =
            ["test]", "::test(", "on_both_databases! {"].iter().any(|it| text.contains(it));
        is_module && has_tests || text.contains(&format!("fn {name}("))
    })
}

/// What is named in `tests` and is not there: each name is a test or module of the suite before it,
/// or a suite.
fn missing(tests: &str) -> Vec<String> {
    let (mut scope, mut missing) = (Vec::new(), Vec::new());
    for named in tests.split('`').skip(1).step_by(2) {
        let (suites, name) = match named.rsplit_once(": ") {
            Some((suites, name)) => (suites.split(": ").collect(), name),
            None => (Vec::new(), named),
        };
        let is_file = name.contains('/') && root().join(name).is_file();
        for suite in &suites {
            let inner: Vec<PathBuf> =
                scope.iter().filter(|file: &&PathBuf| is_called(file, suite)).cloned().collect();
            let is_inner = suites.first() != Some(suite) && !inner.is_empty();
            scope = if is_inner { inner } else { files_of(suite) };
        }
        let is_suite = suites.is_empty() && !have(&scope, name) && !files_of(name).is_empty();
        if is_suite {
            scope = files_of(name);
        } else if !is_file && !have(&scope, name) {
            missing.push(named.to_owned());
        }
    }
    missing
}

fn is_called(file: &Path, name: &str) -> bool {
    file.file_stem().is_some_and(|stem| stem == name)
}

#[test]
fn every_test_that_is_named_is_there() {
    let missing: Vec<String> = rows().iter().flat_map(|row| missing(&row.tests)).collect();
    assert!(missing.is_empty(), "SECURITY.md names what is not there: {missing:#?}");
}

#[test]
fn a_promise_names_a_test_or_says_why_none_is_needed() {
    for row in rows() {
        let is_told = row.tests.contains('`') || row.tests.contains("by construction");
        assert!(is_told, "S{:?}: {}", row.numbers, row.tests);
    }
}

#[test]
fn every_requirement_has_a_row_and_what_has_one_is_not_missing_any_more() {
    let told: BTreeSet<u32> = rows().into_iter().flat_map(|row| row.numbers).collect();
    let required: BTreeSet<u32> = REQUIRED.into_iter().flatten().collect();
    let not_yet = BTreeSet::from(NOT_YET);
    let untold: Vec<_> = required.difference(&told).filter(|n| !not_yet.contains(n)).collect();
    assert!(untold.is_empty(), "no row in SECURITY.md: {untold:?}");
    let fulfilled: Vec<_> = not_yet.intersection(&told).collect();
    assert!(fulfilled.is_empty(), "take these off NOT_YET: {fulfilled:?}");
}

#[test]
fn a_name_that_no_suite_has_would_be_found() {
    assert_eq!(missing("`it: a_head_has_a_size`, `tls: no_such_test`"), ["tls: no_such_test"]);
    assert_eq!(missing("`it: a_head_has_a_size`, `no_such_test`"), ["no_such_test"]);
    assert_eq!(missing("`session::no_such_module`"), ["session::no_such_module"]);
    assert_eq!(missing("`it: http2: a_head_has_a_size`"), ["it: http2: a_head_has_a_size"]);
    assert!(missing("`it: crowds`, `http2_attacks`, `descriptors`").is_empty());
}
