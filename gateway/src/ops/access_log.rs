//! One line for each request, at its end.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;
use http_body::{Body, Frame, SizeHint};
use tracing::{debug, info};

use super::open_connection::{LongLived, Running};
use super::request_id::RequestId;

/// What is known of a request, written down when it is dropped: at the end of the response's
/// body, or when the client has gone away.
#[derive(Debug)]
pub struct AccessLog {
    request_id: RequestId,
    began: Instant,
    method: http::Method,
    path: String,
    user_id: Option<i64>,
    status: Option<StatusCode>,
    bytes: u64,
    is_routine: bool,
}

impl AccessLog {
    /// Begins with the head of a request; of its target the path is kept, since queries hold
    /// what people typed.
    pub fn begin(request_id: RequestId, head: &Parts) -> Self {
        Self {
            request_id,
            began: Instant::now(),
            method: head.method.clone(),
            path: head.uri.path().to_owned(),
            user_id: None,
            status: None,
            bytes: 0,
            is_routine: false,
        }
    }

    /// The id that the line will carry.
    pub fn request_id(&self) -> RequestId {
        self.request_id
    }

    /// Notes who is signed in.
    pub fn set_user(&mut self, id: i64) {
        self.user_id = Some(id);
    }

    /// Notes that a machine asks this every few seconds, so that the line is at `debug` level.
    pub fn set_routine(&mut self) {
        self.is_routine = true;
    }

    /// Notes what was answered.
    pub fn set_status(&mut self, status: StatusCode) {
        self.status = Some(status);
    }
}

impl Drop for AccessLog {
    fn drop(&mut self) {
        let Self { request_id, method, path, bytes, .. } = self;
        let duration_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let user_id = self.user_id.map(tracing::field::display);
        let status = self.status.map(|status| status.as_u16());
        if self.is_routine {
            debug!(%request_id, status, duration_ms, "{method} {path}");
        } else if let Some(status) = status {
            info!(
                %request_id, status, duration_ms, bytes, user.id = user_id,
                "{method} {path} -> {status}"
            );
        } else {
            info!(%request_id, duration_ms, user.id = user_id, "{method} {path} -> client gone");
        }
    }
}

/// A response's body, with what ends when it ends.
#[derive(Debug)]
pub struct TrackedBody<B> {
    body: B,
    log: AccessLog,
    _running: Running,
    _long_lived: Option<LongLived>,
}

impl<B> TrackedBody<B> {
    /// Ends `log`, what is `running`, and the long-lived mark of an event stream, with `body`.
    pub fn new(body: B, log: AccessLog, running: Running, long_lived: Option<LongLived>) -> Self {
        Self { body, log, _running: running, _long_lived: long_lived }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for TrackedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(data) = frame.as_ref().and_then(|f| f.as_ref().ok()).and_then(Frame::data_ref) {
            self.log.bytes += data.len() as u64;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
