//! The built executable with a certificate: what it says of bad ones, and how it is told of new ones.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failed set-up should stop the test"
)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, ChildStderr, Command, Stdio};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

const TLS: [&str; 4] = ["--tls-cert", "cert.pem", "--tls-key", "key.pem"];

/// A folder with `cert.pem` and `key.pem`.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    write_certificate(&folder, |_| {});
    folder
}

fn write_certificate(folder: &TempDir, change: impl FnOnce(&mut CertificateParams)) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
    change(&mut params);
    fs::write(folder.path().join("cert.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
    fs::write(folder.path().join("key.pem"), key.serialize_pem()).unwrap();
}

fn gateway(folder: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nextbnb-gateway"));
    command.args(arguments).current_dir(folder).env_clear().stdin(Stdio::null());
    command
}

/// One that serves; killed when dropped.
struct Running {
    child: Child,
    log: BufReader<ChildStderr>,
    port: String,
    said: String,
}

impl Running {
    fn start(folder: &TempDir, more: &[&str]) -> Self {
        let arguments = [&["serve", "--host", "127.0.0.1", "--port", "0"], &TLS[..], more].concat();
        let mut child = gateway(folder, &arguments).stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut running = Self { child, log, port: String::new(), said: String::new() };
        let line = running.read_until(" on https://127.0.0.1:");
        let port: String = line.chars().take_while(char::is_ascii_digit).collect();
        running.port = port;
        running
    }

    /// Reads the log up to a line with `words`; what stands behind them.
    fn read_until(&mut self, words: &str) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(self.log.read_line(&mut line).unwrap(), 0, "it ended: {}", self.said);
            self.said += &line;
            if let Some((_, rest)) = line.split_once(words) {
                return rest.to_owned();
            }
        }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn assert_healthy(&self, folder: &TempDir) {
        let mut health = gateway(folder, &["health", "--tls", "--port", &self.port]);
        assert!(health.status().unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[track_caller]
fn assert_refused(folder: &TempDir, arguments: &[&str], expected: &str) {
    let output = gateway(folder, arguments).stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains(expected), "wanted {expected:?} in: {said}");
    assert!(!said.contains("BEGIN"), "{said}");
}

#[test]
fn files_that_are_no_certificate_and_its_key_are_named() {
    let folder = folder();
    let write = |file: &str, text: &str| fs::write(folder.path().join(file), text).unwrap();
    let with = |certificate, key| {
        ["--port", "0", "--tls-cert", certificate, "--tls-key", key].map(str::to_owned)
    };
    let check = |arguments: [String; 6], expected: &str| {
        assert_refused(&folder, &arguments.each_ref().map(String::as_str), expected);
    };
    check(with("gone.pem", "key.pem"), "--tls-cert gone.pem: there is no such file in /");
    check(with("cert.pem", "gone.pem"), "--tls-key gone.pem: there is no such file in /");
    check(with("key.pem", "key.pem"), "--tls-cert key.pem is not usable: want certificates");
    check(with("cert.pem", "cert.pem"), "--tls-key cert.pem is not usable: want a private key");
    write("other.pem", &KeyPair::generate().unwrap().serialize_pem());
    check(
        with("cert.pem", "other.pem"),
        "--tls-key other.pem is not the key of the first certificate in --tls-cert cert.pem",
    );
    check(with("cert.pem:cert.pem", "key.pem"), "2 of --tls-cert and 1 of --tls-key");
    assert_refused(&folder, &["--tls-cert", "cert.pem"], "--tls-key <FILE>");
    assert_refused(&folder, &["--http-redirect-port", "80"], "--tls-cert <FILE>");
    let same = [&TLS[..], &["--port", "3443", "--http-redirect-port", "3443"]].concat();
    assert_refused(&folder, &same, "--http-redirect-port 3443 is the port with TLS");
}

#[test]
fn a_certificate_out_of_its_time_is_served_and_told() {
    let folder = folder();
    write_certificate(&folder, |params| params.not_after = date_time_ymd(2020, 1, 1));
    let running = Running::start(&folder, &[]);
    assert!(running.said.contains("--tls-cert cert.pem has expired"), "{}", running.said);
    running.assert_healthy(&folder);
    drop(running);
    write_certificate(&folder, |params| params.not_before = date_time_ymd(3000, 1, 1));
    let running = Running::start(&folder, &[]);
    assert!(running.said.contains("--tls-cert cert.pem is not valid yet"), "{}", running.said);
}

#[test]
fn a_hang_up_reads_the_certificates_again_and_ends_nothing() {
    let folder = folder();
    let mut running = Running::start(&folder, &[]);
    running.assert_healthy(&folder);
    write_certificate(&folder, |_| {});
    running.signal(Signal::HUP);
    running.read_until("were read again");
    running.assert_healthy(&folder);
    fs::write(folder.path().join("key.pem"), "no key").unwrap();
    running.signal(Signal::HUP);
    let cause = running.read_until("the certificates served stay the old ones");
    assert!(cause.contains("--tls-key key.pem") || running.said.contains("--tls-key key.pem"));
    running.assert_healthy(&folder);
    running.signal(Signal::TERM);
    assert_eq!(running.child.wait().unwrap().code(), Some(0));
}

#[test]
fn health_over_tls_is_for_this_machine_alone() {
    let arguments = ["health", "--tls", "--host", "203.0.113.1", "--port", "1"];
    assert_refused(&folder(), &arguments, "on this machine alone");
}

#[test]
fn health_says_whether_tls_is_spoken_where_it_was_asked() {
    let folder = folder();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let running = Running::start(&folder, &["--http-redirect-port", &free]);
    assert_refused(&folder, &["health", "--port", &running.port], "it speaks TLS: ask with --tls");
    let plain = ["health", "--tls", "--port", &free];
    assert_refused(&folder, &plain, "it speaks no TLS: ask without --tls");
}

#[test]
fn plain_http_is_sent_to_the_port_with_tls() {
    let folder = folder();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let running = Running::start(&folder, &["--http-redirect-port", &free]);
    let ask = |target: &str| {
        let mut stream = TcpStream::connect(format!("127.0.0.1:{free}")).unwrap();
        write!(stream, "GET {target} HTTP/1.1\r\nHost: a.example:80\r\n\r\n").unwrap();
        stream.shutdown(Shutdown::Write).unwrap(); // As `nc` does.
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let answer = ask("/trips?to=x");
    assert!(answer.starts_with("HTTP/1.1 308"), "{answer}");
    let expected = format!("location: https://a.example:{}/trips?to=x\r\n", running.port);
    assert!(answer.contains(&expected), "{answer}");
    assert!(ask("/.nextbnb/health").starts_with("HTTP/1.1 200"));
}

#[test]
fn connections_to_be_redirected_are_bounded_as_all_are() {
    let folder = folder();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let bounded = ["--proxy-protocol", "--max-connections-per-client", "1"];
    let arguments = [&["--http-redirect-port", &free][..], &bounded].concat();
    let _running = Running::start(&folder, &arguments);
    let connect = |client: &str| {
        let mut stream = TcpStream::connect(format!("127.0.0.1:{free}")).unwrap();
        write!(stream, "PROXY TCP4 {client} 10.0.0.1 1 80\r\n").unwrap();
        stream
    };
    let ask = |mut stream: TcpStream| {
        write!(stream, "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let is_told = |client: &str, status: &str| {
        (0..1000).any(|_| ask(connect(client)).starts_with(&format!("HTTP/1.1 {status}")))
    };
    let waiting = connect("203.0.113.7");
    assert!(is_told("203.0.113.7", "503"), "as soon as the one that waits has its place");
    assert!(ask(connect("203.0.113.8")).starts_with("HTTP/1.1 308"));
    drop(waiting);
    assert!(is_told("203.0.113.7", "308"), "as soon as its place is free");
}
