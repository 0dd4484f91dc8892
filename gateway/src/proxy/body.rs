//! The upstream's answers, streamed.

use std::mem::take;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::codec::error::AnswerError;
use super::codec::streaming::Streaming;
use super::request_body::RequestBody;

/// A response's body on its way to the browser.
///
/// One piece is in flight at a time: the upstream is read only as fast as the browser reads.
/// Its connection goes back to the pool at the end of the body, and is closed when the body is
/// dropped before.
#[derive(Debug)]
pub struct UpstreamBody {
    content: Content,
    /// Keeps a request's body waiting that nobody asked for, until this one has ended.
    _unasked: Option<Box<RequestBody>>,
}

#[derive(Debug)]
enum Content {
    /// What came with the head, and is all.
    Whole(Bytes),
    Streamed(Box<Streaming>),
}

impl UpstreamBody {
    /// A body that is here.
    pub(super) fn whole(body: Bytes) -> Self {
        Self { content: Content::Whole(body), _unasked: None }
    }

    /// A body that comes in pieces.
    pub(super) fn streamed(body: Streaming) -> Self {
        Self { content: Content::Streamed(Box::new(body)), _unasked: None }
    }

    /// Keeps the body of a `request` waiting until this one has ended, where nobody asked for it.
    pub(super) fn keeping(self, request: Option<RequestBody>) -> Self {
        Self { _unasked: request.map(Box::new), ..self }
    }
}

impl Body for UpstreamBody {
    type Data = Bytes;
    type Error = AnswerError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, AnswerError>>> {
        match &mut self.content {
            Content::Whole(body) if body.is_empty() => Poll::Ready(None),
            Content::Whole(body) => Poll::Ready(Some(Ok(Frame::data(take(body))))),
            Content::Streamed(body) => body.poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Whole(body) => body.is_empty(),
            Content::Streamed(body) => body.is_over(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(body) => SizeHint::with_exact(body.len() as u64),
            Content::Streamed(body) => body.left().map_or_else(SizeHint::new, SizeHint::with_exact),
        }
    }
}
