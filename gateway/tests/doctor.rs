//! The built executable's `doctor`: what it finds where, and that it leaves everything as it was.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a failed set-up should stop the test"
)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;
use tempfile::TempDir;

/// What every finding's id is explained in.
const DOCUMENT: &str = include_str!("../../docs/doctor.md");

/// What was found, and the exit code.
struct Said {
    report: Value,
    code: Option<i32>,
}

impl Said {
    fn all(&self, id: &str) -> Vec<&Value> {
        let findings = self.report["findings"].as_array().unwrap();
        findings.iter().filter(|finding| finding["id"] == id).collect()
    }

    #[track_caller]
    fn one(&self, id: &str) -> &Value {
        self.all(id).first().unwrap_or_else(|| panic!("no {id} in {}", self.report))
    }

    #[track_caller]
    fn check(&self, id: &str, level: &str, part: &str) {
        let found = self.one(id);
        assert_eq!(found["level"], level, "{found}");
        assert!(found["what"].as_str().unwrap().contains(part), "{found}");
    }
}

/// Runs `doctor` in `folder` with `--json`, and with nothing of this process's settings. Each id that
/// it tells is in its page.
#[track_caller]
fn doctor(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nextbnb-gateway"));
    command.arg("doctor").args(arguments).arg("--json").current_dir(folder);
    command.env_clear().envs(variables.iter().copied()).stdin(Stdio::null());
    #[expect(clippy::disallowed_methods, reason = "a child needs to find node")]
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let output = command.output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    for finding in report["findings"].as_array().unwrap() {
        let id = finding["id"].as_str().unwrap();
        assert!(DOCUMENT.contains(&format!("`{id}`")), "docs/doctor.md lacks {id}");
    }
    Said { report, code: output.status.code() }
}

/// A server that answers each request's head with these bytes.
fn stub(answer: fn(&str) -> &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serve = move |stream: TcpStream| {
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let head = lines.by_ref().map_while(Result::ok).take_while(|line| !line.is_empty());
        let head: Vec<String> = head.collect();
        (&stream).write_all(answer(&head.join("\n")).as_bytes()).ok();
    };
    thread::spawn(move || listener.incoming().flatten().for_each(serve));
    url
}

const PAGE: &str = "HTTP/1.1 200 OK\r\nX-Powered-By: Next.js\r\nVary: rsc, next-router-state-tree\r\n\
    Content-Encoding: gzip\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\n";

/// Next.js as `next start` has it.
fn built(head: &str) -> &'static str {
    if head.starts_with("GET / ") {
        PAGE
    } else {
        "HTTP/1.1 404 Not Found\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\n"
    }
}

/// `next dev`, which knows `localhost` and no other origin.
fn dev(head: &str) -> &'static str {
    let is_known = !head.contains("Origin: ") || head.contains("Origin: http://localhost:");
    let is_upgrade = head.contains("Upgrade: websocket");
    match head.split(' ').nth(1).unwrap_or_default() {
        "/_next/hmr" if is_upgrade && is_known => {
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
        }
        "/__nextjs_source-map" if is_known => {
            "HTTP/1.1 400 Bad Request\r\nKeep-Alive: timeout=5\r\n\r\n"
        }
        "/__nextjs_source-map" => "HTTP/1.1 403 Forbidden\r\n\r\n",
        "/" => PAGE,
        _ => "",
    }
}

#[test]
fn an_empty_folder_is_no_problem_and_stays_empty() {
    let folder = TempDir::new().unwrap();
    let said = doctor(folder.path(), &["--port", "0"], &[]);
    assert_eq!((said.code, &said.report["healthy"]), (Some(0), &true.into()));
    assert_eq!(said.report["version"], 1);
    said.check("frontend", "ok", "no Next.js application");
    said.check("database", "ok", "the first start makes it");
    said.check("port", "ok", "free");
    for id in ["cores", "descriptors", "upstream"] {
        assert_eq!(said.all(id).len(), 1, "{id}");
    }
    for id in ["node", "next", "file-watching"] {
        assert!(said.all(id).is_empty(), "{id} in {}", said.report);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn the_frontend_of_this_project_is_found_with_a_release_that_is_not_known_to_be_unsafe() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let said = doctor(&root, &["frontend"], &[]);
    said.check("frontend", "ok", "frontend");
    said.check("node", "ok", "v");
    said.check("next", "ok", "Next.js 16.");
    said.check("next-advisory", "ok", "none of the");
    said.check("next-config", "ok", "standalone");
}

fn application(version: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let next = folder.path().join("node_modules/next");
    fs::create_dir_all(&next).unwrap();
    fs::write(next.join("package.json"), format!(r#"{{"version": "{version}"}}"#)).unwrap();
    let manifest = r#"{"dependencies": {"next": "^14.0.0"}}"#;
    fs::write(folder.path().join("package.json"), manifest).unwrap();
    folder
}

#[test]
fn an_old_next_js_is_told_with_what_is_known_of_it_and_what_mends_it() {
    let folder = application("15.2.2");
    let said = doctor(folder.path(), &["frontend"], &[]);
    said.check("next", "ok", "15.2.2, installed");
    let advisories = said.all("next-advisory");
    let of = |id: &str| {
        let found = advisories.iter().find(|told| told["what"].as_str().unwrap().contains(id));
        found.unwrap_or_else(|| panic!("no {id} in {advisories:?}"))
    };
    assert_eq!(of("CVE-2025-29927")["level"], "warning");
    assert_eq!(of("CVE-2025-29927")["facts"]["fixed"], "15.2.3");
    assert_eq!(of("CVE-2025-55182")["level"], "problem");
    assert_eq!(of("CVE-2025-55182")["cure"], "npm install next@15.5.27, or newer");
    assert_eq!(said.code, Some(1));
}

#[test]
fn a_proxy_before_pages_wants_a_limit_of_bodies() {
    let folder = application("16.4.5");
    fs::write(folder.path().join("proxy.ts"), "").unwrap();
    doctor(folder.path(), &["frontend"], &[]).check("body-limit", "warning", "proxy.ts");
    let limited = doctor(folder.path(), &["frontend", "--max-body", "10MiB"], &[]);
    limited.check("body-limit", "ok", "413");
    let too_large = doctor(folder.path(), &["frontend"], &[("NEXTBNB_MAX_BODY", "20MiB")]);
    too_large.check("body-limit", "warning", "proxy.ts");
}

#[test]
fn a_folder_that_is_named_and_not_there_is_a_problem() {
    let folder = TempDir::new().unwrap();
    let said = doctor(folder.path(), &["frontend", "--frontend", "shop"], &[]);
    said.check("frontend", "problem", "shop");
    assert_eq!(said.code, Some(1));
}

#[test]
fn a_built_next_js_is_asked_for_what_concerns_a_gateway() {
    let (folder, url) = (TempDir::new().unwrap(), stub(built));
    let said = doctor(folder.path(), &["upstream", "--upstream", &url], &[]);
    said.check("upstream", "ok", "HTTP answers");
    said.check("upstream-kind", "ok", "Next.js");
    said.check("keep-alive", "ok", "5 s; the gateway leaves after 4 s");
    said.check("compression", "ok", "gzip");
    said.check("upstream-exposure", "ok", "this machine's own");
    assert!(said.all("hot-reload").is_empty(), "{}", said.report);
    assert_eq!(said.code, Some(0));
}

#[test]
fn a_next_dev_is_asked_for_its_socket_and_its_origins_too() {
    let (folder, url) = (TempDir::new().unwrap(), stub(dev));
    let arguments = ["upstream", "--upstream", &url, "--public-url", "http://shop.example"];
    let said = doctor(folder.path(), &arguments, &[]);
    said.check("upstream", "ok", "next dev answers");
    said.check("hot-reload", "ok", "opens");
    said.check("dev-origins", "ok", "127.0.0.1 is not");
    let of_site = said.all("dev-origins")[1];
    assert_eq!(
        (&of_site["level"], &of_site["facts"]["origin"]),
        (&"warning".into(), &"http://shop.example".into())
    );
}

#[test]
fn the_socket_of_a_next_dev_before_16_3_is_found() {
    let older = |head: &str| match head.split(' ').nth(1) {
        Some("/_next/webpack-hmr") => "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        Some("/_next/hmr") => "",
        _ => dev(head),
    };
    let (folder, url) = (TempDir::new().unwrap(), stub(older));
    let said = doctor(folder.path(), &["upstream", "--upstream", &url], &[]);
    said.check("hot-reload", "ok", "opens");
}

#[test]
fn a_next_dev_that_refuses_its_socket_is_a_problem() {
    let refusing = |head: &str| if head.contains("websocket") { "Unauthorized" } else { dev(head) };
    let (folder, url) = (TempDir::new().unwrap(), stub(refusing));
    let said = doctor(folder.path(), &["upstream", "--upstream", &url], &[]);
    said.check("hot-reload", "problem", "refused");
    assert_eq!(said.code, Some(1));
}

#[test]
fn another_server_is_told_from_next_js() {
    let other = |_: &str| "HTTP/1.1 200 OK\r\nServer: other\r\nConnection: close\r\n\r\n";
    let (folder, url) = (TempDir::new().unwrap(), stub(other));
    let said = doctor(folder.path(), &["upstream", "--upstream", &url], &[]);
    said.check("upstream-kind", "warning", "nothing in its answers");
    said.check("keep-alive", "warning", "closes each connection");
    said.check("compression", "warning", "uncompressed");
    assert_eq!(said.code, Some(0));
}

#[test]
fn what_speaks_no_http_or_is_not_there_is_a_problem_when_it_is_named() {
    let folder = TempDir::new().unwrap();
    let url = stub(|_| "SSH-2.0-x\r\n");
    let said = doctor(folder.path(), &["upstream", "--upstream", &url], &[]);
    said.check("upstream", "problem", "no HTTP");
    let said = doctor(folder.path(), &["upstream", "--upstream", "unix:/no/such.sock"], &[]);
    said.check("upstream", "problem", "nothing answers");
    assert_eq!(said.code, Some(1));
}

#[test]
fn an_upstream_that_is_silent_is_not_waited_for() {
    // The system takes connections for a listener that nobody asks for them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let folder = TempDir::new().unwrap();
    let said = doctor(folder.path(), &["upstream", "--upstream", &url], &[]);
    said.check("upstream", "problem", "no answer within 5 s");
}

#[cfg(target_os = "linux")]
#[test]
fn an_upstream_that_other_machines_reach_is_told() {
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let url = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            (&stream).write_all(PAGE.as_bytes()).ok();
        }
    });
    let folder = TempDir::new().unwrap();
    let said = doctor(folder.path(), &["upstream", "--upstream", &url], &[]);
    said.check("upstream-exposure", "warning", "every address");
    assert!(said.one("upstream-exposure")["cure"].as_str().unwrap().contains("-H 127.0.0.1"));
}

#[test]
fn a_taken_port_is_a_problem_and_names_who_has_it() {
    let folder = TempDir::new().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    // Whoever asks it for its health is turned away at once.
    thread::spawn(move || taken.incoming().flatten().for_each(drop));
    let said = doctor(folder.path(), &["--host", "127.0.0.1"], &[("PORT", &port)]);
    said.check("port", "problem", &port);
    if cfg!(target_os = "linux") {
        let own = format!("process {}", std::process::id());
        assert!(said.one("port")["facts"]["holder"].as_str().unwrap().contains(&own));
    }
    assert_eq!(said.code, Some(1));
}

#[test]
fn a_port_that_a_gateway_has_is_no_problem() {
    let (folder, url) = (TempDir::new().unwrap(), stub(|_| "HTTP/1.1 200 OK\r\n\r\n"));
    let (_, port) = url.rsplit_once(':').unwrap();
    let said = doctor(folder.path(), &["--host", "127.0.0.1", "--port", port], &[]);
    said.check("port", "ok", "serves already");
}

#[test]
fn a_guessable_secret_is_told_and_not_shown() {
    let folder = TempDir::new().unwrap();
    let secret = "keyboard cat keyboard cat keyboard cat";
    let said = doctor(folder.path(), &["--port", "0"], &[("SESSION_SECRET", secret)]);
    said.check("secret-strength", "warning", "example");
    assert!(!said.report.to_string().contains("keyboard"), "{}", said.report);
    let short = doctor(folder.path(), &["--port", "0"], &[("SESSION_SECRET", "hunter2")]);
    short.check("secrets", "problem", "7 bytes");
    assert_eq!(short.code, Some(1));
}

#[test]
fn a_part_takes_its_own_settings_alone() {
    let folder = TempDir::new().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_nextbnb-gateway"));
    command.args(["doctor", "machine", "--upstream", "http://x"]).current_dir(&folder);
    assert_eq!(command.output().unwrap().status.code(), Some(2));
    let said = doctor(folder.path(), &["machine"], &[("NEXTBNB_UPSTREAM", "nonsense")]);
    assert_eq!((said.code, said.all("upstream").len()), (Some(0), 0));
}
