//! Real Next.js: the frontend of this repository, built once and started, or copied for `dev`.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex as Lock};
use std::time::SystemTime;

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};

use crate::visitor::Visitor;
use crate::wait_until;

/// The root of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// A child in its own process group, which ends with it.
#[derive(Debug)]
pub struct Group(Child);

impl Group {
    /// Starts `command` without input.
    pub fn spawn(command: &mut Command) -> Self {
        Self(command.process_group(0).stdin(Stdio::null()).spawn().unwrap())
    }

    /// Sends `signal` to everybody in the group.
    pub fn signal(&self, signal: Signal) {
        let group = Pid::from_raw(self.0.id().try_into().unwrap()).unwrap();
        kill_process_group(group, signal).ok(); // It may be gone already.
    }

    /// Whether the child itself has ended.
    pub fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        drop(self.0.wait());
    }
}

/// `next start` with its own bookings.
#[derive(Debug)]
pub struct NextServer {
    address: SocketAddr,
    data: TempDir,
    process: Option<Group>,
}

impl NextServer {
    /// Builds the frontend, unless that was done after its last change, and starts it.
    pub async fn start() -> Self {
        tokio::task::spawn_blocking(|| build(&frontend())).await.unwrap();
        let address = free_address();
        let data = TempDir::new().unwrap();
        let mut server = Self { address, data, process: None };
        server.restart().await;
        server
    }

    /// Where it answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Kills it as `kill -9` does.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Starts it again on the same port.
    pub async fn restart(&mut self) {
        let mut next = next("start", &frontend());
        next.args(["-H", "127.0.0.1", "-p", &self.address.port().to_string()]);
        next.env("DATA_DIR", self.data.path()).stdout(Stdio::null()).stderr(Stdio::null());
        self.process = Some(Group::spawn(&mut next));
        let address = self.address;
        wait_until("next start answers", async || {
            let is_open = tokio::net::TcpStream::connect(address).await.is_ok();
            is_open && Visitor::new(address).get("/").await.status == 200
        })
        .await;
    }
}

/// The command line's `dev` before a copy of the frontend that a test may edit.
#[derive(Debug)]
pub struct Dev {
    url: String,
    folder: PathBuf,
    log: Arc<Lock<Vec<String>>>,
    process: Group,
    _home: TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl Dev {
    /// Copies the frontend, lets `prepare` change the copy, and waits until `dev` is ready.
    pub async fn start(prepare: impl FnOnce(&Path)) -> Self {
        Self::start_as("frontend", &[], prepare).await
    }

    /// The same in a folder of another name, as an application that is not ours has.
    pub async fn start_in(name: &str, prepare: impl FnOnce(&Path)) -> Self {
        Self::start_as(name, &[], prepare).await
    }

    /// The same with `flags`.
    pub async fn start_with(flags: &[&str], prepare: impl FnOnce(&Path)) -> Self {
        Self::start_as("frontend", flags, prepare).await
    }

    async fn start_as(name: &str, flags: &[&str], prepare: impl FnOnce(&Path)) -> Self {
        // `next dev` compiles on every core: two at once would be late for their own sake.
        static TURN: Mutex<()> = Mutex::const_new(());
        let turn = TURN.lock().await;
        // In the build folder, which is on the same disk: packages are linked, not copied.
        let home = TempDir::new_in(repository().join("target")).unwrap();
        let folder = home.path().join(name);
        copy(&repository().join("frontend"), &folder);
        prepare(&folder);
        // Built apart: what that takes is not the time that `dev` is given to be ready.
        let built = tokio::task::spawn_blocking(|| cargo("build").status().unwrap());
        assert!(built.await.unwrap().success(), "the gateway does not build");
        let mut command = cargo("run");
        command.args(["--", "dev"]);
        command.args(["--port", "0", "--frontend"]).arg(&folder).args(flags);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = Group::spawn(&mut command);
        let log = Arc::new(Lock::new(Vec::new()));
        let (lines, stderr) = (log.clone(), process.0.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                lines.lock().unwrap().push(line);
            }
        });
        let ready = log.clone();
        wait_until("dev is ready", async || ready_url(&ready.lock().unwrap()).is_some()).await;
        let url = ready_url(&log.lock().unwrap()).unwrap();
        Self { url, folder, log, process, _home: home, _turn: turn }
    }

    /// What the terminal says to open.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The copied application.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the terminal said.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    /// Presses Ctrl-C, as far as the gateway alone is concerned, and waits for the end.
    pub async fn interrupt(&mut self) -> std::process::ExitStatus {
        let gateway = Pid::from_raw(self.process.0.id().try_into().unwrap()).unwrap();
        rustix::process::kill_process(gateway, Signal::INT).unwrap();
        let mut status = None;
        let process = &mut self.process.0;
        wait_until("dev ends", async || {
            status = process.try_wait().unwrap();
            status.is_some()
        })
        .await;
        status.unwrap()
    }
}

fn ready_url(log: &[String]) -> Option<String> {
    let line = log.iter().find(|line| line.contains("ready on "))?;
    let url = line.split("ready on ").nth(1)?.split_whitespace().next()?;
    Some(url.to_owned())
}

/// What the README's first command begins with.
pub(crate) fn cargo(command: &str) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([command, "--quiet", "--locked", "--package", "nextbnb-gateway"]);
    cargo.current_dir(repository());
    // What cargo told this test: build scripts (ring's) that look at it would want to run again, and
    // with them everything behind them, in this build and in the next one from outside.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        }) {
            cargo.env_remove(name);
        }
    }
    cargo
}

fn frontend() -> PathBuf {
    repository().join("frontend")
}

/// What runs `next` in an application's folder.
pub(crate) fn next(command: &str, folder: &Path) -> Command {
    let mut next = Command::new("node");
    next.args(["node_modules/next/dist/bin/next", command]);
    next.current_dir(folder).env("NEXT_TELEMETRY_DISABLED", "1");
    next
}

/// Builds an application once per change of it.
pub(crate) fn build(folder: &Path) {
    static TURN: Lock<()> = Lock::new(());
    let _turn = TURN.lock().unwrap();
    let built = fs::metadata(folder.join(".next/BUILD_ID")).and_then(|m| m.modified());
    if built.is_ok_and(|built| newest(folder) < built) {
        return;
    }
    let output = next("build", folder).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "next build failed: {said}");
}

/// When the application was changed last, packages and products apart.
fn newest(folder: &Path) -> SystemTime {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let sources = entries.filter(|entry| !is_product(&entry.file_name().to_string_lossy()));
    let times = sources.map(|entry| {
        let metadata = entry.metadata().unwrap();
        if metadata.is_dir() { newest(&entry.path()) } else { metadata.modified().unwrap() }
    });
    times.max().unwrap_or(SystemTime::UNIX_EPOCH)
}

fn is_product(name: &str) -> bool {
    matches!(name, "node_modules" | ".next" | ".data" | ".nextbnb" | "next-env.d.ts")
        || name.ends_with(".tsbuildinfo")
}

/// Copies an application; its packages become links to the same files.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let name = entry.file_name().to_string_lossy().into_owned();
        if name == "node_modules" {
            link(&source, &target);
        } else if is_product(&name) {
            // Made anew.
        } else if entry.file_type().unwrap().is_dir() {
            copy(&source, &target);
        } else {
            fs::copy(&source, &target).unwrap();
            // A lock file newer than what was installed from it asks for an installation.
            let modified = entry.metadata().unwrap().modified().unwrap();
            fs::File::options().write(true).open(&target).unwrap().set_modified(modified).unwrap();
        }
    }
}

fn link(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            link(&source, &target);
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(&source).unwrap(), &target).unwrap();
        } else if entry.file_name() == ".package-lock.json" {
            fs::copy(&source, &target).unwrap(); // The one file that npm writes in place.
        } else {
            fs::hard_link(&source, &target).unwrap();
        }
    }
}

/// A port of this machine's that was free a moment ago.
pub fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
