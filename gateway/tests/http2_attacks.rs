//! What an HTTP/2 client can do to the executable: each attack ends, and costs no memory to speak of.
#![cfg(target_os = "linux")] // Memory is read from `/proc`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failed set-up should stop the test"
)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;

use tempfile::TempDir;

use self::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, Frame, Frames, GOAWAY, HEADERS,
    INITIAL_WINDOW_SIZE, PING, RST_STREAM, SETTINGS, WINDOW_UPDATE, field, frame, head, text,
};

#[allow(dead_code, missing_docs, unreachable_pub, reason = "made for more tests than these")]
#[path = "../../tests/harness/frames.rs"]
mod frames;

/// What no attack may cost (ASVS names none; a worker has this for one client).
const MOST_KIB: u64 = 10 * 1024;

/// A gateway with one upstream, killed when dropped.
struct Gateway {
    child: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Gateway {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let upstream = format!("http://{}", upstream());
        let mut child = Command::new(env!("CARGO_BIN_EXE_nextbnb-gateway"))
            .args(["serve", "--host", "127.0.0.1", "--port", "0", "--upstream", &upstream])
            .current_dir(&folder)
            .env_clear()
            .env("MALLOC_ARENA_MAX", "2")
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let serving = lines.find(|line| line.contains("serving on http://")).unwrap();
        let address = serving.split("http://").nth(1).unwrap().split(' ').next().unwrap();
        let address = address.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap();
        thread::spawn(move || lines.for_each(drop));
        let gateway = Self { child, address, _folder: folder };
        gateway.assert_serves();
        gateway
    }

    fn connect(&self, settings: &[(u16, u32)]) -> Frames {
        Frames::connect(self.address, settings)
    }

    /// Most memory that it ever had.
    fn peak_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Everybody else is served.
    fn assert_serves(&self) {
        let mut frames = self.connect(&[]);
        frames.request(END_STREAM, 1, "GET", "/", &[]).unwrap();
        let answer = frames.read_until(&[HEADERS, RST_STREAM, GOAWAY]).unwrap();
        assert_eq!(answer.kind, HEADERS);
    }

    /// What `attack` costs.
    #[track_caller]
    fn assert_withstands<T>(&self, attack: impl FnOnce() -> T) -> T {
        let before = self.peak_kib();
        let outcome = attack();
        self.assert_serves();
        let grown = self.peak_kib() - before;
        assert!(grown < MOST_KIB, "it has grown by {grown} KiB");
        outcome
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Answers `/` with a word, `/big` with a megabyte and takes no body; anything else never.
fn upstream() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || answer(stream.unwrap()));
        }
    });
    address
}

fn answer(mut stream: TcpStream) {
    let mut read = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut first = String::new();
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            if !read.read_line(&mut line).is_ok_and(|length| length > 0) {
                return;
            }
            if first.is_empty() {
                first.clone_from(&line);
            }
        }
        let length = match first.split(' ').nth(1).unwrap() {
            "/" => 2,
            "/big" => 1024 * 1024,
            _ => loop {
                thread::park();
            },
        };
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
        if stream.write_all(head.as_bytes()).is_err()
            || stream.write_all(&vec![b'x'; length]).is_err()
        {
            return;
        }
    }
}

/// Sends `pieces` until they end or the gateway has had enough; tells how it said so.
fn flood(mut frames: Frames, pieces: impl Iterator<Item = Vec<u8>>) -> Option<Frame> {
    let mut reader = frames.clone_handle();
    let reading = thread::spawn(move || reader.read_goaway());
    let mut batch = Vec::new();
    for piece in pieces {
        batch.extend(piece);
        if batch.len() > 64 * 1024 {
            if frames.send_bytes(&batch).is_err() {
                break;
            }
            batch.clear();
        }
    }
    frames.send_bytes(&batch).ok();
    frames.end();
    reading.join().unwrap()
}

/// The streams that a client opens.
fn streams(count: u32) -> impl Iterator<Item = u32> {
    (0..count).map(|number| number * 2 + 1)
}

#[track_caller]
fn assert_too_much(goaway: Option<Frame>) {
    let goaway = goaway.expect("it was cut without a word");
    assert_eq!(goaway.error_code(), ENHANCE_YOUR_CALM);
}

#[test]
fn requests_taken_back_at_once_end_the_connection() {
    let gateway = Gateway::start();
    let get = head("GET", "/never", &[]);
    let goaway = gateway.assert_withstands(|| {
        let pairs = streams(100_000).map(|stream| {
            let headers = frame(HEADERS, END_HEADERS | END_STREAM, stream, &get);
            [headers, frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes())].concat()
        });
        flood(gateway.connect(&[]), pairs)
    });
    assert_too_much(goaway);
}

#[test]
fn a_head_without_end_is_cut() {
    let gateway = Gateway::start();
    let goaway = gateway.assert_withstands(|| {
        let begun = frame(HEADERS, END_STREAM, 1, &head("GET", "/", &[]));
        let more = field("x-more", &"x".repeat(8_000));
        let more = (0..20_000).map(|_| frame(CONTINUATION, 0, 1, &more));
        flood(gateway.connect(&[]), std::iter::once(begun).chain(more))
    });
    assert!(goaway.is_some(), "it was cut without a word");
    let empty = gateway.assert_withstands(|| {
        let begun = frame(HEADERS, END_STREAM, 1, &head("GET", "/", &[]));
        let more = (0..100_000).map(|_| frame(CONTINUATION, 0, 1, &[]));
        flood(gateway.connect(&[]), std::iter::once(begun).chain(more))
    });
    assert!(empty.is_some(), "it was cut without a word");
}

#[test]
fn a_client_that_has_its_streams_reset_is_cut() {
    let gateway = Gateway::start();
    let post = head("POST", "/never", &[]);
    let goaway = gateway.assert_withstands(|| {
        let pairs = streams(100_000).map(|stream| {
            let headers = frame(HEADERS, END_HEADERS, stream, &post);
            [headers, frame(WINDOW_UPDATE, 0, stream, &0x7fff_ffff_u32.to_be_bytes())].concat()
        });
        flood(gateway.connect(&[]), pairs)
    });
    assert_too_much(goaway);
}

#[test]
fn a_body_in_crumbs_costs_no_memory() {
    let gateway = Gateway::start();
    gateway.assert_withstands(|| {
        let post = streams(4)
            .map(|stream| frame(HEADERS, END_HEADERS, stream, &head("POST", "/never", &[])));
        let crumbs = (0..1_000_000).map(|number| frame(DATA, 0, number % 4 * 2 + 1, b"x"));
        flood(gateway.connect(&[]), post.chain(crumbs))
    });
}

#[test]
fn a_small_head_that_unfolds_is_refused() {
    let gateway = Gateway::start();
    let goaway = gateway.assert_withstands(|| {
        let kept = [&[0x40][..], &text("x-bomb"), &text(&"x".repeat(3_900))].concat();
        let first = [head("GET", "/", &[]), kept].concat();
        let first = frame(HEADERS, END_HEADERS | END_STREAM, 1, &first);
        let bomb = [head("GET", "/", &[]), vec![0xbe; 16_000]].concat();
        let bombs = streams(200)
            .skip(1)
            .map(|stream| frame(HEADERS, END_HEADERS | END_STREAM, stream, &bomb));
        flood(gateway.connect(&[]), std::iter::once(first).chain(bombs))
    });
    assert!(goaway.is_some(), "nothing was said of it");
}

#[test]
fn answers_that_nobody_takes_cost_no_memory() {
    let gateway = Gateway::start();
    gateway.assert_withstands(|| {
        let mut frames = gateway.connect(&[(INITIAL_WINDOW_SIZE, 0)]);
        for stream in streams(100) {
            frames.request(END_STREAM, stream, "GET", "/big", &[]).unwrap();
        }
        for _ in 0..100 {
            frames.read_until(&[HEADERS]).unwrap();
        }
    });
}

#[test]
fn questions_without_end_cost_no_memory() {
    let gateway = Gateway::start();
    gateway.assert_withstands(|| {
        flood(gateway.connect(&[]), (0..500_000).map(|_| frame(PING, 0, 0, &[0; 8])));
        let table_size = [0, 1, 0, 0, 16, 0];
        flood(gateway.connect(&[]), (0..500_000).map(|_| frame(SETTINGS, 0, 0, &table_size)));
    });
}

#[test]
fn a_client_that_reads_no_answers_costs_no_memory() {
    let gateway = Gateway::start();
    gateway.assert_withstands(|| {
        let mut frames = gateway.connect(&[]);
        frames.shorten_patience();
        let pings: Vec<u8> = (0..8_192).flat_map(|_| frame(PING, 0, 0, &[0; 8])).collect();
        // Until nothing is taken any more.
        let sent = (0..1_000).take_while(|_| frames.send_bytes(&pings).is_ok()).count();
        assert!(sent < 1_000, "the gateway reads what it cannot answer");
    });
}
