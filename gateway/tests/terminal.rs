//! `dev` at a terminal and away from one: colours, keys, and what a page tells of Next.js.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failed set-up should stop the test"
)]

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};
use tempfile::TempDir;

/// Far longer than anything here takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(30);

/// A `next` that says how it was asked for colours, and dies when it is asked for `/crash`.
const NEXT: &str = r"
    const after = (name) => process.argv[process.argv.indexOf(name) + 1];
    process.stdout.write('\x1b[32mhalf\x1b[0m ');
    console.log(`a line, FORCE_COLOR=${process.env.FORCE_COLOR} ${process.stdout.isTTY}`);
    console.error('to the other output');
    require('fs').appendFileSync('starts', `${process.pid}\n`);
    require('http').createServer((request, response) => {
        if (request.url === '/crash') {
            console.error('\x1b[31mError\x1b[0m: no <Link> here');
            process.exit(3);
        }
        response.end('hello');
    }).listen(after('-p'), after('-H'));
";

/// `dev` before a small stand-in for Next.js.
struct Dev {
    child: Child,
    said: Arc<Mutex<String>>,
    folder: TempDir,
    /// Our end of its terminal, where it has one.
    terminal: Option<Terminal>,
}

struct Terminal {
    ours: File,
    its: File,
    name: String,
}

impl Terminal {
    fn open() -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap();
        let name = name.into_string().unwrap();
        let its = File::options().read(true).write(true).open(&name).unwrap();
        Self { ours: ours.into(), its, name }
    }

    fn stdio(&self) -> Stdio {
        OwnedFd::from(self.its.try_clone().unwrap()).into()
    }

    fn has_lines_and_echo(&self) -> bool {
        let modes = tcgetattr(&self.its).unwrap().local_modes;
        modes.contains(LocalModes::ICANON | LocalModes::ECHO)
    }
}

impl Dev {
    /// At a terminal that is its controlling one, as a shell gives it.
    fn at_terminal(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let terminal = Terminal::open();
        let folder = application();
        // `setsid` makes the session whose terminal the first is that is opened in it.
        let mut command = Command::new("setsid");
        let script = r#"exec <"$0" >"$0" 2>&1; exec "$@""#;
        command
            .args(["sh", "-c", script])
            .arg(&terminal.name)
            .arg(env!("CARGO_BIN_EXE_nextbnb-gateway"));
        prepare(&mut command, folder.path(), arguments, environment);
        command.stdin(terminal.stdio()).stdout(terminal.stdio()).stderr(terminal.stdio());
        let child = command.spawn().unwrap();
        let said = collect(terminal.ours.try_clone().unwrap(), Arc::default());
        Self { child, said, folder, terminal: Some(terminal) }
    }

    fn at_pipes(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let folder = application();
        let mut command = Command::new(env!("CARGO_BIN_EXE_nextbnb-gateway"));
        prepare(&mut command, folder.path(), arguments, environment);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let said = collect(child.stdout.take().unwrap(), Arc::default());
        let said = collect(child.stderr.take().unwrap(), said);
        Self { child, said, folder, terminal: None }
    }

    fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Waits until it said `text`, `times` times.
    #[track_caller]
    fn until_said(&self, text: &str, times: usize) -> String {
        let began = Instant::now();
        loop {
            let said = self.said();
            if said.matches(text).count() >= times {
                return said;
            }
            assert!(began.elapsed() < DEADLINE, "it did not say {text:?}: {said}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn port(&self) -> u16 {
        let said = self.until_said("ready on http://", 1);
        let url = said.split("ready on http://").nth(1).unwrap();
        url.split_whitespace().next().unwrap().rsplit(':').next().unwrap().parse().unwrap()
    }

    fn get(&self, path: &str, host: &str) -> String {
        self.exchange(&format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\nConnection: close\r\n\r\n"
        ))
    }

    fn exchange(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port())).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn press(&self, key: &str) {
        let mut ours = &self.terminal.as_ref().unwrap().ours;
        ours.write_all(key.as_bytes()).unwrap();
    }

    fn starts(&self) -> usize {
        fs::read_to_string(self.folder.path().join("starts")).unwrap().lines().count()
    }

    #[track_caller]
    fn ends_with(&mut self, code: i32) {
        let began = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(began.elapsed() < DEADLINE, "it does not end: {}", self.said());
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(self.child.wait().unwrap().code(), Some(code), "{}", self.said());
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let process = Pid::from_raw(self.child.id().try_into().unwrap()).unwrap();
        kill_process(process, Signal::TERM).ok();
        self.child.wait().ok();
    }
}

fn application() -> TempDir {
    let folder = TempDir::new().unwrap();
    let bin = folder.path().join("node_modules/next/dist/bin");
    fs::create_dir_all(&bin).unwrap();
    fs::write(bin.join("next"), NEXT).unwrap();
    let version = r#"{"version":"16.4.5"}"#;
    fs::write(folder.path().join("node_modules/next/package.json"), version).unwrap();
    let manifest = r#"{"dependencies":{"next":"16.4.5"}}"#;
    fs::write(folder.path().join("package.json"), manifest).unwrap();
    folder
}

fn prepare(command: &mut Command, folder: &Path, arguments: &[&str], more: &[(&str, &str)]) {
    command.args(["dev", "--port", "0", "--frontend", "."]).args(arguments);
    command.current_dir(folder).env_clear().envs(more.iter().copied());
    #[expect(clippy::disallowed_methods, reason = "a child needs to find node")]
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
}

fn collect(mut from: impl Read + Send + 'static, to: Arc<Mutex<String>>) -> Arc<Mutex<String>> {
    let said = to.clone();
    std::thread::spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut piece) {
            said.lock().unwrap().push_str(&String::from_utf8_lossy(&piece[..length]));
        }
    });
    to
}

#[test]
fn colours_reach_a_terminal() {
    let dev = Dev::at_terminal(&[], &[]);
    dev.port();
    let said = dev.until_said("to the other output", 1);
    // Both outputs come as they come, so that one may stand in a line of the other's.
    assert!(said.contains("\x1b[32mhalf\x1b[0m "), "{said}");
    assert!(said.contains("a line, FORCE_COLOR=1"), "{said}");
    dev.get("/trips", "localhost");
    let said = dev.until_said("/trips", 1);
    assert!(said.contains("\x1b[32m200\x1b[0m GET /trips"), "{said}");
}

#[test]
fn no_colour_reaches_a_file_or_whoever_wants_none() {
    let piped = Dev::at_pipes(&[], &[]);
    piped.port();
    piped.get("/trips", "localhost");
    let said = piped.until_said("GET /trips -> 200", 1);
    // Its own, which it gave without being asked, are passed on as they are.
    assert!(said.contains("\x1b[32mhalf\x1b[0m "), "{said}");
    assert!(said.contains("a line, FORCE_COLOR=undefined"), "{said}");
    assert_eq!(said.matches('\x1b').count(), 2, "{said}");
    let plain = Dev::at_terminal(&[], &[("NO_COLOR", "1")]);
    plain.port();
    plain.get("/trips", "localhost");
    let said = plain.until_said(" 200 GET /trips ", 1);
    assert!(said.contains("FORCE_COLOR=undefined"), "{said}");
    assert_eq!(said.matches('\x1b').count(), 2, "{said}");
}

#[test]
fn the_banner_says_where_and_of_what() {
    let dev = Dev::at_terminal(&[], &[("NO_COLOR", "1")]);
    let said = dev.until_said("keys:", 1);
    let state = dev.folder.path().canonicalize().unwrap().join(".nextbnb");
    for expected in [
        "network: this machine alone",
        &format!("database: embedded, {}", state.join("gateway.sqlite").display()),
        &format!("state: {}", state.display()),
        &format!("nextbnb-gateway {}, Next.js 16.4.5, Node.js v", env!("CARGO_PKG_VERSION")),
    ] {
        assert!(said.contains(expected), "wanted {expected:?} in {said}");
    }
    assert!(!Dev::at_pipes(&[], &[]).until_said("versions:", 1).contains("keys:"));
}

#[test]
fn files_and_hot_reload_are_told_of_only_when_asked() {
    let ask = |dev: &Dev| {
        dev.port();
        for path in ["/_next/static/a.js", "/__nextjs_source-map", "/last"] {
            dev.get(path, "localhost");
        }
    };
    let usual = Dev::at_pipes(&[], &[]);
    ask(&usual);
    let said = usual.until_said("GET /last", 1);
    assert!(!said.contains("a.js") && !said.contains("source-map"), "{said}");
    let verbose = Dev::at_pipes(&["--verbose"], &[]);
    ask(&verbose);
    let said = verbose.until_said("GET /last", 1);
    assert!(said.contains("GET /_next/static/a.js") && said.contains("source-map"), "{said}");
    let quiet = Dev::at_pipes(&[], &[("NEXTBNB_QUIET", "1")]);
    ask(&quiet);
    quiet.get("/crash", "localhost");
    let said = quiet.until_said("next dev ended (exit code 3)", 1);
    assert!(!said.contains("GET /last"), "{said}");
}

#[test]
fn r_starts_next_js_again_and_q_leaves_the_terminal_as_it_was() {
    let mut dev = Dev::at_terminal(&[], &[("NO_COLOR", "1")]);
    dev.until_said("keys:", 1);
    assert!(!dev.terminal.as_ref().unwrap().has_lines_and_echo());
    dev.press("\x1b[r"); // An escape sequence's letter is no key.
    dev.press("x");
    dev.press("r");
    dev.until_said("Next.js is back on", 1);
    assert_eq!(dev.starts(), 2);
    assert!(dev.get("/", "localhost").ends_with("hello"));
    dev.press("q");
    dev.ends_with(0);
    assert!(dev.terminal.as_ref().unwrap().has_lines_and_echo());
}

#[test]
fn u_tells_who_is_signed_in() {
    let dev = Dev::at_terminal(&[], &[("NO_COLOR", "1")]);
    dev.until_said("keys:", 1);
    dev.press("u");
    dev.until_said("nobody is signed in", 1);
    let form = "email=ada%40example.org&password=correct+horse&passwordconfirmation=correct+horse";
    let answer = dev.exchange(&format!(
        "POST /api/auth/register HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    ));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    dev.press("u");
    dev.until_said("ada@example.org (1 session)", 1);
}

#[test]
fn ctrl_c_is_a_signal_still_and_leaves_the_terminal_as_it_was() {
    let mut dev = Dev::at_terminal(&[], &[]);
    dev.until_said("keys:", 1);
    dev.press("\x03");
    dev.ends_with(0);
    assert!(dev.said().contains("SIGINT"), "{}", dev.said());
    assert!(dev.terminal.as_ref().unwrap().has_lines_and_echo());
}

#[test]
fn a_page_tells_this_machine_why_next_js_ended() {
    let dev = Dev::at_pipes(&[], &[]);
    dev.port();
    dev.get("/crash", "localhost");
    dev.until_said("next dev ended (exit code 3)", 1);
    let page = dev.get("/", "localhost");
    assert!(page.contains("Next.js has ended") && page.contains("exit code 3"), "{page}");
    assert!(
        page.contains("Error: no &lt;Link&gt; here\n")
            || page.contains("Error: no &lt;Link&gt; here</pre>"),
        "{page}"
    );
    dev.until_said("back on", 1);
    dev.get("/crash", "localhost");
    dev.until_said("next dev ended (exit code 3)", 2);
    let page = dev.get("/", "192.168.1.7");
    assert!(page.contains("Next.js has ended") && !page.contains("Link"), "{page}");
}

#[test]
fn packages_that_have_changed_are_told_of() {
    let dev = Dev::at_pipes(&[], &[]);
    dev.port();
    fs::write(dev.folder.path().join("package-lock.json"), "{}").unwrap();
    dev.until_said("packages have changed; r, or a new start of dev, runs npm ci", 1);
}
