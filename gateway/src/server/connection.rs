//! One connection: its requests in turn, and its end.

use std::convert::Infallible;
use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1::{self, UpgradeableConnection};
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tracing::debug;

use crate::ops::drain::Drain;
use crate::ops::open_connection::OpenConnection;
use crate::proxy::bounded_stream::BoundedStream;

/// Bounds on waiting for a client.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimits {
    /// Longest wait for a complete request head.
    pub request_head: Duration,
    /// Longest time in which a client takes nothing of what waits for it.
    pub stall: Duration,
}

/// Serves one connection until it closes, or, once the drain has begun, until the request that
/// runs, or still comes, is answered.
pub(super) async fn serve<F, B>(
    stream: TcpStream,
    open: Arc<OpenConnection>,
    drain: Drain,
    limits: ConnectionLimits,
    handle: impl Fn(Request<Incoming>) -> F,
) where
    F: Future<Output = Response<B>>,
    B: Body + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let stream = BoundedStream::new(stream, limits.stall);
    let service = service_fn(|request| {
        open.requested();
        handle(request).map(Ok::<_, Infallible>)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.request_head)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = drain.begun() => finish(connection, &open).await,
    };
    if let Err(error) = served {
        debug!(cause = %error, "a connection ended");
    }
}

/// Lets a connection answer the request that runs, or has come already, and closes it; one that
/// has sent a part of its first request may send the rest until the drain ends.
async fn finish<S, B>(
    mut connection: Pin<&mut UpgradeableConnection<TokioIo<BoundedStream>, S>>,
    open: &OpenConnection,
) -> hyper::Result<()>
where
    S: HttpService<Incoming, ResBody = B>,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    // After a yield the runtime has asked the system what has come: a connection is not closed as
    // idle although its next request waits to be read.
    tokio::select! {
        biased;
        served = connection.as_mut() => return served,
        () = tokio::task::yield_now() => {}
    }
    open.release_if_fresh();
    connection.as_mut().graceful_shutdown();
    connection.await
}
