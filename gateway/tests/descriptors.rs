//! The built executable where file descriptors are few.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failed set-up should stop the test"
)]

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use nextbnb_gateway::server::descriptors::raise_limit;
use tempfile::TempDir;

/// Longest wait for an answer on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

const HEALTH: &[u8] = b"GET /.nextbnb/health HTTP/1.1\r\nHost: a\r\n\r\n";

struct Gateway {
    process: Child,
    address: SocketAddr,
    log: BufReader<ChildStderr>,
    /// What it said before it served.
    warned: String,
    _folder: TempDir,
}

impl Gateway {
    /// Starts one in a shell that `limits` first.
    fn start(limits: &str, flags: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let program = env!("CARGO_BIN_EXE_nextbnb-gateway");
        let script = format!("{limits} && exec {program} --host 127.0.0.1 --port 0 {flags}");
        let mut command = Command::new("sh");
        command.args(["-c", &script]).current_dir(&folder).env_clear().stdin(Stdio::null());
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap());
        let warned = said_until(&mut log, "serving on http://");
        let (_, rest) = warned.split_once("serving on http://").unwrap();
        let address = rest.split_whitespace().next().unwrap().parse().unwrap();
        Self { process, address, log, warned, _folder: folder }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// The log up to the line that contains `part`.
fn said_until(log: &mut impl BufRead, part: &str) -> String {
    let mut said = String::new();
    while !said.contains(part) {
        assert_ne!(log.read_line(&mut said).unwrap(), 0, "ended before {part:?}: {said}");
    }
    said
}

/// The status of an answer to a request for the gateway's health; `None` where it was closed.
fn status(stream: &mut TcpStream) -> Option<String> {
    // Whoever is turned away may be gone already.
    drop(stream.write_all(HEALTH));
    let mut answer = [0; 1024];
    let length = match stream.read(&mut answer) {
        Err(error) if error.kind() == ErrorKind::ConnectionReset => 0,
        read => read.expect("no answer"),
    };
    (length > 12).then(|| String::from_utf8_lossy(&answer[9..12]).into_owned())
}

#[test]
fn a_low_soft_limit_of_descriptors_is_raised() {
    raise_limit(None);
    let gateway = Gateway::start("ulimit -Sn 256", "");
    let mut idle: Vec<TcpStream> = (0..1000).map(|_| gateway.connect()).collect();
    for stream in &mut idle {
        assert_eq!(status(stream).as_deref(), Some("200"));
    }
}

#[test]
fn without_descriptors_clients_are_told_and_those_who_are_served_stay() {
    let mut gateway = Gateway::start("ulimit -n 96", "--max-connections 1000");
    let mut first = gateway.connect();
    assert_eq!(status(&mut first).as_deref(), Some("200"));
    let mut rest: Vec<TcpStream> = (0..200).map(|_| gateway.connect()).collect();
    let statuses: Vec<_> = rest.iter_mut().map(status).collect();
    let told = statuses.iter().filter(|status| status.as_deref() != Some("200")).count();
    assert!((100..200).contains(&told), "{statuses:?}");
    assert_eq!(status(&mut first).as_deref(), Some("200"));
    let line = said_until(&mut gateway.log, "cannot accept connections");
    assert!(line.contains("lower --max-connections") && line.contains("ulimit -n"), "{line}");
    drop(rest);
    let served = (0..300).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        status(&mut gateway.connect()).as_deref() == Some("200")
    });
    assert!(served, "nobody is served any more");
}

#[test]
fn more_connections_than_there_can_be_descriptors_for_are_named() {
    let gateway = Gateway::start("ulimit -n 512", "--max-connections 1000");
    let line = &gateway.warned;
    assert!(line.contains("more than 512 file descriptors are enough for (192)"), "{line}");
}
