//! A request's body on its way to the upstream.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

use super::codec::alarm::Alarm;
use super::lingering::Lingering;
use crate::ops::metrics::worker::WorkerMetrics;
use crate::ops::open_connection::Running;

/// A browser's body, streamed.
#[derive(Debug)]
pub struct RequestBody {
    incoming: Lingering,
    /// Longest wait for the next piece.
    limit: Duration,
    /// Since when it is awaited.
    awaited: Option<Instant>,
    alarm: Alarm,
    /// What may still come, in bytes, and what might at first.
    left: Option<(u64, u64)>,
    metrics: Option<Arc<WorkerMetrics>>,
    _running: Option<Running>,
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
    /// It is not as long as its head says.
    #[error("the client's body has another length than it said")]
    OtherLength,
    /// It is malformed, or the client went away.
    #[error("the client's body is malformed or incomplete")]
    Broken(#[source] hyper::Error),
}

impl RequestBody {
    /// What the browser sends, piece by piece as the upstream takes it, each within `limit`; its
    /// request is `running` until then.
    pub fn streamed(incoming: Lingering, limit: Duration, running: Running) -> Self {
        let (awaited, alarm, left, metrics) = (None, Alarm::default(), None, None);
        Self { incoming, limit, awaited, alarm, left, metrics, _running: Some(running) }
    }

    /// None, of a request that no client sends.
    pub fn none() -> Self {
        Self {
            incoming: Lingering::empty(),
            limit: Duration::ZERO,
            awaited: None,
            alarm: Alarm::default(),
            left: None,
            metrics: None,
            _running: None,
        }
    }

    /// Counts what is passed on in `metrics`.
    #[must_use]
    pub fn counted_in(mut self, metrics: Arc<WorkerMetrics>) -> Self {
        self.metrics = Some(metrics);
        self
    }

    /// Ends the body with an error where it becomes more than `bytes`.
    pub fn limit(&mut self, bytes: u64) {
        self.left = Some((bytes, bytes));
    }

    /// Takes what came as passed on, unless it is too much.
    fn counted(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, BodyError> {
        let length = frame.data_ref().map_or(0, Bytes::len) as u64;
        if let Some((left, limit)) = &mut self.left {
            *left = left.checked_sub(length).ok_or(BodyError::TooLarge(*limit))?;
        }
        if let Some(metrics) = &self.metrics {
            metrics.passed_on(length);
        }
        Ok(frame)
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.incoming).poll_frame(context) {
            self.awaited = None;
            return Poll::Ready(frame.map(|frame| self.counted(frame.map_err(BodyError::Broken)?)));
        }
        let due = *self.awaited.get_or_insert_with(Instant::now) + self.limit;
        ready!(self.alarm.poll_at(due, context));
        Poll::Ready(Some(Err(BodyError::Silent(self.limit))))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
