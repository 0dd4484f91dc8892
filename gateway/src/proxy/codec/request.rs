//! The head of a request, as it is written (RFC 9112 §3, §6).

use std::io::Write;

use http::HeaderMap;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::request::Parts;

use crate::proxy::own_fields::OwnFields;

/// Room for a browser's head with what the gateway adds.
const USUAL_BYTES: usize = 2048;

/// What is known of a request's body before it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyLength {
    /// There is none.
    None,
    /// So many bytes.
    Known(u64),
    /// It ends when it ends.
    Unknown,
}

/// How the upstream is told where the body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// No body is sent.
    None,
    /// So many bytes.
    Length(u64),
    /// In chunks.
    Chunked,
}

impl Framing {
    /// How a body is sent: by the length that the fields tell, by its own, or in chunks. With GET and
    /// HEAD too, where hyper's client drops it: nginx passes such a body on, and Node reads it.
    fn of(head: &Parts, body: BodyLength) -> Self {
        if body == BodyLength::None {
            return Self::None;
        }
        match (body, length_of(&head.headers)) {
            (_, Some(length)) | (BodyLength::Known(length), None) => Self::Length(length),
            (BodyLength::None | BodyLength::Unknown, None) => Self::Chunked,
        }
    }

    /// Writes what goes before the next `piece`, of so many bytes, and tells what goes behind it; `None`
    /// where the body is not as long as was said.
    pub fn frame(
        &mut self,
        before: &mut Vec<u8>,
        piece: usize,
        is_last: bool,
    ) -> Option<&'static [u8]> {
        match self {
            Self::None => Some(b""),
            Self::Length(left) => {
                *left = left.checked_sub(piece as u64)?;
                (*left == 0 || !is_last).then_some(b"")
            }
            Self::Chunked if piece == 0 => Some(if is_last { b"0\r\n\r\n" } else { b"" }),
            Self::Chunked => {
                write_line(before, format_args!("{piece:x}"));
                Some(if is_last { b"\r\n0\r\n\r\n" } else { b"\r\n" })
            }
        }
    }
}

fn length_of(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Writes the head of a request with such a `body`, and tells how to send that.
///
/// The fields are those of `head`, which names none of its own connection, but for the two that say
/// where the body ends, and then the gateway's `own`. The version is 1.1, whatever the client's.
pub fn write_head(head: &Parts, own: &OwnFields, body: BodyLength) -> (Vec<u8>, Framing) {
    let framing = Framing::of(head, body);
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let mut bytes = Vec::with_capacity(USUAL_BYTES);
    for part in [head.method.as_str(), " ", target, " HTTP/1.1\r\n"] {
        bytes.extend_from_slice(part.as_bytes());
    }
    for (name, value) in &head.headers {
        if name == TRANSFER_ENCODING || name == CONTENT_LENGTH && body != BodyLength::None {
            continue;
        }
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(own.as_bytes());
    match framing {
        Framing::None => {}
        Framing::Length(length) => write_line(&mut bytes, format_args!("content-length: {length}")),
        Framing::Chunked => bytes.extend_from_slice(b"transfer-encoding: chunked\r\n"),
    }
    bytes.extend_from_slice(b"\r\n");
    (bytes, framing)
}

fn write_line(bytes: &mut Vec<u8>, line: std::fmt::Arguments<'_>) {
    write!(bytes, "{line}\r\n").ok(); // Memory takes every byte.
}
