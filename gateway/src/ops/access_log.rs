//! One line for each request, at its end.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::request::Parts;
use http::{Method, StatusCode, Version};
use http_body::{Body, Frame, SizeHint};
use tracing::{Level, info};

use super::access_line::AccessLine;
use super::logs::write_access;
use super::metrics::labels::RouteKind;
use super::metrics::worker::WorkerMetrics;
use super::open_connection::{LongLived, Running};
use super::request_id::RequestId;
use crate::entity::user_id::UserId;
use crate::error::{BrokenOff, chain};

/// How an answer ends whose upstream breaks off.
pub const CUT_BY_THE_UPSTREAM: &str = "cut by the upstream";
/// How one ends whose client has gone away.
pub const CLIENT_GONE: &str = "client gone";
/// How one ends whose session is over.
pub const SESSION_ENDED: &str = "session ended";

/// What is known of a request, written down when it is dropped: at the end of the response's
/// body, or when the client has gone away.
#[derive(Debug)]
pub struct AccessLog {
    request_id: RequestId,
    began: Instant,
    method: Method,
    path: Box<str>,
    is_http2: bool,
    client: IpAddr,
    user_id: Option<UserId>,
    status: Option<StatusCode>,
    bytes: u64,
    level: Level,
    cause: Option<Box<str>>,
    progress: Progress,
    running: Running,
    route: RouteKind,
    metrics: Arc<WorkerMetrics>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Begun,
    Whole,
    /// The upstream broke off.
    Cut,
    /// In another way.
    Ended(&'static str),
}

impl AccessLog {
    /// Begins with the head of a `client`'s request that is `running` until the line is written; of
    /// its target the path is kept, since queries hold what people typed. What becomes of it is
    /// counted in `metrics` as one of a `route`'s.
    pub fn begin(
        head: &Parts,
        client: IpAddr,
        running: Running,
        route: RouteKind,
        metrics: Arc<WorkerMetrics>,
    ) -> Self {
        metrics.request_begun();
        Self {
            request_id: RequestId::generate(),
            began: Instant::now(),
            method: head.method.clone(),
            path: head.uri.path().into(),
            is_http2: head.version == Version::HTTP_2,
            client,
            user_id: None,
            status: None,
            bytes: 0,
            level: Level::INFO,
            cause: None,
            progress: Progress::Begun,
            running,
            route,
            metrics,
        }
    }

    /// The id that the line will carry.
    pub fn request_id(&self) -> RequestId {
        self.request_id
    }

    /// When it began.
    pub fn began(&self) -> Instant {
        self.began
    }

    /// Notes who is signed in.
    pub fn set_user(&mut self, id: &UserId) {
        self.user_id = Some(id.clone());
    }

    /// Notes that this is one of many that nobody looks for, as those that a machine asks every few
    /// seconds, so that the line is at `debug` level.
    pub fn set_routine(&mut self) {
        self.level = Level::DEBUG;
    }

    /// Notes why the answer is not the one that was asked for, and how loud that is; one that nobody
    /// looks for is no louder for what is usual.
    pub fn set_cause(&mut self, level: Level, cause: String) {
        if level < Level::INFO || self.level < Level::DEBUG {
            self.level = level;
        }
        self.cause = Some(cause.into());
    }

    /// Notes what was answered.
    pub fn set_status(&mut self, status: StatusCode) {
        self.metrics.answered(&self.method, self.route, Some(status), self.began.elapsed());
        self.status = Some(status);
    }

    /// Ends the line of a WebSocket, to whose client `bytes` went; `end` tells how where that was
    /// not by both sides.
    pub fn end_socket(mut self, end: Option<&'static str>, bytes: u64) {
        self.bytes = bytes;
        self.progress = end.map_or(Progress::Whole, Progress::Ended);
    }

    /// How the answer ended, where that was not with its end.
    fn end(&self) -> Option<&'static str> {
        match self.progress {
            Progress::Whole => None,
            Progress::Cut => Some(CUT_BY_THE_UPSTREAM),
            Progress::Ended(how) => Some(how),
            Progress::Begun if self.running.is_cut() => Some("cut by the end of the drain"),
            Progress::Begun => Some(CLIENT_GONE),
        }
    }
}

impl Drop for AccessLog {
    fn drop(&mut self) {
        if self.status.is_none() {
            self.metrics.answered(&self.method, self.route, None, Duration::ZERO);
        }
        self.metrics.request_ended(self.bytes);
        write_access(&AccessLine {
            level: self.level,
            method: &self.method,
            path: &self.path,
            request_id: self.request_id,
            client: self.client,
            status: self.status,
            duration_ms: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            bytes: self.bytes,
            protocol: self.is_http2.then_some("HTTP/2.0"),
            user_id: self.user_id.as_ref(),
            end: self.end(),
            cause: self.cause.as_deref(),
        });
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
    /// That of a WebSocket is written by others.
    log: Option<AccessLog>,
    _long_lived: Option<LongLived>,
}

impl<B: Body> TrackedBody<B> {
    /// Ends `log`, and the long-lived mark of an event stream, with `body`.
    pub fn new(body: B, mut log: Option<AccessLog>, long_lived: Option<LongLived>) -> Self {
        if let Some(log) = &mut log
            && (log.method == Method::HEAD || body.is_end_stream())
        {
            log.progress = Progress::Whole; // Nobody will ask for a piece.
        }
        Self { body, log, _long_lived: long_lived }
    }
}

impl<B> Body for TrackedBody<B>
where
    B: Body<Data = Bytes, Error = BrokenOff> + Unpin,
{
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let Self { body, log, .. } = &mut *self;
        let frame = ready!(Pin::new(&mut *body).poll_frame(context));
        let Some(log) = log else { return Poll::Ready(frame) };
        match &frame {
            // Nothing follows them, and hyper asks for nothing more.
            Some(Ok(frame)) if frame.is_trailers() => log.progress = Progress::Whole,
            Some(Ok(frame)) => log.bytes += frame.data_ref().map_or(0, Bytes::len) as u64,
            Some(Err(BrokenOff::SessionOver)) => log.progress = Progress::Ended(SESSION_ENDED),
            Some(Err(error)) => {
                log.set_cause(Level::WARN, chain(error));
                log.progress = Progress::Cut;
            }
            None => {}
        }
        if frame.is_none() || body.is_end_stream() && log.progress == Progress::Begun {
            log.progress = Progress::Whole;
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
