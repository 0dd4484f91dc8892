//! One connection: its requests in turn, and its end.

use std::error::Error;
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use tokio::time::{Instant, sleep};
use tracing::debug;

use super::client_stream::{ClientStream, Protocol};
use super::http2::limits::Http2Limits;
use super::in_time::in_time;
use super::tls::Tls;
use super::{http1, http2};
use crate::ops::drain::Drain;
use crate::ops::open_connection::{OpenConnection, Running, Wait};
use crate::proxy::bounded_stream::BoundedStream;
use crate::proxy::socket::Socket;

/// Bounds on waiting for a client.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimits {
    /// Longest wait for a complete request head once its beginning has come, or the client has
    /// connected.
    pub request_head: Duration,
    /// Longest rest between two requests.
    pub idle: Duration,
    /// How long into that rest a connection keeps its buffers (HTTP/1).
    pub awake: Duration,
    /// Longest time in which a client takes nothing of what waits for it.
    pub stall: Duration,
    /// Longest time in which a client that has ended its own side takes nothing of its answer.
    pub half_closed: Duration,
    /// Bounds on HTTP/2.
    pub http2: Http2Limits,
}

/// Serves one connection until it closes, or, once the drain has begun, until the request that
/// runs, or still comes, is answered.
pub(super) async fn serve<F, B>(
    socket: Socket,
    tls: Option<&Tls>,
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
    let stream = BoundedStream::new(socket, limits.stall).watched_by(open.clone());
    // Boxed is what is over, or large, while most connections rest.
    let opening = Box::pin(ClientStream::open(stream, tls));
    match Box::pin(in_time(opening, &open, &drain, limits.request_head)).await {
        Some(Ok((stream, Protocol::Http1))) => {
            http1::serve(stream, open, drain, limits, handle).await
        }
        Some(Ok((stream, Protocol::Http2))) => {
            Box::pin(http2::serve(stream, open, drain, limits, handle)).await
        }
        Some(Err(error)) => {
            debug!(cause = %error, "a connection ended at its beginning");
            Ok(())
        }
        None => {
            debug!("a client let the gateway wait too long");
            Ok(())
        }
    }
}

/// Why a connection is not served any longer as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overdue {
    /// The client let the gateway wait for longer than it may.
    Client,
    /// Nothing has come for as long as buffers are kept for.
    Buffers,
}

/// Resolves when a client has let the gateway wait for longer than `limits` allow: for a request, or,
/// with its own side ended, for its taking the answer; or, earlier, when it rests.
pub(super) async fn overdue(open: &OpenConnection, limits: ConnectionLimits) -> Overdue {
    // Without a timer per request: this one is moved when it has run out, or when a head has begun.
    let longest = limits.request_head.min(limits.idle);
    let mut timer = std::pin::pin!(sleep(longest));
    std::future::poll_fn(|context| {
        loop {
            let due = due(open, &limits);
            if let Some((due, _)) = due
                && due < timer.deadline()
            {
                timer.as_mut().reset(due);
            }
            ready!(timer.as_mut().poll(context));
            let now = Instant::now();
            match due {
                Some((due, overdue)) if due <= now => return Poll::Ready(overdue),
                Some((due, _)) => timer.as_mut().reset(due),
                None => timer.as_mut().reset(now + longest),
            }
        }
    })
    .await
}

/// What is overdue next, and when.
fn due(open: &OpenConnection, limits: &ConnectionLimits) -> Option<(Instant, Overdue)> {
    Some(match open.waits_for()? {
        Wait::Head(since) => (since + limits.request_head, Overdue::Client),
        Wait::Request(since) if open.rests() && limits.awake < limits.idle => {
            (since + limits.awake, Overdue::Buffers)
        }
        Wait::Request(since) => (since + limits.idle, Overdue::Client),
        Wait::Farewell(since) => (since + limits.half_closed, Overdue::Client),
    })
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use http_body_util::Empty;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// Serves connections; panics at `/panic`, and answers anything else with nothing.
    async fn serve_all(listener: TcpListener, drain: Drain) {
        const LONG: Duration = Duration::from_mins(10);
        let http2 = Http2Limits::default();
        let limits = ConnectionLimits {
            request_head: LONG,
            idle: LONG,
            awake: LONG,
            stall: LONG,
            half_closed: LONG,
            http2,
        };
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (open, drain) = (drain.connection(), drain.clone());
            tokio::spawn(serve(
                Socket::Tcp(stream),
                None,
                open,
                drain,
                limits,
                async |request: Request<_>, _| {
                    assert_ne!(request.uri(), "/panic", "as told");
                    Response::new(Empty::<Bytes>::new())
                },
            ));
        }
    }

    async fn ask(stream: &mut TcpStream, path: &str) -> String {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = vec![0; 1024];
        let length = stream.read(&mut answer).await.unwrap_or_default();
        String::from_utf8_lossy(&answer[..length]).into_owned()
    }

    #[tokio::test]
    async fn a_panic_ends_its_own_connection_and_nothing_else() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let drain = Drain::new();
        tokio::spawn(serve_all(listener, drain.clone()));
        let mut other = TcpStream::connect(address).await.unwrap();
        assert!(ask(&mut other, "/").await.starts_with("HTTP/1.1 200"));
        let mut unlucky = TcpStream::connect(address).await.unwrap();
        assert_eq!(ask(&mut unlucky, "/panic").await, "");
        assert!(ask(&mut other, "/").await.starts_with("HTTP/1.1 200"));
        let mut new = TcpStream::connect(address).await.unwrap();
        assert!(ask(&mut new, "/").await.starts_with("HTTP/1.1 200"));
        drop((other, new));
        drain.run(Duration::from_mins(10), Duration::ZERO).await; // Waits for nobody for ever.
    }
}
