//! HTTP/2 frames made by hand, for what no well-behaved client sends.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longest wait for a frame.
const PATIENCE: Duration = Duration::from_secs(30);

/// RFC 9113 §6.1.
pub const DATA: u8 = 0;
/// RFC 9113 §6.2.
pub const HEADERS: u8 = 1;
/// RFC 9113 §6.4.
pub const RST_STREAM: u8 = 3;
/// RFC 9113 §6.5.
pub const SETTINGS: u8 = 4;
/// RFC 9113 §6.7.
pub const PING: u8 = 6;
/// RFC 9113 §6.8.
pub const GOAWAY: u8 = 7;
/// RFC 9113 §6.9.
pub const WINDOW_UPDATE: u8 = 8;
/// RFC 9113 §6.10.
pub const CONTINUATION: u8 = 9;

/// A flag: nothing more comes on the stream.
pub const END_STREAM: u8 = 1;
/// A flag: no CONTINUATION comes.
pub const END_HEADERS: u8 = 4;

/// An error code: against the rules.
pub const PROTOCOL_ERROR: u32 = 1;
/// An error code: too much of something.
pub const ENHANCE_YOUR_CALM: u32 = 11;

/// A setting: bytes of a stream that the other side may send unasked.
pub const INITIAL_WINDOW_SIZE: u16 = 4;

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Its type.
    pub kind: u8,
    /// Its flags.
    pub flags: u8,
    /// Its stream; 0 is the connection.
    pub stream: u32,
    /// The rest.
    pub payload: Vec<u8>,
}

impl Frame {
    /// The error code of a `RST_STREAM` or GOAWAY.
    pub fn error_code(&self) -> u32 {
        let at = if self.kind == GOAWAY { 4 } else { 0 };
        u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap())
    }
}

/// A connection on which frames are sent as they are made, bad ones too.
#[derive(Debug)]
pub struct Frames {
    stream: TcpStream,
}

impl Frames {
    /// Connects, and sends the preface with `settings`.
    pub fn connect(address: SocketAddr, settings: &[(u16, u32)]) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        let mut frames = Self { stream };
        frames.send_bytes(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
        let settings: Vec<u8> = settings
            .iter()
            .flat_map(|(name, value)| [&name.to_be_bytes()[..], &value.to_be_bytes()].concat())
            .collect();
        frames.send(SETTINGS, 0, 0, &settings).unwrap();
        frames
    }

    /// Another handle of the same connection.
    #[must_use]
    pub fn clone_handle(&self) -> Self {
        Self { stream: self.stream.try_clone().unwrap() }
    }

    /// Sends bytes as they are.
    pub fn send_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Sends no more, and still reads.
    pub fn end(&mut self) {
        self.stream.shutdown(std::net::Shutdown::Write).ok();
    }

    /// Gives up soon when nothing is taken.
    pub fn shorten_patience(&mut self) {
        self.stream.set_write_timeout(Some(Duration::from_secs(2))).unwrap();
    }

    /// Sends one frame.
    pub fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> io::Result<()> {
        self.send_bytes(&frame(kind, flags, stream, payload))
    }

    /// Sends the head of a request, `fields` behind its pseudo-fields.
    pub fn request(
        &mut self,
        flags: u8,
        stream: u32,
        method: &str,
        path: &str,
        fields: &[(&str, &str)],
    ) -> io::Result<()> {
        let head = head(method, path, fields);
        self.send(HEADERS, flags | END_HEADERS, stream, &head)
    }

    /// The next frame; `None` at the end of the connection.
    pub fn read(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.stream.read_exact(&mut head).inspect_err(assert_ended).ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload).inspect_err(assert_ended).ok()?;
        let stream = u32::from_be_bytes(head[5..9].try_into().unwrap()) & 0x7fff_ffff;
        Some(Frame { kind: head[3], flags: head[4], stream, payload })
    }

    /// Reads on to a frame of one of these kinds.
    pub fn read_until(&mut self, kinds: &[u8]) -> Option<Frame> {
        loop {
            let frame = self.read()?;
            if kinds.contains(&frame.kind) {
                return Some(frame);
            }
        }
    }

    /// Reads to the end; tells how it was said to come.
    pub fn read_goaway(&mut self) -> Option<Frame> {
        let mut last = None;
        while let Some(frame) = self.read_until(&[GOAWAY]) {
            last = Some(frame);
        }
        last
    }
}

/// A reset is an end; silence is none.
fn assert_ended(error: &io::Error) {
    let kinds = [io::ErrorKind::UnexpectedEof, io::ErrorKind::ConnectionReset];
    assert!(kinds.contains(&error.kind()), "the gateway kept the connection open: {error}");
}

/// The bytes of a frame.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// The fields of a request's head.
pub fn head(method: &str, path: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let pseudo =
        [(":method", method), (":scheme", "http"), (":authority", "a.example"), (":path", path)];
    pseudo.iter().chain(fields).flat_map(|(name, value)| field(name, value)).collect()
}

/// A field that goes into no table (RFC 7541 §6.2.2).
pub fn field(name: &str, value: &str) -> Vec<u8> {
    [&[0][..], &text(name), &text(value)].concat()
}

/// A text as it is: its length with a prefix of seven bits (RFC 7541 §5.1, §5.2), and itself.
pub fn text(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    match text.len().checked_sub(127) {
        None => bytes.push(u8::try_from(text.len()).unwrap()),
        Some(mut rest) => {
            bytes.push(127);
            while rest >= 128 {
                bytes.push(u8::try_from(rest % 128 + 128).unwrap());
                rest /= 128;
            }
            bytes.push(u8::try_from(rest).unwrap());
        }
    }
    bytes.extend(text.as_bytes());
    bytes
}
