//! The gateway as a program of its own, which says in its log what it made of each request.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};

use nextbnb_tests::binary::gateway_binary;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

/// A gateway on SQLite that learns each client's address from a PROXY header: bytes behind that cannot
/// change whose they are.
pub(crate) struct LoggedGateway {
    process: Child,
    log: Option<JoinHandle<Vec<String>>>,
    address: SocketAddr,
    _folder: TempDir,
}

/// A line of the log about a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogLine {
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) path: String,
    /// `None` where the client went away before its answer.
    pub(crate) status: Option<u64>,
    /// Length of the answer's body.
    pub(crate) bytes: u64,
    /// Whether the answer was sent to its end.
    pub(crate) is_whole: bool,
}

impl LoggedGateway {
    pub(crate) fn before(upstream: SocketAddr) -> Self {
        let folder = TempDir::new().unwrap();
        let mut process = Command::new(gateway_binary())
            .args([
                "--port",
                "0",
                "--host",
                "127.0.0.1",
                "--log-format",
                "json",
                "--proxy-protocol",
            ])
            .args(["--upstream", &format!("http://{upstream}")])
            .current_dir(&folder)
            .env_clear()
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap());
        let start = log.by_ref().lines().find_map(|line| {
            let line = line.unwrap();
            let (_, rest) = line.split_once("serving on ")?;
            let (_, port) = rest.split_once("127.0.0.1:")?;
            port.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
        });
        let port: u16 = start.expect("the gateway does not start");
        Self {
            process,
            log: Some(collect(log)),
            address: ([127, 0, 0, 1], port).into(),
            _folder: folder,
        }
    }

    /// A connection as of the client with this number.
    pub(crate) async fn connect(&self, number: usize) -> TcpStream {
        connect(self.address, number).await
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it, and tells what it logged of each client's requests, in order.
    pub(crate) fn finish(mut self) -> HashMap<usize, Vec<LogLine>> {
        kill_process(Pid::from_child(&self.process), Signal::TERM).unwrap();
        let mut lines: HashMap<usize, Vec<LogLine>> = HashMap::new();
        for line in self.log.take().unwrap().join().unwrap() {
            let line: Value = serde_json::from_str(&line).unwrap();
            if let Some(line) = LogLine::of(&line) {
                lines.entry(line.0).or_default().push(line.1);
            }
        }
        assert!(self.process.wait().unwrap().success(), "the gateway did not end well");
        lines
    }
}

impl Drop for LoggedGateway {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

impl LogLine {
    fn of(line: &Value) -> Option<(usize, Self)> {
        let id = line["request_id"].as_str()?.to_owned();
        let (request, _) = line["message"].as_str()?.rsplit_once(" -> ")?;
        let (method, path) = request.split_once(' ')?;
        let client = line["client.address"].as_str()?.parse().ok()?;
        let line = Self {
            id,
            method: method.to_owned(),
            path: path.to_owned(),
            status: line["status"].as_u64(),
            bytes: line["bytes"].as_u64()?,
            is_whole: line["end"].is_null(),
        };
        Some((number_of(client), line))
    }
}

/// Reads lines to the end, so that whoever writes them never waits.
pub(crate) fn collect(told: BufReader<impl Read + Send + 'static>) -> JoinHandle<Vec<String>> {
    thread::spawn(move || told.lines().map(Result::unwrap).collect())
}

/// Connects to the gateway at `address` as the client with this number.
pub(crate) async fn connect(address: SocketAddr, number: usize) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let header = format!("PROXY TCP4 {} 127.0.0.1 1 2\r\n", address_of(number));
    stream.write_all(header.as_bytes()).await.unwrap();
    stream
}

/// An address for each client, of those for measurements (RFC 2544: 198.18.0.0/15).
pub(crate) fn address_of(number: usize) -> Ipv4Addr {
    Ipv4Addr::from_bits(Ipv4Addr::new(198, 18, 0, 0).to_bits() + u32::try_from(number).unwrap())
}

pub(crate) fn number_of(client: Ipv4Addr) -> usize {
    (client.to_bits() - Ipv4Addr::new(198, 18, 0, 0).to_bits()) as usize
}
