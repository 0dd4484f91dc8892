//! A request on its way to the upstream: its head, and its body as it comes.

use std::io::{self, IoSlice};
use std::mem::take;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http::request::Parts;
use http_body::Body;
use tokio::time::Instant;

use super::again::{Again, is_idempotent};
use super::connection::Connection;
use super::request::{BodyLength, Framing, write_head};
use crate::proxy::own_fields::OwnFields;
use crate::proxy::request_body::{BodyError, RequestBody};

/// A request, written as the upstream takes it.
///
/// One piece of the body is in flight at a time: a client is read only as fast as the upstream reads.
#[derive(Debug)]
pub(in crate::proxy) struct Upload {
    /// The head, or the size of a chunk: goes before `piece`.
    before: Vec<u8>,
    /// How much of `before` is written.
    written: usize,
    piece: Bytes,
    /// The end of a chunk, perhaps of the last one: goes behind `piece`.
    after: &'static [u8],
    has_begun: bool,
    is_idempotent: bool,
    /// What to begin anew with when a part of the body is written; `None` where that cannot be.
    again: Option<Again>,
    framing: Framing,
    /// What is still to come; `None` when all of it is here.
    body: Option<RequestBody>,
    /// Since when the upstream has to move; `None` while the client has to.
    upstreams_turn: Option<Instant>,
}

/// Why a request cannot be sent to its end.
#[derive(Debug)]
pub(in crate::proxy) enum UploadError {
    /// The upstream does not take it.
    Upstream(io::Error),
    /// The client does not send it.
    Downstream(BodyError),
}

impl Upload {
    /// The request with this head, the gateway's `own` fields and `body`.
    pub(super) fn new(head: &Parts, own: &OwnFields, body: RequestBody, now: Instant) -> Self {
        let length = match (body.is_end_stream(), body.size_hint().exact()) {
            (true, _) => BodyLength::None,
            (false, Some(length)) => BodyLength::Known(length),
            (false, None) => BodyLength::Unknown,
        };
        let (before, framing) = write_head(head, own, length);
        let again = Again::of(&head.method, &before, framing);
        Self {
            before,
            written: 0,
            piece: Bytes::new(),
            after: b"",
            has_begun: false,
            is_idempotent: is_idempotent(&head.method),
            again,
            framing,
            body: (framing != Framing::None).then_some(body),
            upstreams_turn: Some(now),
        }
    }

    /// Since when the upstream has to move; `None` while the client has to.
    pub(super) fn upstreams_turn(&self) -> Option<Instant> {
        self.upstreams_turn
    }

    /// Whether it may go out once more when its connection has ended without a byte of an answer: not
    /// a byte of it was written; or sending it twice does what sending it once does, and it has no body,
    /// or all that was taken of that is still here.
    pub(super) fn is_repeatable(&self) -> bool {
        let is_whole = self.framing == Framing::None || self.again.is_some();
        !self.has_begun || self.is_idempotent && is_whole
    }

    /// Begins anew, on another connection.
    pub(super) fn rewind(&mut self, now: Instant) {
        (self.written, self.upstreams_turn) = (0, Some(now));
        if let Some(mut again) = self.again.take().filter(|_| self.has_begun) {
            (self.before, self.framing, self.piece) = again.take();
            let is_last = self.body.is_none();
            let framed = self.framing.frame(&mut self.before, self.piece.len(), is_last);
            self.after = framed.unwrap_or_default(); // It was as long as was said.
            self.has_begun = false;
        }
    }

    /// The body, of which nothing was read.
    pub(super) fn into_body(self) -> Option<RequestBody> {
        self.body
    }

    /// Writes the head alone.
    pub(super) fn poll_head(
        &mut self,
        connection: &Connection,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), UploadError>> {
        self.poll_write(connection, context).map_err(UploadError::Upstream)
    }

    /// Writes everything; resolves when nothing is left to write.
    pub(super) fn poll(
        &mut self,
        connection: &Connection,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), UploadError>> {
        loop {
            // The first piece goes out with the head, if it is there.
            if self.has_begun || !self.piece.is_empty() || self.body.is_none() {
                ready!(self.poll_head(connection, context))?;
            }
            match self.poll_piece(context) {
                Poll::Ready(Ok(true)) => {}
                Poll::Ready(Ok(false)) => return self.poll_head(connection, context),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(UploadError::Downstream(error))),
                Poll::Pending => {
                    ready!(self.poll_head(connection, context))?;
                    self.upstreams_turn = None;
                    return Poll::Pending;
                }
            }
        }
    }

    /// Makes the body's next piece, or its end, ready to be written; `false` where there is none.
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Result<bool, BodyError>> {
        let Some(body) = &mut self.body else { return Poll::Ready(Ok(false)) };
        let frame = ready!(Pin::new(&mut *body).poll_frame(context)).transpose()?;
        let is_last = frame.is_none() || body.is_end_stream();
        // Trailers stay behind: an upstream that merges them would take a client's fields for ours.
        let piece = frame.and_then(|frame| frame.into_data().ok()).unwrap_or_default();
        self.upstreams_turn = Some(Instant::now());
        if self.has_begun {
            self.before.clear();
            self.written = 0;
        }
        let framed = self.framing.frame(&mut self.before, piece.len(), is_last);
        self.after = framed.ok_or(BodyError::OtherLength)?;
        self.again = self.again.take().and_then(|again| again.with(&piece));
        self.piece = piece;
        if is_last {
            self.body = None;
        }
        Poll::Ready(Ok(true))
    }

    fn poll_write(
        &mut self,
        connection: &Connection,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let before = self.before.get(self.written..).unwrap_or_default();
            let written = match (before.is_empty(), self.piece.is_empty(), self.after.is_empty()) {
                (true, true, true) => return Poll::Ready(Ok(())),
                (false, true, true) => ready!(connection.poll_write(context, before))?,
                _ => {
                    let pieces = [before, &self.piece, self.after].map(IoSlice::new);
                    ready!(connection.poll_write_vectored(context, &pieces))?
                }
            };
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.has_begun = true;
            self.advance(written);
        }
    }

    fn advance(&mut self, written: usize) {
        let of_before = written.min(self.before.len() - self.written);
        self.written += of_before;
        let of_piece = (written - of_before).min(self.piece.len());
        self.piece.advance(of_piece);
        self.after = self.after.get(written - of_before - of_piece..).unwrap_or_default();
        if self.piece.is_empty() {
            drop(take(&mut self.piece)); // An empty one keeps its memory.
        }
        if self.framing != Framing::None {
            self.upstreams_turn = Some(Instant::now());
        }
    }
}
