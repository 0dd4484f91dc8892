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

/// A server of one test alone, which may be killed.
#[derive(Debug)]
pub struct OwnServer {
    url: String,
    folder: PathBuf,
    watcher: Child,
}

impl OwnServer {
    /// A new one.
    pub fn start() -> Self {
        let (url, watcher) = start();
        let (_, folder) = url.rsplit_once("host=").expect("a folder");
        let (url, folder) = (url.clone(), PathBuf::from(folder));
        Self { url, folder, watcher: watcher.expect("a watcher") }
    }

    /// A new one that keeps what it has committed when it is killed, which costs tests too much else.
    pub fn start_keeping() -> Self {
        let server = Self::start();
        server.kill();
        server.restart();
        server
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Ends it as a crash does, and all who serve for it.
    pub fn kill(&self) {
        let noted = fs::read_to_string(self.folder.join("data/postmaster.pid")).expect("a note");
        let first: i32 = noted.lines().next().and_then(|pid| pid.parse().ok()).expect("a pid");
        let pid = rustix::process::Pid::from_raw(first).expect("a process");
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("a signal");
    }

    /// Starts it again, on the same rows, once those who served for it have noticed.
    pub fn restart(&self) {
        let has_started = (0..300).any(|_| {
            let has_started = self.start_again().status().expect("pg_ctl").success();
            if !has_started {
                std::thread::sleep(std::time::Duration::from_millis(100));
            }
            has_started
        });
        assert!(has_started, "{:?}", fs::read_to_string(self.folder.join("log")));
    }

    fn start_again(&self) -> Command {
        let program = program("pg_ctl");
        let mut command = if rustix::process::geteuid().is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(&self.folder).stdout(Stdio::null()).stdin(Stdio::null());
        let options = format!("-h '' -k '{}' -c fsync=off", self.folder.display());
        command.arg("-D").arg(self.folder.join("data")).arg("-l").arg(self.folder.join("log"));
        command.args(["-w", "-o", &options, "start"]);
        command
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        drop(self.watcher.stdin.take()); // At which the watcher stops the server.
        drop(self.watcher.wait());
    }
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
