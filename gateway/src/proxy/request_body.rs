//! A request's body on its way to the upstream, and when it last moved.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, sleep_until};

use crate::ops::open_connection::Running;

/// A browser's body, streamed; or none, where a request is sent again.
#[derive(Debug)]
pub struct RequestBody {
    incoming: Option<Incoming>,
    progress: Progress,
    _running: Option<Running>,
}

impl RequestBody {
    /// What the browser sends, piece by piece as the upstream takes it; its request is `running`
    /// until then.
    pub fn streamed(incoming: Incoming, running: Running) -> Self {
        Self { incoming: Some(incoming), progress: Progress::now(), _running: Some(running) }
    }

    /// Nothing.
    pub(super) fn empty() -> Self {
        Self { incoming: None, progress: Progress::now(), _running: None }
    }

    /// When the body last moved; the same for as long as the body lives.
    pub(super) fn progress(&self) -> Progress {
        self.progress.clone()
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(incoming) = &mut self.incoming else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(incoming).poll_frame(context));
        self.progress.note();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map_or(SizeHint::with_exact(0), Body::size_hint)
    }
}

/// When a request last moved: when it was begun, or a piece of its body was sent.
#[derive(Debug, Clone)]
pub(super) struct Progress(Arc<Mutex<Instant>>);

impl Progress {
    fn now() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn last(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Resolves when nothing has moved for `limit`: an upload may take as long as it moves.
    pub(super) async fn stalled(&self, limit: Duration) {
        loop {
            let last = self.last();
            sleep_until(last + limit).await;
            if self.last() == last {
                return;
            }
        }
    }
}
