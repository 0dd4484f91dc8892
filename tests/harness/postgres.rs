//! One throw-away Postgres for all tests of a process.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// Makes and starts a server in folder `$1` with the programs in `$2`, says so, and removes both
/// when the pipe that it reads from closes: however the tests end, also by SIGKILL.
const WATCHER: &str = r#"
    trap '' INT TERM HUP
    if [ "$(id -u)" = 0 ]; then
        chown postgres "$1" && as="runuser -u postgres --"
    fi
    cd "$1" || exit 1
    {
        $as "$2/initdb" -D "$1/data" -U postgres -A trust -E UTF8 --locale=C --no-sync &&
        $as "$2/pg_ctl" -D "$1/data" -l "$1/log" -w start -o "-h '' -k '$1' -c fsync=off \
            -c synchronous_commit=off -c full_page_writes=off -c max_connections=300"
    } >"$1/start" 2>&1 </dev/null && echo ready || { cat "$1/start" "$1/log"; echo failed; }
    read -r _
    $as "$2/pg_ctl" -D "$1/data" -m immediate stop >/dev/null 2>&1
    cd / && rm -rf "$1"
"#;

/// Where the tests may create databases; starts a server at the first call.
pub(crate) fn server_url() -> &'static str {
    static SERVER: OnceLock<(String, Option<Child>)> = OnceLock::new();
    let (url, _watcher) = SERVER.get_or_init(|| match variable("TEST_DATABASE_URL") {
        Some(url) => (url, None),
        None => start(),
    });
    url
}

fn start() -> (String, Option<Child>) {
    let programs = find_programs().expect(
        "Postgres's programs (initdb, pg_ctl) are needed in PATH or /usr/lib/postgresql, \
         or a server in TEST_DATABASE_URL; `make test-deps` sees to that",
    );
    let folder = tempfile::Builder::new().prefix("nextbnb-pg-").tempdir().expect("a folder").keep();
    let mut watcher = Command::new("sh")
        .args(["-c", WATCHER, "watcher"])
        .args([&folder, &programs])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell");
    let output = BufReader::new(watcher.stdout.take().expect("the watcher's output"));
    let mut told = String::new();
    for line in output.lines() {
        let line = line.expect("the watcher's output");
        if line == "ready" {
            let url = format!("postgres://postgres@localhost/postgres?host={}", folder.display());
            return (url, Some(watcher));
        }
        if line == "failed" {
            break;
        }
        told.push_str(&line);
        told.push('\n');
    }
    drop(watcher.stdin.take());
    watcher.wait().expect("the end of the watcher");
    panic!("Postgres does not start:\n{told}");
}

/// One of Postgres's programs, such as `psql`.
pub fn program(name: &str) -> PathBuf {
    find_programs().expect("Postgres's programs; `make test-deps` sees to that").join(name)
}

/// The newest of several.
fn find_programs() -> Option<PathBuf> {
    let has_all =
        |folder: &PathBuf| ["initdb", "pg_ctl"].iter().all(|program| folder.join(program).exists());
    let path = variable("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&path).find(has_all);
    // What stands in PATH may be a link; initdb looks for its own kind beside itself.
    let resolved = in_path.and_then(|folder| fs::canonicalize(folder.join("initdb")).ok());
    let resolved = resolved.as_deref().and_then(Path::parent).map(Path::to_path_buf);
    resolved.or_else(|| {
        let versions = fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
        let mut folders: Vec<_> = versions.map(|version| version.path().join("bin")).collect();
        folders.sort();
        folders.into_iter().rev().find(has_all)
    })
}

#[expect(clippy::disallowed_methods, reason = "the tests' own surroundings")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
