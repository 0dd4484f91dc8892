//! Answers, from the bytes that come.

use std::mem::take;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, HeaderMap};
use http::response::Parts;
use http::{HeaderValue, StatusCode, Version};

use super::connection_fields::ConnectionFields;
use super::decoder::Decoder;
use super::error::AnswerError;
use super::head::{Read, may_be_complete, read_head};

/// Reads one answer: what precedes it, its head, and the beginning of its body.
#[derive(Debug, Default)]
pub(in crate::proxy) struct AnswerReader {
    /// Whether it answers HEAD.
    is_to_head: bool,
    /// A head's beginning.
    begun: Vec<u8>,
    /// An empty map to read fields into.
    spare: HeaderMap,
    has_begun: bool,
    is_told_to_go_on: bool,
}

/// An answer's head, and its body as far as it has come.
#[derive(Debug)]
pub(in crate::proxy) struct Answer {
    pub(in crate::proxy) head: Parts,
    pub(in crate::proxy) body: Beginning,
    /// Whether another request may follow on the connection.
    pub(in crate::proxy) keeps_alive: bool,
    /// How long the upstream keeps it resting, where it says so.
    pub(in crate::proxy) kept: Option<Duration>,
}

/// The body behind a head.
#[derive(Debug)]
pub(in crate::proxy) enum Beginning {
    /// All of it.
    Whole(Bytes),
    /// A part of it, not yet decoded.
    Part(Decoder, BytesMut),
    /// None: what came behind the head is of another protocol (101).
    Switched(Bytes),
}

impl AnswerReader {
    /// Reads an answer into `spare`, an empty map; one to HEAD has no body.
    pub(super) fn new(is_to_head: bool, spare: HeaderMap) -> Self {
        Self { is_to_head, spare, ..Self::default() }
    }

    /// Reads on in what `came`; `None` where the head is not whole yet.
    pub(super) fn push(&mut self, came: &[u8]) -> Result<Option<Answer>, AnswerError> {
        self.has_begun |= !came.is_empty();
        if self.begun.is_empty() {
            return self.read(came);
        }
        let mut all = take(&mut self.begun);
        let known = all.len();
        all.extend_from_slice(came);
        if may_be_complete(&all, known) || all.len() >= super::head::LARGEST_HEAD {
            return self.read(&all);
        }
        self.begun = all;
        Ok(None)
    }

    fn read(&mut self, mut bytes: &[u8]) -> Result<Option<Answer>, AnswerError> {
        while !bytes.is_empty() {
            match read_head(bytes, &mut self.spare) {
                Ok(Some(Read::Final { head, connection, length })) => {
                    let rest = bytes.get(length..).unwrap_or_default();
                    return self.open(head.into_parts().0, &connection, rest).map(Some);
                }
                Ok(Some(Read::Interim { status, length })) => {
                    self.is_told_to_go_on |= status == StatusCode::CONTINUE;
                    bytes = bytes.get(length..).unwrap_or_default();
                }
                Ok(None) => break,
                Err(error) => {
                    self.begun = bytes.to_vec();
                    return Err(error);
                }
            }
        }
        self.begun = bytes.to_vec();
        Ok(None)
    }

    fn open(
        &self,
        mut head: Parts,
        fields: &ConnectionFields,
        rest: &[u8],
    ) -> Result<Answer, AnswerError> {
        let told = fields.told()?;
        let decoder = Decoder::of(head.status, head.version, &told, self.is_to_head)?;
        if head.status == StatusCode::NO_CONTENT {
            head.headers.remove(CONTENT_LENGTH); // RFC 9110 §8.6 allows none.
        }
        // An upstream of HTTP/1.0 is asked on a new connection each time (RFC 9112 §9.3).
        let mut keeps_alive = head.version == Version::HTTP_11
            && !fields.closes
            && decoder.has_an_end_of_its_own()
            && !decoder.leaves_out(&told)
            && head.status != StatusCode::SWITCHING_PROTOCOLS;
        let whole = decoder.left().and_then(|length| usize::try_from(length).ok());
        let body = if head.status == StatusCode::SWITCHING_PROTOCOLS {
            Beginning::Switched(Bytes::copy_from_slice(rest))
        } else if let Some((body, behind)) = whole.and_then(|whole| rest.split_at_checked(whole)) {
            keeps_alive &= behind.is_empty();
            Beginning::Whole(Bytes::copy_from_slice(body))
        } else {
            Beginning::Part(decoder, rest.into())
        };
        Ok(Answer { head, body, keeps_alive, kept: fields.kept })
    }

    /// Whether the upstream has asked for the request's body (100).
    pub(super) fn is_told_to_go_on(&self) -> bool {
        self.is_told_to_go_on
    }

    /// Whether anything has come.
    pub(super) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// What came and is no head.
    pub(super) fn said(&mut self) -> Vec<u8> {
        take(&mut self.begun)
    }
}

/// An answer that was read to where it ends, or to where its bytes do.
#[doc(hidden)]
#[derive(Debug)]
pub struct ReadAnswer {
    /// Its head.
    pub head: Parts,
    /// Its body's pieces, joined; after 101 everything behind the head.
    pub body: Vec<u8>,
    /// How it ends.
    pub end: End,
    /// Whether the connection may be used again.
    pub is_reusable: bool,
    /// Fields behind the body.
    pub trailers: Option<HeaderMap>,
}

/// How an answer ends that was begun.
#[doc(hidden)]
#[derive(Debug)]
pub enum End {
    /// As it should.
    Whole,
    /// It does not: more has to come.
    Open,
    /// Not as it should.
    Broken(AnswerError),
}

/// Reads an answer to `method` from `pieces`, as they come on a connection that then ends, or stays
/// open; `None` where no answer came. For tests, and for a fuzzer: it is what every answer goes
/// through, without the socket.
#[doc(hidden)]
pub fn read_answer<'a>(
    method: &http::Method,
    pieces: impl IntoIterator<Item = &'a [u8]>,
    ends: bool,
) -> Result<Option<ReadAnswer>, AnswerError> {
    let mut reader = AnswerReader::new(method == http::Method::HEAD, HeaderMap::new());
    let mut pieces = pieces.into_iter().filter(|piece| !piece.is_empty());
    let answer = loop {
        match pieces.next() {
            Some(piece) => {
                if let Some(answer) = reader.push(piece)? {
                    break answer;
                }
            }
            None if ends => return Err(AnswerError::Incomplete),
            None => return Ok(None),
        }
    };
    let Answer { head, body, keeps_alive, .. } = answer;
    let (end, is_reusable) = (End::Whole, keeps_alive);
    let mut read = ReadAnswer { head, body: Vec::new(), end, is_reusable, trailers: None };
    match body {
        Beginning::Whole(body) => read.body = body.into(),
        Beginning::Switched(come) => {
            read.body = come.into();
            read.body.extend(pieces.by_ref().flatten());
        }
        Beginning::Part(decoder, buffer) => read.read_body(decoder, buffer, &mut pieces, ends),
    }
    read.is_reusable &= matches!(read.end, End::Whole) && pieces.next().is_none() && !ends;
    Ok(Some(read))
}

impl ReadAnswer {
    fn read_body<'a>(
        &mut self,
        mut decoder: Decoder,
        mut buffer: BytesMut,
        pieces: &mut impl Iterator<Item = &'a [u8]>,
        ends: bool,
    ) {
        loop {
            match decoder.next(&mut buffer) {
                Ok(Some(piece)) => self.body.extend_from_slice(&piece),
                Ok(None) if decoder.is_done() => break,
                Ok(None) => match pieces.next() {
                    Some(piece) => buffer.extend_from_slice(piece),
                    None if ends => match decoder.end() {
                        Ok(()) => break,
                        Err(error) => return self.end = End::Broken(error),
                    },
                    None => return self.end = End::Open,
                },
                Err(error) => return self.end = End::Broken(error),
            }
        }
        self.is_reusable &= buffer.is_empty();
        self.trailers = decoder.take_trailers();
    }

    /// The head's fields, in order.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &HeaderValue)> {
        self.head.headers.iter().map(|(name, value)| (name.as_str(), value))
    }
}
