//! The built executable: what it says in bad surroundings, and how it starts and ends.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failed set-up should stop the test"
)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use sea_orm::ConnectionTrait;
use tempfile::TempDir;

/// Far longer than any refusal takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(30);

const SECRET: &str = "a secret of thirty-two bytes....";

/// A command of the gateway in an empty folder, with nothing of this process's settings.
fn gateway(folder: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nextbnb-gateway"));
    command.args(arguments).current_dir(folder).env_clear().stdin(Stdio::null());
    #[expect(clippy::disallowed_methods, reason = "a child needs to find node")]
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

#[track_caller]
fn assert_refused(command: &mut Command, expected: &str) {
    let said = refusal(command);
    let last = said.lines().last().unwrap_or_default();
    assert!(last.starts_with("nextbnb-gateway: "), "{said}");
    assert!(last.contains(expected), "wanted {expected:?} in: {last}");
    assert!(!said.contains("hunter2") && !said.contains("panicked"), "{said}");
}

/// What a command says that ends with exit code 1.
#[track_caller]
fn refusal(command: &mut Command) -> String {
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let process = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    // One that serves instead would be waited for in vain.
    let (ended, waiting) = std::sync::mpsc::channel::<()>();
    std::thread::spawn(move || {
        if waiting.recv_timeout(DEADLINE) == Err(RecvTimeoutError::Timeout) {
            kill_process(process, Signal::KILL).ok();
        }
    });
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    let status = child.wait().unwrap();
    drop(ended);
    assert_eq!(status.code(), Some(1), "{said}");
    said
}

#[track_caller]
fn check_refused(arguments: &[&str], environment: &[(&str, &str)], expected: &str) {
    let folder = TempDir::new().unwrap();
    let mut command = gateway(&folder, arguments);
    assert_refused(command.envs(environment.iter().copied()), expected);
}

#[test]
fn a_bad_setting_of_serve_is_named_with_what_would_be_right() {
    let postgres = ["--port", "0", "--database-url", "postgres://u:hunter2@127.0.0.1:1/d"];
    check_refused(&["--upstream", "https://web"], &[], "--upstream");
    check_refused(&["--upstream", "https://web"], &[], "TLS");
    check_refused(&["serve", "--upstream", "web:3001"], &[], "http://host:port");
    check_refused(&["--upstream", "http://u:hunter2@web"], &[], "no user name");
    check_refused(&["--upstream", "http://web:99999"], &[], "want a port");
    check_refused(&["--public-url", "shop.example"], &[], "want https://host");
    check_refused(&[], &[("NEXTBNB_PUBLIC_URL", "https://u:hunter2@a")], "--public-url");
    check_refused(&["--trusted-proxies", "loopback,0.0.0.0/0"], &[], "that is everybody");
    check_refused(&[], &[("NEXTBNB_TRUSTED_PROXIES", "proxy")], "--trusted-proxies \"proxy\"");
    check_refused(&["--listen", "unix:a.sock"], &[], "--listen \"unix:a.sock\"");
    check_refused(&["--listen", "unix:/nowhere/a.sock"], &[], "there is no folder /nowhere");
    check_refused(&["--upstream", "unix:a.sock"], &[], "--upstream \"unix:a.sock\"");
    check_refused(&["--generate-secret"], &[], "--session-secret-file");
    check_refused(&[], &[("SESSION_SECRET", "[\"hunter2\"")], "JSON array");
    check_refused(&["--cookie-name", "a b"], &[], "--cookie-name");
    check_refused(&["--cookie-name", "__Host-s"], &[], "--cookie-secure always, --cookie-path /");
    check_refused(&["--cookie-path", "app"], &[], "--cookie-path");
    check_refused(&["--cookie-domain", "a;b"], &[], "--cookie-domain");
    check_refused(&["--session-table", ""], &[], "--session-table");
    check_refused(&["--users-table", "Sessions"], &[], "--users-table");
    check_refused(&["--session-table", "users"], &[], "--session-table");
    check_refused(&["--users-column", "mail=x"], &[], "--users-column \"mail=x\"");
    check_refused(&["--session-user-key", "object:email"], &[], "object:id,username=email");
    check_refused(&["--host", "no such host"], &[], "--host");
    check_refused(&[], &[("SESSION_SECRET", "hunter2")], "at least 32");
    check_refused(&[], &[("SESSION_SECRET", "hunter2")], "openssl rand");
    check_refused(
        &["--session-secret-file", "gone"],
        &[],
        "secret-file gone: there is no such file",
    );
    check_refused(&["--session-secret-file", "/gone"], &[], "no such file; make it once");
    check_refused(&["--upstream-token-file", "gone"], &[], "--upstream-token-file gone: there is");
    let both = ["--session-secret-file", "gone", "--generate-secret"];
    check_refused(&both, &[("SESSION_SECRET", SECRET)], "both");
    check_refused(&postgres, &[], "no session secret");
    check_refused(&postgres, &[("SESSION_SECRET", SECRET)], "--database-url");
    check_refused(
        &["--port", "0"],
        &[("DATABASE_URL", "")],
        "DATABASE_URL) is not usable: it is empty",
    );
    check_refused(
        &["--port", "0", "--database-url", "mysql://u:hunter2@h/d"],
        &[("SESSION_SECRET", SECRET)],
        "--database-url",
    );
}

#[test]
fn a_typing_mistake_shows_the_usage() {
    let folder = TempDir::new().unwrap();
    for (arguments, expected) in [
        (["--prot", "1"], "--prot"),
        (["--port", "x"], "--port"),
        (["--drain", "10"], "want a number with its unit"),
        (["--session-max-age", "500d"], "'500d' for '--session-max-age"),
        (["--session-expiration", "0s"], "between 1s and 36500d"),
        (["--sweep-interval", "1ns"], "at least 1s"),
        (["--log-format", "xml"], "possible values: pretty, json"),
    ] {
        let Output { status, stderr, .. } = gateway(&folder, &arguments).output().unwrap();
        let said = String::from_utf8(stderr).unwrap();
        assert_eq!(status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
}

#[test]
fn a_taken_port_is_named_with_the_process_that_has_it() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    check_refused(&["--port", &port, "--host", "127.0.0.1"], &[], "--port");
    if cfg!(target_os = "linux") {
        let holder = format!("process {}", std::process::id());
        check_refused(&["--port", &port, "--host", "127.0.0.1"], &[], &holder);
    }
}

#[test]
fn a_second_gateway_does_not_share_the_port_silently() {
    let folder = TempDir::new().unwrap();
    let first = Running::start(gateway(&folder, &["--port", "0", "--host", "127.0.0.1"]));
    let port = first.port.to_string();
    check_refused(&["--port", &port, "--host", "127.0.0.1"], &[], "--port");
}

/// `--listen` for a file in the folder.
fn at_file(folder: &TempDir) -> String {
    format!("unix:{}", folder.path().join("gateway.sock").display())
}

#[test]
fn a_living_gateways_socket_is_refused_and_a_dead_ones_is_replaced() {
    let folder = TempDir::new().unwrap();
    let (at, file) = (at_file(&folder), folder.path().join("gateway.sock"));
    let start = || gateway(&folder, &["--listen", "127.0.0.1:0", "--listen", &at]);
    let mut first = Running::start(start());
    assert_refused(&mut start(), "it is in use");
    if cfg!(target_os = "linux") {
        assert_refused(&mut start(), &format!("process {}", first.child.id()));
    }
    first.stop(Signal::KILL);
    assert!(file.exists());
    let mut second = Running::start(start());
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o660);
    assert!(gateway(&folder, &["health", "--listen", &at]).status().unwrap().success());
    assert_eq!(second.stop(Signal::TERM).code(), Some(0));
    assert!(!file.exists());
}

#[test]
fn an_upstream_at_the_gateways_own_file_is_refused() {
    let folder = TempDir::new().unwrap();
    let at = at_file(&folder);
    let expected = format!("{at} is this gateway itself");
    assert_refused(&mut gateway(&folder, &["--listen", &at, "--upstream", &at]), &expected);
    let route = format!("/api/={at}");
    assert_refused(&mut gateway(&folder, &["--listen", &at, "--route", &route]), &expected);
}

#[test]
fn an_upstream_that_is_the_gateway_itself_is_refused() {
    // Somebody else may take a free port before the gateway does: then another is tried.
    let said = std::iter::repeat_with(|| {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (port, upstream) = (free.to_string(), format!("http://localhost:{free}"));
        let folder = TempDir::new().unwrap();
        refusal(&mut gateway(&folder, &["--port", &port, "--upstream", &upstream]))
    });
    let said = said.take(20).find(|said| !said.contains("cannot listen")).unwrap();
    assert!(said.contains("is this gateway itself"), "{said}");
}

/// Else clients would be told what operators are.
#[test]
fn an_upstream_that_is_the_admin_place_is_refused() {
    // Somebody else may take a free port before the gateway does: then another is tried.
    let said = std::iter::repeat_with(|| {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (admin, upstream) = (free.to_string(), format!("http://localhost:{free}"));
        let folder = TempDir::new().unwrap();
        let arguments = ["--port", "0", "--admin", &admin, "--upstream", &upstream];
        refusal(&mut gateway(&folder, &arguments))
    });
    let said = said.take(20).find(|said| !said.contains("cannot listen")).unwrap();
    assert!(said.contains("is where --admin answers"), "{said}");
}

#[test]
fn a_taken_admin_place_is_named_and_an_open_one_warned_of() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let at = format!("cannot listen on 127.0.0.1:{port} (--admin)");
    check_refused(&["--port", "0", "--admin", &port], &[], &at);
    check_refused(&["--port", "0"], &[("NEXTBNB_ADMIN", "nowhere")], "--admin \"nowhere\"");
    let folder = TempDir::new().unwrap();
    let start = |admin: &str| {
        let arguments = ["--port", "0", "--host", "127.0.0.1", "--admin", admin];
        Running::start(gateway(&folder, &arguments)).said.clone()
    };
    assert!(start("0.0.0.0:0").contains("can be reached from other machines"));
    assert!(!start("127.0.0.1:0").contains("can be reached"));
}

#[test]
fn whoever_starts_it_with_nohup_keeps_it_when_the_terminal_closes() {
    let folder = TempDir::new().unwrap();
    let mut shell = Command::new("sh");
    let executable = env!("CARGO_BIN_EXE_nextbnb-gateway");
    shell.args(["-c", r#"trap '' HUP; exec "$0" --port 0 --host 127.0.0.1"#, executable]);
    shell.current_dir(&folder).env_clear();
    let mut gateway = Running::start(shell);
    gateway.signal(Signal::HUP);
    if cfg!(target_os = "linux") {
        assert!(gateway.get("/.nextbnb/health").starts_with("HTTP/1.1 200"));
    }
    assert_eq!(gateway.stop(Signal::TERM).code(), Some(0));
}

#[test]
fn the_same_wish_told_twice_still_finishes_what_runs() {
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", upstream.local_addr().unwrap());
    let folder = TempDir::new().unwrap();
    let arguments = ["--port", "0", "--host", "127.0.0.1", "--upstream", &origin];
    let mut gateway = Running::start(gateway(&folder, &arguments));
    let mut client = TcpStream::connect(("127.0.0.1", gateway.port)).unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let (mut running, _) = upstream.accept().unwrap();
    assert_ne!(running.read(&mut [0; 1024]).unwrap(), 0);
    gateway.signal(Signal::TERM);
    gateway.signal(Signal::TERM);
    running.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nfinished").unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("finished"), "{answer}");
    assert_eq!(gateway.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_wish_told_again_later_cuts_what_still_runs() {
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", upstream.local_addr().unwrap());
    let folder = TempDir::new().unwrap();
    let arguments = ["--port", "0", "--host", "127.0.0.1", "--upstream", &origin, "--drain", "10m"];
    let mut gateway = Running::start(gateway(&folder, &arguments));
    let mut client = TcpStream::connect(("127.0.0.1", gateway.port)).unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let (_running, _) = upstream.accept().unwrap();
    let began = Instant::now();
    let status = loop {
        assert!(began.elapsed() < DEADLINE, "it does not end");
        gateway.signal(Signal::TERM);
        std::thread::sleep(Duration::from_millis(50));
        if let Some(status) = gateway.child.try_wait().unwrap() {
            break status;
        }
    };
    assert_eq!(status.code(), Some(1));
    assert!(gateway.rest_of_log().contains("second SIGTERM"));
}

#[test]
fn a_state_folder_that_cannot_be_written_is_named() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    assert_refused(&mut gateway(&folder, &["--state-dir", "file/state"]), "--state-dir");
    assert_refused(&mut gateway(&folder, &["migrate", "--state-dir", "file/state"]), "--state-dir");
}

#[test]
fn a_damaged_database_file_is_named_and_left_alone() {
    let folder = TempDir::new().unwrap();
    let state = folder.path().join(".nextbnb");
    fs::create_dir(&state).unwrap();
    let file = state.join("gateway.sqlite");
    let text = "this is no database, but somebody may want to have it back".repeat(100);
    fs::write(&file, &text).unwrap();
    assert_refused(&mut gateway(&folder, &["--port", "0"]), "gateway.sqlite");
    assert_refused(&mut gateway(&folder, &["--port", "0"]), "or move it away");
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
}

#[test]
fn dev_says_what_is_missing_around_it() {
    let folder = TempDir::new().unwrap();
    assert_refused(&mut gateway(&folder, &["dev"]), "--frontend");
    assert_refused(&mut gateway(&folder, &["dev", "--frontend", "gone"]), "--frontend");
    let app = folder.path().join("app");
    fs::create_dir(&app).unwrap();
    let mut dev = gateway(&folder, &["dev", "--frontend", "app", "--port", "0"]);
    assert_refused(&mut dev, "no package.json");
    fs::write(app.join("package.json"), r#"{"dependencies":{"next":"16.4.5"}}"#).unwrap();
    assert_refused(dev.env("PATH", "/nowhere"), "node is not in PATH");
    let tools = folder.path().join("tools");
    fs::create_dir(&tools).unwrap();
    program(&tools, "node", "echo v18.20.0");
    assert_refused(dev.env("PATH", &tools), "20.9");
    program(&tools, "node", "echo v22.0.0");
    program(&tools, "npm", "echo no network >&2; exit 7");
    assert_refused(dev.env("PATH", &tools), "npm install");
    assert_refused(dev.env("PATH", &tools), "exit code 7");
}

#[test]
fn serve_needs_no_settings_and_keeps_its_state_private() {
    let folder = TempDir::new().unwrap();
    let mut gateway = Running::start(gateway(&folder, &["--port", "0", "--host", "127.0.0.1"]));
    assert!(gateway.get("/.nextbnb/health").starts_with("HTTP/1.1 200"));
    assert_eq!(gateway.stop(Signal::TERM).code(), Some(0));
    let state = folder.path().join(".nextbnb");
    let mode = |name: &str| fs::metadata(state.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("session-secret"), 0o600);
    assert_eq!(mode("gateway.sqlite"), 0o600);
    assert_eq!(mode(""), 0o700);
    assert_eq!(fs::read_to_string(state.join(".gitignore")).unwrap(), "*\n");
}

#[test]
fn whoever_lets_others_at_the_secret_is_told_the_command_against_it() {
    let folder = TempDir::new().unwrap();
    let state = folder.path().join(".nextbnb");
    let run = || {
        let arguments = ["--port", "0", "--host", "127.0.0.1"];
        let mut gateway = Running::start(gateway(&folder, &arguments));
        gateway.stop(Signal::TERM);
        gateway.said.clone()
    };
    let chmod = |file: &str, mode| {
        fs::set_permissions(state.join(file), fs::Permissions::from_mode(mode)).unwrap();
    };
    assert!(!run().contains("chmod"));
    chmod("session-secret", 0o644);
    assert!(run().contains("chmod o-rwx .nextbnb/session-secret"));
    chmod("session-secret", 0o600);
    chmod("", 0o770);
    assert_eq!(run().matches("chmod go-w .nextbnb").count(), 1);
}

#[test]
fn dev_has_a_state_folder_with_a_given_secret_too() {
    let folder = TempDir::new().unwrap();
    let mut dev = gateway(&folder, &["dev", "--port", "0", "--upstream", "http://127.0.0.1:1"]);
    dev.env("SESSION_SECRET", SECRET);
    assert!(Running::start(dev).get("/.nextbnb/health").starts_with("HTTP/1.1 200"));
    assert!(folder.path().join(".nextbnb/gateway.sqlite").exists());
}

#[test]
fn dev_says_where_nothing_answers_yet() {
    let folder = TempDir::new().unwrap();
    let dev = gateway(&folder, &["dev", "--port", "0", "--upstream", "http://127.0.0.1:1"]);
    let answer = Running::start(dev).get("/");
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("Nothing answers at http://127.0.0.1:1"), "{answer}");
}

#[test]
fn dev_refuses_tls_by_name_and_says_what_to_do() {
    let folder = TempDir::new().unwrap();
    for flag in ["--tls-cert", "--tls-key", "--http-redirect-port", "--hsts"] {
        let refused = gateway(&folder, &["dev", flag, "1"]).output().unwrap();
        let refusal = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(2), "{refusal}");
        assert!(refusal.contains(flag) && refusal.contains("plain HTTP"), "{refusal}");
    }
}

#[test]
fn dev_believes_the_proxies_and_the_name_that_it_is_told() {
    let folder = TempDir::new().unwrap();
    let dev = ["dev", "--port", "0", "--upstream", "http://127.0.0.1:1"];
    let trusted = [&dev[..], &["--trusted-proxies", "loopback"]].concat();
    let named = [&dev[..], &["--public-url", "https://shop.example"]].concat();
    for (flags, is_https) in [(&dev[..], false), (&trusted, true), (&named, true)] {
        let answer = Running::start(gateway(&folder, flags)).exchange(
            "GET /.nextbnb/session HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Proto: https\r\n\
             Connection: close\r\n\r\n",
        );
        assert_eq!(answer.contains("nosniff"), is_https, "{flags:?}: {answer}");
    }
    let bad = [&dev[..], &["--public-url", "shop.example"]].concat();
    assert_refused(&mut gateway(&folder, &bad), "--public-url");
}

#[test]
fn every_stopping_signal_ends_it_well() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let folder = TempDir::new().unwrap();
        let mut gateway = Running::start(gateway(&folder, &["--port", "0", "--host", "127.0.0.1"]));
        assert_eq!(gateway.stop(signal).code(), Some(0), "{signal:?}");
    }
}

#[test]
fn health_is_asked_by_the_executable_itself() {
    let folder = TempDir::new().unwrap();
    let running = Running::start(gateway(&folder, &["--port", "0", "--host", "127.0.0.1"]));
    let port = running.port.to_string();
    assert!(gateway(&folder, &["health", "--port", &port]).status().unwrap().success());
    assert!(gateway(&folder, &["health"]).env("PORT", &port).status().unwrap().success());
    for host in ["*", "127.0.0.1"] {
        let mut health = gateway(&folder, &["health", "--port", &port]);
        assert!(health.env("NEXTBNB_HOST", host).status().unwrap().success(), "{host}");
    }
    drop(running);
    assert_refused(&mut gateway(&folder, &["health", "--port", &port]), "not healthy");
}

#[test]
fn health_is_asked_as_the_gateway_wants_it() {
    let folder = TempDir::new().unwrap();
    let at = at_file(&folder);
    let both = format!("{at} 127.0.0.1:0");
    let settings = [
        ("NEXTBNB_LISTEN", both.as_str()),
        ("NEXTBNB_PROXY_PROTOCOL", "true"),
        ("NEXTBNB_TRUSTED_PROXIES", "203.0.113.0/24"),
        ("NEXTBNB_PUBLIC_URL", "https://shop.example"),
    ];
    let mut command = gateway(&folder, &["serve"]);
    command.envs(settings);
    let running = Running::start(command);
    let port = running.port.to_string();
    assert!(gateway(&folder, &["health"]).envs(settings).status().unwrap().success());
    let over_tcp = gateway(&folder, &["health", "--proxy-protocol", "--port", &port]).status();
    assert!(over_tcp.unwrap().success());
    assert_refused(&mut gateway(&folder, &["health", "--listen", &at]), "not healthy");
    assert_refused(&mut gateway(&folder, &["health", "--port", &port]), "not healthy");
    drop(running);
    assert_refused(gateway(&folder, &["health"]).envs(settings), &at);
}

#[test]
fn a_secret_is_generated_once_where_that_was_asked_for() {
    let folder = TempDir::new().unwrap();
    let arguments =
        ["--port", "0", "--host", "127.0.0.1", "--session-secret-file", "s", "--generate-secret"];
    let token = ["--port", "0", "--host", "127.0.0.1", "--upstream-token-file", "t"];
    drop(Running::start(gateway(&folder, &[&token[..], &["--generate-secret"]].concat())));
    assert!(fs::read(folder.path().join("t")).unwrap().len() > 32, "beside a secret kept apart");
    drop(Running::start(gateway(&folder, &arguments)));
    let secret = fs::read(folder.path().join("s")).unwrap();
    drop(Running::start(gateway(&folder, &arguments)));
    assert_eq!(fs::read(folder.path().join("s")).unwrap(), secret);
    assert!(secret.len() > 32);
}

#[test]
fn migrate_does_only_that_and_says_what_it_did() {
    let folder = TempDir::new().unwrap();
    let run = || {
        let Output { status, stderr, .. } = gateway(&folder, &["migrate"]).output().unwrap();
        assert!(status.success());
        String::from_utf8(stderr).unwrap()
    };
    let (first, second) = (run(), run());
    assert!(first.contains("applied migration"), "{first}");
    assert!(!second.contains("applied migration"), "{second}");
    assert!(second.contains("up to date"), "{second}");
}

#[test]
fn a_mistyped_choice_of_log_lines_is_told() {
    let said = |choice: &str| {
        let folder = TempDir::new().unwrap();
        let output = gateway(&folder, &["migrate"]).env("RUST_LOG", choice).output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    let mistyped = said("nextbnb_gateway=loud");
    assert!(mistyped.contains("RUST_LOG is not usable"), "{mistyped}");
    assert!(mistyped.contains("up to date"), "{mistyped}");
    assert_eq!(said("warn"), "");
}

#[test]
fn without_tables_and_migrations_nothing_is_served() {
    let folder = TempDir::new().unwrap();
    let arguments = ["--port", "0", "--host", "127.0.0.1", "--no-migrate"];
    assert_refused(&mut gateway(&folder, &arguments), "--no-migrate");
    assert!(gateway(&folder, &["migrate"]).stderr(Stdio::null()).status().unwrap().success());
    drop(Running::start(gateway(&folder, &arguments)));
}

#[test]
fn the_log_has_one_json_line_a_request_and_nothing_that_is_secret() {
    let folder = TempDir::new().unwrap();
    let arguments = ["--port", "0", "--host", "127.0.0.1", "--log-format", "json"];
    let mut gateway = Running::start(gateway(&folder, &arguments));
    let body =
        "email=ada%40example.org&password=hunter2hunter2&passwordconfirmation=hunter2hunter2";
    let answer = gateway.exchange(&format!(
        "POST /api/auth/register?token=hunter2 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let cookie = answer.split("nextbnb=s%3A").nth(1).unwrap().split(';').next().unwrap();
    let id = cookie.split('.').next().unwrap();
    gateway.exchange(&format!(
        "GET /.nextbnb/session?q=hunter2 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Cookie: nextbnb=s%3A{cookie}\r\n\r\n"
    ));
    gateway.stop(Signal::TERM);
    let log = gateway.rest_of_log();
    for secret in ["hunter2", "ada@example.org", "ada%40example.org", cookie, id] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
    let lines: Vec<serde_json::Value> =
        log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let requests: Vec<_> = lines.iter().filter(|line| !line["request_id"].is_null()).collect();
    let [register, session] = requests.as_slice() else { unreachable!("{log}") };
    assert_eq!(register["message"], "POST /api/auth/register -> 200");
    assert_eq!(session["message"], "GET /.nextbnb/session -> 200");
    assert_eq!(session["user.id"].to_string().trim_matches('"'), "1");
    assert!(session["duration_ms"].is_number());
}

#[test]
fn what_goes_wrong_in_a_request_is_logged_with_its_id() {
    for format in ["pretty", "json"] {
        let folder = TempDir::new().unwrap();
        let arguments = ["--port", "0", "--host", "127.0.0.1", "--log-format", format];
        let mut gateway = Running::start(gateway(&folder, &arguments));
        let cookie = cookie_of(&gateway.post("register", FORM));
        run_in_database(&folder, r#"UPDATE "Sessions" SET "data" = '{'"#);
        let visit = gateway.exchange(&format!(
            "GET /.nextbnb/session HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: {cookie}\r\n\r\n"
        ));
        run_in_database(&folder, r#"DROP TABLE "users""#);
        let login = gateway.post("login", FORM);
        assert!(login.starts_with("HTTP/1.1 500"), "{login}");
        gateway.stop(Signal::TERM);
        let log = gateway.rest_of_log();
        for (answer, words) in
            [(visit, "row is damaged"), (login, "refused a statement about the table")]
        {
            let line = log.lines().find(|line| line.contains(words)).expect(&log);
            assert!(line.contains(&field(&answer, "x-request-id")), "{answer}\n{log}");
        }
    }
}

/// Rows of a site whose sessions name accounts by what was not set, passwords that others hashed,
/// and a table that wants more than the gateway knows.
#[test]
fn what_a_site_has_otherwise_than_it_was_told_is_logged_with_the_cure_and_nobodys_data() {
    let folder = TempDir::new().unwrap();
    let arguments = ["--port", "0", "--host", "127.0.0.1", "--log-format", "json"];
    let mut gateway = Running::start(gateway(&folder, &arguments));
    let cookie = cookie_of(&gateway.post("register", FORM));
    for user in ["7", "8", r#"{"id":7}"#] {
        let data = format!(r#"{{"cookie":{{}},"passport":{{"user":{user}}}}}"#);
        run_in_database(&folder, &format!(r#"UPDATE "Sessions" SET "data" = '{data}'"#));
        for _ in 0..2 {
            gateway.exchange(&format!(
                "GET /.nextbnb/session HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: {cookie}\r\n\r\n"
            ));
        }
    }
    run_in_database(&folder, r#"UPDATE "users" SET "password" = '$argon2id$hunter2'"#);
    assert!(gateway.post("login", FORM).starts_with("HTTP/1.1 401"));
    run_in_database(
        &folder,
        r#"CREATE TRIGGER "want" BEFORE INSERT ON "Sessions"
        BEGIN SELECT RAISE(ABORT, 'a session needs a user'); END"#,
    );
    let other = FORM.replace("a@b.c", "b@b.c");
    assert!(gateway.post("register", &other).starts_with("HTTP/1.1 500"));
    gateway.stop(Signal::TERM);
    let log = gateway.rest_of_log();
    let lines_with = |words: &str| log.lines().filter(|line| line.contains(words)).count();
    assert_eq!(lines_with("--session-user-key id would read it"), 1, "{log}");
    assert_eq!(lines_with("--session-user-key object"), 1, "{log}");
    let unverified = log.lines().find(|line| line.contains("argon2")).expect(&log);
    assert!(
        unverified.contains(r#""level":"WARN""#) && unverified.contains(r#""user.id":1"#),
        "{log}"
    );
    let refused = log.lines().find(|line| line.contains("a session needs a user")).expect(&log);
    assert!(refused.contains("the table \\\"Sessions\\\""), "{refused}");
    for secret in ["hunter2", "a@b.c", "b@b.c"] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}

const FORM: &str = "email=a@b.c&password=hunter2hunter2&passwordconfirmation=hunter2hunter2";

/// The cookie that an answer sets, as a browser sends it back.
#[track_caller]
fn cookie_of(answer: &str) -> String {
    field(answer, "set-cookie").split(';').next().unwrap().to_owned()
}

/// The value of a field that an answer has.
#[track_caller]
fn field(answer: &str, name: &str) -> String {
    let line = answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.expect(answer).to_owned()
}

fn run_in_database(folder: &TempDir, statement: &str) {
    let url = format!("sqlite://{}", folder.path().join(".nextbnb/gateway.sqlite").display());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let connection = sea_orm::Database::connect(url).await.unwrap();
        connection.execute_unprepared(statement).await.unwrap();
        connection.close().await.unwrap();
    });
}

/// A gateway that serves; killed when dropped.
struct Running {
    child: Child,
    log: BufReader<ChildStderr>,
    port: u16,
    /// What it said until it served.
    said: String,
}

impl Running {
    /// Starts it and waits until it says where it serves.
    fn start(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut running = Self { child, log, port: 0, said: String::new() };
        while running.port == 0 {
            let mut line = String::new();
            assert_ne!(running.log.read_line(&mut line).unwrap(), 0, "it ended: {}", running.said);
            if let Some((_, rest)) = line.split_once(" on http://") {
                let address = rest.split([' ', '"']).next().unwrap();
                running.port = address.rsplit(':').next().unwrap().parse().unwrap();
            }
            running.said += &line;
        }
        running
    }

    fn get(&self, path: &str) -> String {
        self.exchange(&format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        ))
    }

    fn post(&self, route: &str, form: &str) -> String {
        self.exchange(&format!(
            "POST /api/auth/{route} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        ))
    }

    fn exchange(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn signal(&self, signal: Signal) {
        let process = Pid::from_raw(self.child.id().try_into().unwrap()).unwrap();
        kill_process(process, signal).unwrap();
    }

    fn stop(&mut self, signal: Signal) -> std::process::ExitStatus {
        self.signal(signal);
        self.child.wait().unwrap()
    }

    fn rest_of_log(&mut self) -> String {
        let mut log = String::new();
        self.log.read_to_string(&mut log).unwrap();
        log
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A program of this name in `folder`, which does `script`.
fn program(folder: &Path, name: &str, script: &str) {
    let file = folder.join(name);
    fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
}
