//! One line for each request, at its end.

use std::error::Error;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, StatusCode};
use http_body::{Body, Frame, SizeHint};
use tracing::{Level, debug, error, info, warn};

use super::open_connection::{LongLived, Running};
use super::request_id::RequestId;
use crate::entity::user_id::UserId;
use crate::error::chain;

/// What is known of a request, written down when it is dropped: at the end of the response's
/// body, or when the client has gone away.
#[derive(Debug)]
pub struct AccessLog {
    request_id: RequestId,
    began: Instant,
    method: Method,
    path: String,
    client: IpAddr,
    user_id: Option<UserId>,
    status: Option<StatusCode>,
    bytes: u64,
    level: Level,
    cause: Option<String>,
    progress: Progress,
    running: Running,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Begun,
    Whole,
    /// The upstream broke off.
    Cut,
}

impl AccessLog {
    /// Begins with the head of a `client`'s request that is `running` until the line is written; of
    /// its target the path is kept, since queries hold what people typed.
    pub fn begin(request_id: RequestId, head: &Parts, client: IpAddr, running: Running) -> Self {
        Self {
            request_id,
            began: Instant::now(),
            method: head.method.clone(),
            path: head.uri.path().to_owned(),
            client,
            user_id: None,
            status: None,
            bytes: 0,
            level: Level::INFO,
            cause: None,
            progress: Progress::Begun,
            running,
        }
    }

    /// The id that the line will carry.
    pub fn request_id(&self) -> RequestId {
        self.request_id
    }

    /// Notes who is signed in.
    pub fn set_user(&mut self, id: &UserId) {
        self.user_id = Some(id.clone());
    }

    /// Notes that a machine asks this every few seconds, so that the line is at `debug` level.
    pub fn set_routine(&mut self) {
        self.level = Level::DEBUG;
    }

    /// Notes why the answer is not the one that was asked for, and how loud that is.
    pub fn set_cause(&mut self, level: Level, cause: String) {
        (self.level, self.cause) = (level, Some(cause));
    }

    /// Notes what was answered.
    pub fn set_status(&mut self, status: StatusCode) {
        self.status = Some(status);
    }

    /// How the answer ended, where that was not with its end.
    fn end(&self) -> Option<&'static str> {
        match self.progress {
            Progress::Whole => None,
            Progress::Cut => Some("cut by the upstream"),
            Progress::Begun if self.running.is_cut() => Some("cut by the end of the drain"),
            Progress::Begun => Some("client gone"),
        }
    }
}

/// Writes a line at a level, which `tracing` wants to know when it is compiled.
macro_rules! line {
    ($level:ident, $log:expr) => {{
        let log: &AccessLog = $log;
        let AccessLog { request_id, method, path, client, bytes, cause, .. } = log;
        let duration_ms = u64::try_from(log.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (status, end) = (log.status.map(|status| status.as_u16()), log.end());
        let outcome = log.status.as_ref().map(StatusCode::as_str).or(end).unwrap_or_default();
        $level!(
            %request_id, client.address = %client, status, duration_ms, bytes,
            user.id = log.user_id.as_ref().map(UserId::as_value), end, cause,
            "{method} {path} -> {outcome}"
        );
    }};
}

impl Drop for AccessLog {
    fn drop(&mut self) {
        match self.level {
            Level::ERROR => line!(error, self),
            Level::WARN => line!(warn, self),
            Level::INFO => line!(info, self),
            _ => line!(debug, self),
        }
    }
}

/// Writes the line of a request that hyper refused, so that there is nothing else to tell of it.
pub fn head_refused(client: IpAddr, error: &hyper::Error) {
    info!(client.address = %client, cause = chain(error), "a malformed request head was refused");
}

/// A response's body, with what ends when it ends.
#[derive(Debug)]
pub struct TrackedBody<B> {
    body: B,
    log: AccessLog,
    _long_lived: Option<LongLived>,
}

impl<B: Body> TrackedBody<B> {
    /// Ends `log`, and the long-lived mark of an event stream, with `body`.
    pub fn new(body: B, mut log: AccessLog, long_lived: Option<LongLived>) -> Self {
        if log.method == Method::HEAD || body.is_end_stream() {
            log.progress = Progress::Whole; // Nobody will ask for a piece.
        }
        Self { body, log, _long_lived: long_lived }
    }
}

impl<B> Body for TrackedBody<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Error,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        match &frame {
            Some(Ok(frame)) => self.log.bytes += frame.data_ref().map_or(0, Bytes::len) as u64,
            Some(Err(error)) => {
                self.log.set_cause(Level::WARN, chain(error));
                self.log.progress = Progress::Cut;
            }
            None => {}
        }
        if frame.is_none() || self.body.is_end_stream() && self.log.progress == Progress::Begun {
            self.log.progress = Progress::Whole;
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
