//! What the log of the built executable says of a request: one line, with how it ended.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failed set-up should stop the test"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// Longest wait for anything; ample on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn an_answer_that_the_upstream_cuts_is_told_from_a_whole_one() {
    let gateway = Gateway::before(upstream());
    gateway.exchange("GET /whole HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    gateway.exchange("GET /cut HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let whole = gateway.line_of("/whole");
    assert_eq!((whole["level"].as_str(), &whole["end"]), (Some("INFO"), &Value::Null));
    let cut = gateway.line_of("/cut");
    assert_eq!((cut["level"].as_str(), cut["status"].as_u64()), (Some("WARN"), Some(200)));
    assert_eq!(cut["end"], "cut by the upstream");
    assert!(cut["cause"].is_string(), "{cut}");
}

#[test]
fn the_line_of_a_request_over_http2_says_so() {
    let gateway = Gateway::before(upstream());
    let mut stream = gateway.connect();
    // Settings, and a head in the codes of RFC 7541: GET, http, `/whole`, and `a`.
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
    stream.write_all(b"\0\0\x0d\x01\x05\0\0\0\x01\x82\x86\x04\x06/whole\x01\x01a").unwrap();
    assert_eq!(gateway.line_of("/whole")["protocol"], "HTTP/2.0");
    gateway.exchange("GET /cut HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_eq!(gateway.line_of("/cut")["protocol"], Value::Null);
}

#[test]
fn a_client_that_goes_away_is_told_from_one_that_stays() {
    let gateway = Gateway::before(upstream());
    let mut stream = gateway.connect();
    stream.write_all(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    assert_ne!(stream.read(&mut [0; 1024]).unwrap(), 0);
    drop(stream);
    let gone = gateway.line_of("/endless");
    assert_eq!((gone["level"].as_str(), gone["status"].as_u64()), (Some("INFO"), Some(200)));
    assert_eq!(gone["end"], "client gone");
    gateway.exchange("HEAD /whole HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    gateway.exchange("HEAD /.nextbnb/session HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    for path in ["/whole", "/.nextbnb/session"] {
        assert_eq!(gateway.line_of(path)["end"], Value::Null);
    }
}

#[test]
fn the_line_of_a_socket_is_written_at_its_end_and_tells_how_it_came() {
    let gateway = Gateway::before(upstream());
    drop(gateway.open("/socket/left", ""));
    let left = gateway.line_of("/socket/left");
    assert_eq!((left["status"].as_u64(), &left["end"]), (Some(101), &Value::Null));
    let password = "correct horse battery";
    let ada = format!(
        r#"{{"email":"ada@example.org","password":"{password}","passwordconfirmation":"{password}"}}"#
    );
    let registered = gateway.post("/api/auth/register", "", &ada);
    let cookie = registered.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    let cookie = cookie.split(';').next().unwrap();
    let socket = gateway.open("/socket/of-ada", cookie);
    gateway.post("/api/auth/logout", cookie, "{}");
    let ended = gateway.line_of("/socket/of-ada");
    assert_eq!((ended["status"].as_u64(), &ended["end"]), (Some(101), &"session ended".into()));
    assert!(ended["user.id"].is_number(), "{ended}");
    drop(socket);
}

#[test]
fn a_request_that_fails_has_one_line_with_its_cause() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gateway = Gateway::before(nobody);
    for (request, status, level) in [
        ("GET /failed HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 502, "ERROR"),
        ("GET /refused HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n", 400, "INFO"),
    ] {
        gateway.exchange(request);
        let line = gateway.next_of_a_request();
        assert_eq!(line["status"], status, "{line}");
        assert_eq!(line["level"], level, "{line}");
        assert!(line["cause"].is_string(), "{line}");
    }
}

#[test]
fn the_line_names_the_client_whom_a_trusted_proxy_names() {
    let request = "GET /whole HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6, 203.0.113.7\r\n\
                   Connection: close\r\n\r\n";
    for (flags, client) in
        [(&[][..], "127.0.0.1"), (&["--trusted-proxies", "loopback"], "203.0.113.7")]
    {
        let gateway = Gateway::with(upstream(), flags);
        gateway.exchange(request);
        assert_eq!(gateway.line_of("/whole")["client.address"], client);
    }
}

#[test]
fn a_head_that_cannot_be_read_has_a_line_with_its_client_and_cause() {
    let gateway = Gateway::before(upstream());
    for request in ["GET / HTTP/1.1\r\nHost : a\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nMS\r\n\r\n"] {
        gateway.exchange(request);
        let line = gateway.next_line(|line| line["client.address"].is_string());
        assert_eq!(
            (line["level"].as_str(), line["client.address"].as_str()),
            (Some("INFO"), Some("127.0.0.1"))
        );
        assert!(
            line["cause"].is_string() && line["message"].to_string().contains("refused"),
            "{line}"
        );
    }
}

/// More than a pipe holds (64 KiB) is logged, and nobody reads it: requests are answered all the
/// same, and the process ends when it is told to.
#[test]
fn a_log_that_nobody_reads_holds_up_nobody() {
    let folder = TempDir::new().unwrap();
    let mut child = Gateway::command(&folder).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("serving on") {
        line.clear();
        assert_ne!(log.read_line(&mut line).unwrap(), 0);
    }
    let port: u16 =
        line.split("127.0.0.1:").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!("GET /.nextbnb/{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(4000));
    for _ in 0..100 {
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = [0; 1024];
        let length = stream.read(&mut answer).unwrap();
        assert!(answer[..length].starts_with(b"HTTP/1.1 404 "));
    }
    drop(stream);
    let process = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    kill_process(process, Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let mut rest = String::new();
    log.read_to_string(&mut rest).unwrap();
    let whole = rest.lines().filter(|line| serde_json::from_str::<Value>(line).is_ok()).count();
    assert!((1..100).contains(&whole), "{whole}");
}

#[test]
fn what_is_logged_before_the_end_is_written_before_it() {
    let mut gateway = Gateway::before(upstream());
    for _ in 0..20 {
        gateway.exchange("GET /whole HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    }
    let process = Pid::from_raw(gateway.child.id().try_into().unwrap()).unwrap();
    kill_process(process, Signal::TERM).unwrap();
    assert_eq!(gateway.child.wait().unwrap().code(), Some(0));
    let rest: Vec<Value> =
        gateway.log.iter().map(|line| serde_json::from_str(&line).expect(&line)).collect();
    let requests = rest.iter().filter(|line| line["request_id"].is_string()).count();
    assert_eq!(requests, 20);
    assert_eq!(rest.last().unwrap()["message"], "ended");
    let times: Vec<_> = rest.iter().map(|line| line["timestamp"].as_str().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
}

/// Answers `/cut` with half of what it promises, `/socket` with a WebSocket, `/endless` for as long as
/// it may, and anything else whole.
fn upstream() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || answer(&mut stream.unwrap()));
        }
    });
    address
}

fn answer(stream: &mut TcpStream) {
    let mut line = String::new();
    BufReader::new(&mut *stream).read_line(&mut line).unwrap();
    if line.contains("/socket") {
        let granted = "101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket";
        write!(stream, "HTTP/1.1 {granted}\r\n\r\n").unwrap();
        stream.read_to_end(&mut Vec::new()).ok();
        return;
    }
    let length = if line.contains("/endless") { u64::from(u32::MAX) } else { 8 };
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n").unwrap();
    if line.starts_with("HEAD") {
        return;
    }
    while stream.write_all(b"half").is_ok() && line.contains("/endless") {}
    if line.contains("/whole") {
        stream.write_all(b"half").unwrap();
    }
}

/// A gateway with a log of JSON lines; killed when dropped.
struct Gateway {
    child: Child,
    log: Receiver<String>,
    port: u16,
    _folder: TempDir,
}

impl Gateway {
    fn before(upstream: SocketAddr) -> Self {
        Self::with(upstream, &[])
    }

    fn with(upstream: SocketAddr, flags: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let mut child = Self::command(&folder)
            .args(["--upstream", &format!("http://{upstream}")])
            .args(flags)
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (send, log) = mpsc::channel();
        thread::spawn(move || stderr.lines().try_for_each(|line| send.send(line.unwrap())));
        let mut gateway = Self { child, log, port: 0, _folder: folder };
        let serving = gateway.next_line(|line| line["message"].to_string().contains("serving on"));
        let address = serving["message"].as_str().unwrap().split("127.0.0.1:").nth(1).unwrap();
        gateway.port = address.split(' ').next().unwrap().parse().unwrap();
        gateway
    }

    fn command(folder: &TempDir) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nextbnb-gateway"));
        command
            .args(["--port", "0", "--host", "127.0.0.1", "--log-format", "json"])
            .current_dir(folder)
            .env_clear()
            .stdin(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    fn exchange(&self, request: &str) -> String {
        let (mut stream, mut answer) = (self.connect(), String::new());
        stream.write_all(request.as_bytes()).unwrap();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Posts JSON; the answer.
    fn post(&self, path: &str, cookie: &str, json: &str) -> String {
        self.exchange(&format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\nCookie: {cookie}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{json}",
            json.len()
        ))
    }

    /// Opens a WebSocket.
    fn open(&self, path: &str, cookie: &str) -> TcpStream {
        let mut stream = self.connect();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: a\r\nCookie: {cookie}\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\n\r\n"
        )
        .unwrap();
        assert_ne!(stream.read(&mut [0; 1024]).unwrap(), 0);
        stream
    }

    fn line_of(&self, path: &str) -> Value {
        self.next_line(|line| line["message"].to_string().contains(&format!(" {path} ")))
    }

    fn next_of_a_request(&self) -> Value {
        self.next_line(|line| line["request_id"].is_string())
    }

    fn next_line(&self, is_meant: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line = self.log.recv_timeout(PATIENCE).expect("the line never came");
            let line: Value = serde_json::from_str(&line).expect(&line);
            if is_meant(&line) {
                return line;
            }
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
