//! Why an answer cannot be read.

use std::io;

use crate::proxy::request_body::BodyError;

/// Why an answer cannot be read, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// It does not begin as an answer of HTTP/1.
    #[error("an answer without a status line")]
    NoStatusLine,
    /// A line of its head is none (RFC 9112 §4, §5).
    #[error("a malformed head")]
    Head(#[source] httparse::Error),
    /// The head is longer than one is read.
    #[error("a head of more than {0} bytes")]
    HeadTooLarge(usize),
    /// Its end could be found in two ways.
    #[error("{0}")]
    Ambiguous(&'static str),
    /// The body's chunks are none (RFC 9112 §7.1).
    #[error("a malformed body: {0}")]
    Body(&'static str),
    /// The connection ended before the answer did.
    #[error("the connection ended before the answer did")]
    Incomplete,
    /// The connection failed.
    #[error("the connection failed")]
    Connection(#[source] io::Error),
    /// The rest of the request could not be sent.
    #[error("the request was not sent to its end")]
    Request(#[source] BodyError),
}
