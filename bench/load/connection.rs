//! A connection that reads one whole answer after the other.

use std::io::Read;
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

const READ_BYTES: usize = 64 * 1024;

#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    /// What came of the next answer, up to `end`.
    buffer: Vec<u8>,
    end: usize,
}

impl Connection {
    pub(crate) fn open(port: u16) -> Self {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("a connection");
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: vec![0; READ_BYTES], end: 0 }
    }

    /// Another handle on the same socket, to write to.
    pub(crate) fn writer(&self) -> TcpStream {
        self.stream.try_clone().unwrap()
    }

    /// Waits for no answer longer than until then.
    pub(crate) fn let_go_at(&self, end: Instant) {
        let left = end.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        self.stream.set_read_timeout(Some(left)).unwrap();
    }

    /// The status of the next answer, once all of it is here; nothing where the connection ends.
    pub(crate) fn read_answer(&mut self) -> Option<u16> {
        let (head, length, status) = loop {
            if let Some(answer) = self.head() {
                break answer;
            }
            assert!(self.end < self.buffer.len(), "a head of over {READ_BYTES} bytes");
            self.end += self.read(self.end)?;
        };
        let mut missing = (head + length).saturating_sub(self.end);
        assert!(self.end <= head + length, "more bytes than were asked for");
        while missing > 0 {
            missing -= self.read(0)?;
        }
        self.end = 0;
        Some(status)
    }

    /// Where the head ends, the length of the body, and the status.
    fn head(&self) -> Option<(usize, usize, u16)> {
        let read = self.buffer.get(..self.end)?;
        let end = read.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        let head = str::from_utf8(read.get(..end)?).expect("a head in ASCII");
        let status = head.get(9..12)?.parse().expect("a status");
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
        });
        Some((end, length.expect("a Content-Length"), status))
    }

    fn read(&mut self, at: usize) -> Option<usize> {
        let room = self.buffer.get_mut(at..)?;
        match self.stream.read(room) {
            Ok(0) | Err(_) => None,
            Ok(read) => Some(read),
        }
    }
}
