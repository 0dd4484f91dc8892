//! What a request is sent by once more, where its connection ends before an answer.

use std::mem::take;

use bytes::Bytes;
use http::Method;

use super::request::Framing;

/// Longest body that is kept, in bytes; what was read at once.
pub(in crate::proxy) const KEPT_BYTES: usize = 64 * 1024;

/// A request whose body can be sent once more: its head, and all that was taken of its body.
#[derive(Debug)]
pub(super) struct Again {
    head: Vec<u8>,
    framing: Framing,
    pieces: Vec<Bytes>,
    length: usize,
}

impl Again {
    /// Keeps this head, where its request may go out twice.
    pub(super) fn of(method: &Method, head: &[u8], framing: Framing) -> Option<Self> {
        let keeps = is_idempotent(method) && framing != Framing::None;
        keeps.then(|| Self { head: head.to_vec(), framing, pieces: Vec::new(), length: 0 })
    }

    /// Keeps a `piece` of the body too; `None` where that is too much.
    pub(super) fn with(mut self, piece: &Bytes) -> Option<Self> {
        self.length += piece.len();
        self.pieces.push(piece.clone());
        (self.length <= KEPT_BYTES).then_some(self)
    }

    /// Head, framing and body, to begin anew with.
    pub(super) fn take(&mut self) -> (Vec<u8>, Framing, Bytes) {
        (take(&mut self.head), self.framing, take(&mut self.pieces).concat().into())
    }
}

/// Whether asking twice does what asking once does (RFC 9110 §9.2.2).
pub(in crate::proxy) fn is_idempotent(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE)
}
