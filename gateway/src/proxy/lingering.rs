//! A client's body, whoever stops reading it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::header::EXPECT;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::ops::open_connection::{Running, UnreadBody};

/// How long a body is still taken that nobody reads any more.
const LINGER: Duration = Duration::from_secs(5);

/// A body of which the rest is taken, for a while, when it is dropped before its end.
///
/// Many a client reads only when it has sent everything: closing before that would reset its
/// connection, and the answer would be lost (RFC 9112 §9.6). One that waits for our word to send
/// anything gets the answer instead.
#[derive(Debug)]
pub struct Lingering {
    incoming: Option<Incoming>,
    is_unasked: bool,
    unread: Option<UnreadBody>,
}

impl Lingering {
    /// No body.
    pub(super) fn empty() -> Self {
        Self { incoming: None, is_unasked: false, unread: None }
    }

    /// The body of the request with these fields that is `running`.
    pub fn new(incoming: Incoming, headers: &HeaderMap, running: &Running) -> Self {
        let unread = (!incoming.is_end_stream()).then(|| running.unread_body());
        // Of a body without a piece nothing is taken, asked for or not.
        let is_unasked = unread.is_some() && headers.contains_key(EXPECT);
        Self { incoming: Some(incoming), is_unasked, unread }
    }

    /// Notes the body's end, where it has come.
    fn note_end(&mut self, has_come: bool) {
        if has_come && let Some(unread) = self.unread.take() {
            unread.end();
        }
    }
}

impl Body for Lingering {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        self.is_unasked = false;
        let Some(incoming) = &mut self.incoming else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(incoming).poll_frame(context));
        let has_ended = frame.is_none() || self.is_end_stream();
        self.note_end(has_ended);
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map_or(SizeHint::with_exact(0), Incoming::size_hint)
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        if self.is_unasked || self.is_end_stream() {
            return;
        }
        if let (Some(mut rest), Ok(worker)) = (self.incoming.take(), Handle::try_current()) {
            let unread = self.unread.take();
            let reading = async move {
                while let Some(frame) = rest.frame().await {
                    if frame.is_err() {
                        return;
                    }
                }
                if let Some(unread) = unread {
                    unread.end();
                }
            };
            worker.spawn(timeout(LINGER, reading));
        }
    }
}
