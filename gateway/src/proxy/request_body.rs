//! A request's body on its way to the upstream, and who keeps it waiting.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep_until};

use super::expectation::Gate;
use crate::ops::open_connection::Running;

/// A browser's body, streamed; or none, where a request is sent again.
#[derive(Debug)]
pub struct RequestBody(Option<Streamed>);

#[derive(Debug)]
struct Streamed {
    incoming: Incoming,
    /// Longest wait for the next piece.
    limit: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    progress: Progress,
    /// What the first piece waits for.
    gate: Option<Gate>,
    /// What may still come, in bytes, and what might at first.
    left: Option<(u64, u64)>,
    _running: Running,
}

/// Why a client's body ends before its end.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// No piece came in time.
    #[error("the client sent nothing more of the body within {0:?}")]
    Silent(Duration),
    /// It is more than is passed on.
    #[error("the body is larger than {0} bytes (--max-body)")]
    TooLarge(u64),
    /// The upstream answered without having asked for it.
    #[error("the upstream answered without the body that it did not ask for")]
    Unwanted,
    /// It is malformed, or the client went away.
    #[error("the client's body is malformed or incomplete")]
    Broken(#[source] hyper::Error),
}

impl RequestBody {
    /// What the browser sends, piece by piece as the upstream takes it, each within `limit`; its
    /// request is `running` until then.
    pub fn streamed(incoming: Incoming, limit: Duration, running: Running) -> Self {
        let progress = Progress::now();
        Self(Some(Streamed {
            incoming,
            limit,
            timer: None,
            progress,
            gate: None,
            left: None,
            _running: running,
        }))
    }

    /// Ends the body with an error where it becomes more than `bytes`.
    pub fn limit(&mut self, bytes: u64) {
        if let Some(body) = &mut self.0 {
            body.left = Some((bytes, bytes));
        }
    }

    /// Keeps the first piece back until `gate` opens.
    pub(super) fn wait_for(&mut self, gate: Gate) {
        if let Some(body) = &mut self.0 {
            body.gate = Some(gate);
        }
    }

    /// Nothing.
    pub(super) fn empty() -> Self {
        Self(None)
    }

    /// Who keeps the request waiting; the same for as long as the body lives.
    pub(super) fn progress(&self) -> Progress {
        self.0.as_ref().map_or_else(Progress::now, |body| body.progress.clone())
    }
}

impl Streamed {
    fn counted(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, BodyError> {
        let length = frame.data_ref().map_or(0, Bytes::len) as u64;
        match &mut self.left {
            Some((left, limit)) if length > *left => Err(BodyError::TooLarge(*limit)),
            Some((left, _)) => {
                *left -= length;
                Ok(frame)
            }
            None => Ok(frame),
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Some(body) = &mut self.0 else { return Poll::Ready(None) };
        if let Some(gate) = &mut body.gate {
            let opened = ready!(gate.poll_open(context));
            body.gate = None;
            if opened.is_err() {
                return Poll::Ready(Some(Err(BodyError::Unwanted)));
            }
        }
        if let Poll::Ready(frame) = Pin::new(&mut body.incoming).poll_frame(context) {
            body.progress.wait_for(Party::Upstream);
            return Poll::Ready(frame.map(|frame| body.counted(frame.map_err(BodyError::Broken)?)));
        }
        let due = body.progress.wait_for(Party::Downstream) + body.limit;
        let timer = body.timer.get_or_insert_with(|| Box::pin(sleep_until(due)));
        if timer.deadline() != due {
            timer.as_mut().reset(due);
        }
        ready!(timer.as_mut().poll(context));
        Poll::Ready(Some(Err(BodyError::Silent(body.limit))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|body| body.incoming.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or(SizeHint::with_exact(0), |body| body.incoming.size_hint())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Party {
    /// Owes the next piece of the body.
    Downstream,
    /// Owes the response head, or has to take the last piece.
    Upstream,
}

/// Who keeps a request waiting, and since when.
#[derive(Debug, Clone)]
pub(super) struct Progress(Arc<Mutex<(Party, Instant)>>);

impl Progress {
    fn now() -> Self {
        Self(Arc::new(Mutex::new((Party::Upstream, Instant::now()))))
    }

    /// Notes that it is `party`'s turn; tells since when. The upstream's begins anew with each
    /// piece.
    fn wait_for(&self, party: Party) -> Instant {
        let mut waits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if party == Party::Upstream || waits.0 == Party::Upstream {
            *waits = (party, Instant::now());
        }
        waits.1
    }

    /// Resolves when the upstream has kept the request waiting for `limit`: an upload may take as
    /// long as it moves.
    pub(super) async fn stalled(&self, limit: Duration) {
        loop {
            let (party, since) = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            let due = match party {
                Party::Upstream if since + limit <= now => return,
                Party::Upstream => since + limit,
                Party::Downstream => now + limit,
            };
            sleep_until(due).await;
        }
    }
}
