//! HTTP/2 connections.

pub mod limits;
mod paced_body;
mod streams;

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, sleep_until};

use self::limits::Http2Limits;
use self::paced_body::PacedBody;
use self::streams::Streams;
use super::client_stream::ClientStream;
use super::connection::{ConnectionLimits, overdue};
use crate::ops::drain::Drain;
use crate::ops::open_connection::{OpenConnection, Running};

/// Longest silence of a client that was told to go and has nothing to wait for: it should confirm
/// that, and close (RFC 9113 §6.8).
const GOODBYE: Duration = Duration::from_secs(2);

/// Serves an HTTP/2 connection as `connection::serve` does one of HTTP/1.
pub(super) async fn serve<F, B>(
    stream: ClientStream,
    open: Arc<OpenConnection>,
    drain: Drain,
    limits: ConnectionLimits,
    handle: impl Fn(Request<Incoming>, Running) -> F,
) -> hyper::Result<()>
where
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    open.multiplex();
    let streams = Streams::new(limits.stall);
    let service = service_fn(|request| {
        let (taking, answer) = (streams.begin(), handle(request, open.requested()));
        async move { Ok::<_, Infallible>(answer.await.map(|body| PacedBody::new(body, taking))) }
    });
    let connection =
        builder(limits.http2, streams.clone()).serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        biased; // What has come is read before the time is looked at.
        served = connection.as_mut() => return served,
        _ = overdue(&open, limits) => tracing::debug!("a client let the gateway wait too long"),
        () = drain.begun() => {}
    }
    tokio::select! {
        biased; // After a yield the runtime has asked the system what has come.
        served = connection.as_mut() => return served,
        () = tokio::task::yield_now() => open.release_if_fresh(),
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        biased;
        served = connection => served,
        () = silent(open.clone()) => Ok(()),
    }
}

fn builder(limits: Http2Limits, streams: Streams) -> http2::Builder<Streams> {
    let mut builder = http2::Builder::new(streams);
    builder
        .max_concurrent_streams(limits.concurrent_streams)
        .max_pending_accept_reset_streams(limits.pending_reset_streams)
        .max_local_error_reset_streams(limits.local_error_resets)
        .max_header_list_size(limits.header_list_bytes)
        .initial_stream_window_size(limits.stream_window_bytes)
        .initial_connection_window_size(limits.connection_window_bytes)
        .max_send_buf_size(limits.send_buffer_bytes);
    builder
}

/// Resolves when nothing has run or moved for [`GOODBYE`].
async fn silent(open: Arc<OpenConnection>) {
    let mut due = Instant::now() + GOODBYE;
    loop {
        sleep_until(due).await;
        due = open.moved().unwrap_or_else(Instant::now) + GOODBYE;
        if due <= Instant::now() {
            return;
        }
    }
}
