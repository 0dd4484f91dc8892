//! Bodies in chunks (RFC 9112 §7.1).

use bytes::{Buf, BytesMut};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use httparse::Status;

use super::error::AnswerError;

/// Most bytes of chunk extensions in a body, as in hyper.
const EXTENSIONS: usize = 16 * 1024;

/// Most bytes of trailers, as in hyper.
const TRAILERS: usize = 16 * 1024;

/// Most trailers, as in hyper.
const MOST_TRAILERS: usize = 100;

/// A body in chunks, as far as it has come.
#[derive(Debug, Default)]
pub(in crate::proxy) struct Chunked {
    next: Next,
    /// Bytes of this chunk that are still to come.
    left: u64,
    extensions: usize,
    /// Trailers with their line ends.
    trailer_bytes: Vec<u8>,
    trailers: Option<HeaderMap>,
    trailer_lines: usize,
}

/// What the next byte belongs to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Next {
    #[default]
    SizeBegin,
    Size,
    SizeSpace,
    Extension,
    SizeEnd,
    Data,
    DataCr,
    DataLf,
    /// A trailer, or the empty line that ends the body.
    Line,
    Trailer,
    TrailerLf,
    LastLf,
    Nothing,
}

impl Chunked {
    pub(super) fn is_done(&self) -> bool {
        self.next == Next::Nothing
    }

    /// Length of the data at the beginning of `buffer`, which is then counted as taken.
    pub(super) fn next_length(&mut self, buffer: &mut BytesMut) -> Result<usize, AnswerError> {
        self.advance(buffer)?;
        if self.next != Next::Data {
            return Ok(0);
        }
        let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        self.left -= length as u64;
        if self.left == 0 {
            self.next = Next::DataCr;
        }
        Ok(length)
    }

    /// The fields behind the last chunk, if there were any.
    pub(super) fn take_trailers(&mut self) -> Option<HeaderMap> {
        self.trailers.take()
    }

    /// Reads everything before the next data.
    pub(super) fn advance(&mut self, buffer: &mut BytesMut) -> Result<(), AnswerError> {
        let mut read = 0;
        for byte in buffer.iter().copied() {
            if matches!(self.next, Next::Data | Next::Nothing) {
                break;
            }
            self.next = self.step(byte).map_err(AnswerError::Body)?;
            read += 1;
        }
        buffer.advance(read);
        Ok(())
    }

    fn step(&mut self, byte: u8) -> Result<Next, &'static str> {
        match (self.next, byte) {
            (Next::SizeBegin | Next::Size, byte) if byte.is_ascii_hexdigit() => self.digit(byte),
            (Next::Size | Next::SizeSpace, b'\t' | b' ') => Ok(Next::SizeSpace),
            (Next::Size | Next::SizeSpace, b';') => Ok(Next::Extension),
            (Next::Size | Next::SizeSpace | Next::Extension, b'\r') => Ok(Next::SizeEnd),
            (Next::SizeBegin | Next::Size | Next::SizeSpace, _) => Err("no chunk size"),
            (Next::Extension, b'\n') => Err("a bare LF in a chunk extension"),
            (Next::Extension, _) => {
                self.extensions += 1;
                if self.extensions < EXTENSIONS {
                    Ok(Next::Extension)
                } else {
                    Err("too many chunk extensions")
                }
            }
            (Next::SizeEnd, b'\n') => Ok(if self.left == 0 { Next::Line } else { Next::Data }),
            (Next::DataCr, b'\r') => Ok(Next::DataLf),
            (Next::DataLf, b'\n') => Ok(Next::SizeBegin),
            (Next::SizeEnd | Next::DataCr | Next::DataLf, _) => Err("no line end at a chunk's"),
            (Next::Line | Next::Trailer | Next::TrailerLf | Next::LastLf, _) => self.trailer(byte),
            (Next::Data | Next::Nothing, _) => Ok(self.next),
        }
    }

    fn digit(&mut self, byte: u8) -> Result<Next, &'static str> {
        let digit = char::from(byte).to_digit(16).map(u64::from);
        let size =
            self.left.checked_mul(16).zip(digit).and_then(|(size, digit)| size.checked_add(digit));
        self.left = size.ok_or("a chunk size that overflows")?;
        Ok(Next::Size)
    }

    fn trailer(&mut self, byte: u8) -> Result<Next, &'static str> {
        let is_kept = !self.trailer_bytes.is_empty() || self.next == Next::Line && byte != b'\r';
        if is_kept {
            self.trailer_bytes.push(byte);
        }
        if self.trailer_bytes.len() >= TRAILERS {
            return Err("trailers that are too large");
        }
        match (self.next, byte) {
            (Next::Line, b'\r') => Ok(Next::LastLf),
            (Next::Trailer, b'\r') => Ok(Next::TrailerLf),
            (Next::Line | Next::Trailer, _) => Ok(Next::Trailer),
            (Next::TrailerLf, b'\n') if self.trailer_lines == MOST_TRAILERS => {
                Err("too many trailers")
            }
            (Next::TrailerLf, b'\n') => {
                self.trailer_lines += 1;
                Ok(Next::Line)
            }
            (_, b'\n') => {
                self.trailers = self.read_trailers()?;
                Ok(Next::Nothing)
            }
            _ => Err("no line end at a trailer's"),
        }
    }

    fn read_trailers(&self) -> Result<Option<HeaderMap>, &'static str> {
        const MALFORMED: &str = "malformed trailers";
        if self.trailer_bytes.is_empty() {
            return Ok(None);
        }
        let mut fields = vec![httparse::EMPTY_HEADER; self.trailer_lines];
        let Ok(Status::Complete((_, fields))) =
            httparse::parse_headers(&self.trailer_bytes, &mut fields)
        else {
            return Err(MALFORMED);
        };
        let field = |field: &httparse::Header<'_>| {
            let name = HeaderName::from_bytes(field.name.as_bytes()).ok()?;
            Some((name, HeaderValue::from_bytes(field.value).ok()?))
        };
        let mut trailers = HeaderMap::new();
        for read in fields.iter().map(field) {
            let (name, value) = read.ok_or(MALFORMED)?;
            trailers.append(name, value);
        }
        Ok(Some(trailers))
    }
}
