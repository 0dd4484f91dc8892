//! The built executable told to end before it serves, while something that it waits for hangs.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed set-up should stop the test")]

use std::fs;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tempfile::TempDir;

/// Far longer than anything here takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(30);

const SIGNALS: [Signal; 3] = [Signal::INT, Signal::TERM, Signal::HUP];

/// A gateway in a folder of its own; killed when dropped.
struct Gateway {
    child: Child,
}

impl Gateway {
    fn start(folder: &TempDir, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nextbnb-gateway"));
        command.args(arguments).current_dir(folder).env_clear();
        command.envs(environment.iter().copied());
        command.stdin(Stdio::null()).stderr(Stdio::piped());
        Self { child: command.spawn().unwrap() }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Its end, and all that it said.
    fn ended(&mut self) -> (ExitStatus, String) {
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap(), said)
    }

    #[track_caller]
    fn assert_ends_well_on(mut self, signal: Signal) {
        self.signal(signal);
        let (status, said) = self.ended();
        assert_eq!(status.code(), Some(0), "{signal:?}: {said}");
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A database that accepts and never answers.
struct SilentDatabase(TcpListener);

impl SilentDatabase {
    fn start() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    fn url(&self) -> String {
        format!("postgres://ada@{}/nextbnb?sslmode=disable", self.0.local_addr().unwrap())
    }

    /// A connection on which somebody has begun to wait.
    fn asked(&self) -> TcpStream {
        let (mut connection, _) = self.0.accept().unwrap();
        assert_ne!(connection.read(&mut [0; 64]).unwrap(), 0);
        connection
    }
}

const SECRET: (&str, &str) = ("SESSION_SECRET", "a secret of thirty-two bytes....");

#[test]
fn a_database_that_hangs_holds_up_no_signal() {
    let commands: [&[&str]; 2] = [
        &["serve", "--port", "0", "--host", "127.0.0.1"],
        &["dev", "--port", "0", "--host", "127.0.0.1", "--upstream", "http://127.0.0.1:1"],
    ];
    for (arguments, signal) in commands.into_iter().flat_map(|c| SIGNALS.map(|s| (c, s))) {
        let (folder, database) = (TempDir::new().unwrap(), SilentDatabase::start());
        let environment = [SECRET, ("DATABASE_URL", &database.url())];
        let gateway = Gateway::start(&folder, arguments, &environment);
        let _connection = database.asked();
        gateway.assert_ends_well_on(signal);
    }
}

#[test]
fn a_migration_cut_short_is_no_success() {
    for signal in SIGNALS {
        let (folder, database) = (TempDir::new().unwrap(), SilentDatabase::start());
        let mut gateway =
            Gateway::start(&folder, &["migrate"], &[("DATABASE_URL", &database.url())]);
        let _connection = database.asked();
        gateway.signal(signal);
        let (status, said) = gateway.ended();
        assert_eq!(status.code(), Some(1), "{signal:?}: {said}");
        assert!(said.contains("before the tables were up to date"), "{said}");
        assert!(said.contains("the database is postgres://"), "what it waits for: {said}");
    }
}

#[test]
fn a_node_that_hangs_holds_up_no_signal() {
    for signal in SIGNALS {
        let folder = TempDir::new().unwrap();
        application(folder.path(), "echo $$ > asked.new; /bin/mv asked.new asked; exec sleep 600");
        let tools = folder.path().join("tools").display().to_string();
        let path = [("PATH", &*format!("{tools}:/usr/bin:/bin"))];
        let gateway = Gateway::start(&folder, &["dev", "--port", "0"], &path);
        until("node is asked", || folder.path().join("asked").exists());
        let node = fs::read_to_string(folder.path().join("asked")).unwrap();
        gateway.assert_ends_well_on(signal);
        let node = Pid::from_raw(node.trim().parse().unwrap()).unwrap();
        until("node is gone", || test_kill_process(node).is_err());
    }
}

/// A Next.js application in `folder`, beside a `node` that does `script`.
fn application(folder: &Path, script: &str) {
    fs::write(folder.join("package.json"), r#"{"dependencies":{"next":"16.4.5"}}"#).unwrap();
    let node = folder.join("tools/node");
    fs::create_dir(folder.join("tools")).unwrap();
    fs::write(&node, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&node, fs::Permissions::from_mode(0o755)).unwrap();
}

#[track_caller]
fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < DEADLINE, "waited too long until {what}");
        sleep(Duration::from_millis(20));
    }
}
