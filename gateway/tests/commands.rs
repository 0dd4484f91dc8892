//! The built executable's commands for people: what they say of themselves, what they ask, and that
//! a gateway on the embedded database notices what they write.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failed set-up should stop the test"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_nextbnb-gateway");

/// A command of the gateway in this folder, with nothing of this process's settings.
fn gateway(folder: &TempDir, arguments: &[&str]) -> Command {
    in_folder(Command::new(PROGRAM), folder, arguments)
}

fn in_folder(mut command: Command, folder: &TempDir, arguments: &[&str]) -> Command {
    command.args(arguments).current_dir(folder).env_clear().stdin(Stdio::null());
    #[expect(clippy::disallowed_methods, reason = "a shell needs to find its programs")]
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

/// What it writes, to both outputs, and its exit code.
fn said(arguments: &[&str]) -> (String, String, Option<i32>) {
    let Output { stdout, stderr, status } =
        gateway(&TempDir::new().unwrap(), arguments).output().unwrap();
    let [stdout, stderr] = [stdout, stderr].map(|text| String::from_utf8(text).unwrap());
    (stdout, stderr, status.code())
}

#[test]
fn a_mistyped_command_or_setting_is_answered_with_the_one_that_was_meant() {
    for (arguments, tip) in [
        (&["serv"][..], "'serve'"),
        (&["sessions", "ends"], "'end'"),
        (&["--prot", "1"], "'--port'"),
        (&["users", "add", "a@b.c", "--nam", "Ada"], "'--name'"),
        (&["serve", "--frontend", "x"], "'--frontend' is a setting of `dev`, `doctor`"),
        (&["dev", "--drain", "1s"], "'--drain' is a setting of `serve`"),
        (&["users", "list", "--cookie-name", "x"], "`serve`, `dev`, `sessions end`, `doctor`"),
    ] {
        let (stdout, stderr, code) = said(arguments);
        assert!(stderr.contains("tip: ") && stderr.contains(tip), "{arguments:?}: {stderr}");
        assert_eq!((stdout.as_str(), code), ("", Some(2)), "{arguments:?}");
    }
}

#[test]
fn help_is_short_or_whole_and_stands_below_headings() {
    let [(short, _, short_code), (whole, _, whole_code)] =
        [said(&["serve", "-h"]), said(&["serve", "--help"])];
    assert_eq!((short_code, whole_code), (Some(0), Some(0)));
    assert!(short.lines().count() * 2 < whole.lines().count(), "{short}");
    assert!(!short.contains("Read again when it") && whole.contains("Read again when it"));
    let headings = [
        "Listening:",
        "TLS:",
        "Proxies in front:",
        "Limits:",
        "Upstreams:",
        "Database:",
        "Sessions and cookies:",
        "Sign-in:",
        "Logs and operators:",
    ];
    for help in [&short, &whole] {
        for heading in headings {
            let count = help.lines().filter(|line| *line == heading).count();
            assert_eq!(count, 1, "{heading} in {help}");
        }
        let options = help.split("\nOptions:\n").nth(1).unwrap().split("\n\n").next().unwrap();
        assert!(!options.contains("[env: "), "a setting without a heading: {options}");
    }
}

#[test]
fn the_version_is_told_with_the_commit_where_there_is_one() {
    let (version, _, code) = said(&["--version"]);
    let version = version.trim_end().strip_prefix("nextbnb-gateway ").unwrap();
    let rest = version.strip_prefix(env!("CARGO_PKG_VERSION")).unwrap();
    let commit = rest.strip_prefix(" (").and_then(|rest| rest.strip_suffix(')'));
    assert!(rest.is_empty() || commit.is_some_and(|commit| !commit.is_empty()), "{version}");
    assert_eq!(code, Some(0));
}

/// What bash makes of the last word.
#[track_caller]
fn completed(script: &str, [before, last]: [&str; 2]) -> String {
    let place = before.split(' ').count();
    let ask = format!(
        "{script}\nCOMP_WORDS=({before} {last}) COMP_CWORD={place}\n\
         set -- $(complete -p nextbnb-gateway); while [ $1 != -F ]; do shift; done\n\
         $2 nextbnb-gateway {last} \"${{COMP_WORDS[COMP_CWORD-1]}}\"\necho \"${{COMPREPLY[*]}}\""
    );
    let bash = Command::new("bash").args(["-c", &ask]).output().unwrap();
    assert_eq!(String::from_utf8(bash.stderr).unwrap(), "");
    String::from_utf8(bash.stdout).unwrap().trim().to_owned()
}

#[test]
fn completions_are_scripts_that_their_shell_reads() {
    let (script, _, code) = said(&["completions", "bash"]);
    assert_eq!(code, Some(0));
    for (words, expected) in [
        (["nextbnb-gateway", "compl"], "completions"),
        (["nextbnb-gateway sessions", "e"], "end"),
        (["nextbnb-gateway users set-password", "--email"], "--email-case"),
    ] {
        assert_eq!(completed(&script, words), expected);
    }
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        let (script, _, code) = said(&["completions", shell]);
        assert!(script.contains("set-password") && code == Some(0), "{shell}");
    }
}

#[test]
fn the_manual_has_a_page_of_each_command() {
    let (all, _, code) = said(&["man"]);
    assert_eq!(code, Some(0));
    let titles: Vec<&str> =
        all.lines().filter_map(|line| line.strip_prefix(".TH ")?.split(' ').next()).collect();
    let folder = TempDir::new().unwrap();
    assert!(gateway(&folder, &["man", "pages/man1"]).status().unwrap().success());
    for title in ["nextbnb-gateway", "nextbnb-gateway-serve", "nextbnb-gateway-users-set-password"]
    {
        assert!(titles.contains(&title), "{titles:?}");
    }
    let pages = std::fs::read_dir(folder.path().join("pages/man1")).unwrap();
    let mut pages: Vec<_> =
        pages.map(|page| page.unwrap().file_name().into_string().unwrap()).collect();
    let mut expected: Vec<_> = titles.iter().map(|title| format!("{title}.1")).collect();
    pages.sort();
    expected.sort();
    assert_eq!(pages, expected);
    std::fs::write(folder.path().join("file"), "").unwrap();
    let refused = gateway(&folder, &["man", "file"]).output().unwrap();
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(told.contains("cannot write the manual to file") && refused.status.code() == Some(1));
}

/// A folder with an embedded database.
fn migrated() -> TempDir {
    let folder = TempDir::new().unwrap();
    let mut migrate = gateway(&folder, &["migrate"]);
    assert!(migrate.stderr(Stdio::null()).status().unwrap().success());
    folder
}

/// A command at a terminal: what was shown there while somebody typed `answers`, each when the
/// prompt for it came.
fn at_a_terminal(folder: &TempDir, command: &str, answers: &[(&str, &str)]) -> (String, bool) {
    let command = format!("{PROGRAM} {command}");
    let arguments = ["--quiet", "--return", "--echo", "never", "--command", &command, "/dev/null"];
    let mut terminal = in_folder(Command::new("script"), folder, &arguments);
    terminal.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut terminal = terminal.spawn().unwrap();
    let (mut typed, mut shown) = (terminal.stdin.take().unwrap(), terminal.stdout.take().unwrap());
    let mut seen = String::new();
    let mut byte = [0];
    for (prompt, answer) in answers {
        let begin = seen.len();
        while !seen[begin..].contains(prompt) {
            assert_ne!(shown.read(&mut byte).unwrap(), 0, "it ended: {seen}");
            seen.push(char::from(byte[0]));
        }
        writeln!(typed, "{answer}").unwrap();
    }
    shown.read_to_string(&mut seen).unwrap();
    drop(typed);
    (seen, terminal.wait().unwrap().success())
}

#[test]
fn a_password_is_asked_for_twice_at_a_terminal_and_never_shown() {
    let folder = migrated();
    let prompts = ["New password: ", "Once more: "];
    let ask = |command: &str, [first, second]: [&str; 2]| {
        at_a_terminal(&folder, command, &[(prompts[0], first), (prompts[1], second)])
    };
    let (shown, is_done) = ask("users add ada@example.org", ["hunter2hunter2", "hunter2hunter3"]);
    assert!(!is_done && shown.contains("the two passwords are not the same"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
    let (shown, is_done) = ask("users add ada@example.org", ["hunter2hunter2"; 2]);
    assert!(is_done && shown.contains("made the account 1 of ada@example.org"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
    let (shown, is_done) = at_a_terminal(&folder, "users add ada@", &[]);
    assert!(!is_done && shown.contains("want an email address"), "before it asks: {shown}");
    let (shown, is_done) = at_a_terminal(&folder, "users set-password bob@example.org", &[]);
    assert!(!is_done && shown.contains("no account has the address"), "before it asks: {shown}");
}

#[test]
fn every_session_is_ended_only_when_somebody_says_yes() {
    let folder = migrated();
    let ask = |answer| at_a_terminal(&folder, "sessions end --all", &[("[y/N] ", answer)]);
    let (shown, is_done) = ask("");
    assert!(!is_done && shown.contains("nothing was ended"), "{shown}");
    let (shown, is_done) = ask("yes");
    assert!(is_done && shown.contains("0 sessions ended"), "{shown}");
}

/// A gateway on the embedded database; killed when dropped.
struct Running {
    child: Child,
    port: u16,
}

impl Running {
    fn start(folder: &TempDir) -> Self {
        let mut serve = gateway(folder, &["serve", "--port", "0", "--host", "127.0.0.1"]);
        let mut child = serve.stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains(" on http://") {
            line.clear();
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "it ended");
        }
        // Somebody has to read on, or it would wait.
        std::thread::spawn(move || log.read_to_string(&mut String::new()));
        let address = line.split(" on http://").nth(1).unwrap().split(' ').next().unwrap();
        Self { port: address.rsplit(':').next().unwrap().parse().unwrap(), child }
    }

    fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn is_known(&self, cookie: &str) -> bool {
        let answer = self.ask(&format!(
            "GET /.nextbnb/session HTTP/1.1\r\nHost: a\r\nConnection: close\r\nCookie: {cookie}\r\n\r\n"
        ));
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        !answer.ends_with(r#"{"user":null}"#)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[test]
fn a_gateway_on_the_embedded_database_forgets_within_a_second_who_is_signed_out_beside_it() {
    let folder = TempDir::new().unwrap();
    let gateway_there = Running::start(&folder);
    let mut add = gateway(&folder, &["users", "add", "ada@example.org"]);
    let mut add = add.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    add.stdin.take().unwrap().write_all(b"hunter2hunter2\n").unwrap();
    assert!(add.wait().unwrap().success());
    let form = "email=ada@example.org&password=hunter2hunter2";
    let answer = gateway_there.ask(&format!(
        "POST /api/auth/login HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    ));
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).expect(&answer);
    let cookie = cookie.split(';').next().unwrap();
    assert!(gateway_there.is_known(cookie) && gateway_there.is_known(cookie));

    let Output { stdout, .. } = gateway(&folder, &["sessions", "list"]).output().unwrap();
    let listed = String::from_utf8(stdout).unwrap();
    let hash = listed.lines().nth(1).unwrap().split(' ').next().unwrap();
    assert_eq!(hash.len(), 16, "by the secret in the state folder: {listed}");
    let Output { stdout, stderr, .. } =
        gateway(&folder, &["sessions", "end", hash]).output().unwrap();
    let since = Instant::now();
    assert_eq!(stdout, b"1 session ended\n", "{}", String::from_utf8_lossy(&stderr));
    while gateway_there.is_known(cookie) {
        assert!(since.elapsed() < Duration::from_secs(1), "it is still known");
    }
}
