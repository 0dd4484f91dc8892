//! The upstream's answers, streamed.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::expectation::Word;
use super::pool::Lease;

/// A response's body on its way to the browser.
///
/// One piece is in flight at a time: the upstream is read only as fast as the browser reads.
/// Its connection goes back to the pool at the end of the body, and is closed when the body is
/// dropped before.
#[derive(Debug)]
pub struct UpstreamBody {
    incoming: Incoming,
    lease: Option<Lease>,
    /// Keeps a request's body waiting that nobody asked for, until this one has ended.
    _word: Option<Word>,
}

impl UpstreamBody {
    /// A body whose connection goes back to the pool behind `lease`.
    pub(super) fn pooled(incoming: Incoming, lease: Lease) -> Self {
        let mut body = Self { incoming, lease: Some(lease), _word: None };
        if body.incoming.is_end_stream() {
            body.give_back();
        }
        body
    }

    /// A body whose connection closes with it.
    pub(crate) fn unpooled(incoming: Incoming) -> Self {
        Self { incoming, lease: None, _word: None }
    }

    /// A body whose connection closes with it, since the rest of its request will not come.
    pub(super) fn unasked(incoming: Incoming, word: Word) -> Self {
        Self { incoming, lease: None, _word: Some(word) }
    }

    fn give_back(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.give_back();
        }
    }
}

impl Body for UpstreamBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.incoming).poll_frame(context));
        match &frame {
            Some(Ok(_)) if !self.incoming.is_end_stream() => {}
            Some(Ok(_)) | None => self.give_back(),
            Some(Err(_)) => self.lease = None,
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
