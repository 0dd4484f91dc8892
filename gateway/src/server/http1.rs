//! HTTP/1.1 connections, which rest as bare sockets while nothing comes.

use std::convert::Infallible;
use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::FutureExt;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1::{self, UpgradeableConnection};
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::TokioIo;
use tokio::time::sleep_until;
use tracing::debug;

use super::client_stream::ClientStream;
use super::connection::{ConnectionLimits, Overdue, overdue};
use super::end_watch::EndWatch;
use crate::ops::drain::Drain;
use crate::ops::open_connection::{OpenConnection, Running, Wait};

type Stream = EndWatch<ClientStream>;

/// Serves an HTTP/1 connection as `connection::serve` does any.
pub(super) async fn serve<F, B>(
    stream: ClientStream,
    open: Arc<OpenConnection>,
    drain: Drain,
    limits: ConnectionLimits,
    handle: impl Fn(Request<Incoming>, Running) -> F,
) -> hyper::Result<()>
where
    F: Future<Output = Response<B>>,
    B: Body + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let mut stream = EndWatch::new(stream, open.clone());
    loop {
        // Boxed: all that hyper keeps, some 20 KiB, is gone while the connection rests.
        let awake = Box::pin(serve_awake(stream, &open, &drain, limits, &handle));
        let Some(resting) = awake.await? else { return Ok(()) };
        stream = resting;
        tokio::select! {
            biased; // What has come is served before the time is looked at.
            () = stream.readable() => {}
            () = drain.begun() => {}
            () = idled(&open, limits) => {
                debug!("a client let the gateway wait too long");
                return Ok(());
            }
        }
    }
}

/// Serves requests until the connection is over, or nothing has come for a while: then the stream is
/// given back.
async fn serve_awake<F, B>(
    stream: Stream,
    open: &Arc<OpenConnection>,
    drain: &Drain,
    limits: ConnectionLimits,
    handle: &impl Fn(Request<Incoming>, Running) -> F,
) -> hyper::Result<Option<Stream>>
where
    F: Future<Output = Response<B>>,
    B: Body + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let service = service_fn(|request| handle(request, open.requested()).map(Ok::<_, Infallible>));
    let mut connection = http1::Builder::new()
        .header_read_timeout(None) // `overdue` tells an idle client from a slow one.
        .half_close(true) // `EndWatch` tells a client that is gone.
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let overdue = tokio::select! {
        biased; // What has come is read before the time is looked at.
        served = &mut connection => return served.map(|()| None),
        () = drain.begun() => {
            return finish(Pin::new(&mut connection), open).await.map(|()| None);
        }
        overdue = overdue(open, limits) => overdue,
    };
    if overdue == Overdue::Client {
        debug!("a client let the gateway wait too long");
        return Ok(None);
    }
    // Everything that was asked for is answered, and all of it was taken: see `OpenConnection::rests`.
    let parts = connection.into_parts();
    Ok(parts.map(|parts| parts.io.into_inner().with_unread(parts.read_buf)))
}

/// Resolves when a client that rests has let the gateway wait for too long.
async fn idled(open: &OpenConnection, limits: ConnectionLimits) {
    if let Some(Wait::Request(since)) = open.waits_for() {
        sleep_until(since + limits.idle).await;
    }
}

/// Lets a connection answer the request that runs, or has come already, and closes it; one that
/// has sent a part of its first request may send the rest until the drain ends.
async fn finish<S, B>(
    mut connection: Pin<&mut UpgradeableConnection<TokioIo<Stream>, S>>,
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use http_body_util::Full;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::super::http2::limits::Http2Limits;
    use super::*;
    use crate::proxy::bounded_stream::BoundedStream;
    use crate::proxy::socket::Socket;

    const SOON: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_mins(10);

    const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    /// More than sockets hold.
    const MUCH: usize = 64 << 20;

    fn limits() -> ConnectionLimits {
        ConnectionLimits {
            request_head: LONG,
            idle: LONG,
            awake: SOON,
            stall: LONG,
            half_closed: LONG,
            http2: Http2Limits::default(),
        }
    }

    struct Site {
        client: TcpStream,
        open: Arc<OpenConnection>,
        drain: Drain,
        answer: Bytes,
    }

    impl Site {
        /// A client that sends `first`, and whatever it asks for is answered with `length` bytes.
        async fn asked(first: &[u8], limits: ConnectionLimits, length: usize) -> (Self, Stream) {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            client.write_all(first).await.unwrap();
            let socket = Socket::Tcp(listener.accept().await.unwrap().0);
            let drain = Drain::new();
            let open = drain.connection();
            let stream = BoundedStream::new(socket, limits.stall).watched_by(open.clone());
            let (stream, _) = ClientStream::open(stream, None).await.unwrap();
            let answer = vec![b'a'; length].into();
            (Self { client, open: open.clone(), drain, answer }, EndWatch::new(stream, open))
        }

        async fn serve(
            &self,
            stream: Stream,
            limits: ConnectionLimits,
        ) -> hyper::Result<Option<Stream>> {
            let answer = async |_, _| Response::new(Full::new(self.answer.clone()));
            serve_awake(stream, &self.open, &self.drain, limits, &answer).await
        }

        async fn read_answer(&mut self) {
            let mut answer = vec![0; 1024];
            let length = self.client.read(&mut answer).await.unwrap();
            let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
            assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("\r\n\r\naaa"));
        }
    }

    #[tokio::test]
    async fn a_connection_gives_its_buffers_back_while_it_rests_and_goes_on_afterwards() {
        let (mut site, mut stream) = Site::asked(GET, limits(), 3).await;
        for _ in 0..3 {
            stream = site.serve(stream, limits()).await.unwrap().expect("no rest");
            site.read_answer().await;
            site.client.write_all(GET).await.unwrap();
            stream.readable().await;
        }
    }

    #[tokio::test]
    async fn a_connection_does_not_rest_on_an_answer_that_is_not_taken() {
        let limits = ConnectionLimits { stall: SOON * 10, ..limits() };
        let (site, stream) = Site::asked(GET, limits, MUCH).await;
        let error = site.serve(stream, limits).await.unwrap_err();
        assert!(format!("{error:?}").contains("TimedOut"), "{error:?}");
    }

    #[tokio::test]
    async fn the_beginning_of_a_head_is_kept_and_its_rest_waited_for_as_for_any() {
        let limits = ConnectionLimits { request_head: SOON * 10, ..limits() };
        let (mut site, stream) = Site::asked(&[GET, b"GET /"].concat(), limits, 3).await;
        let stream = site.serve(stream, limits).await.unwrap().expect("no rest");
        site.read_answer().await;
        stream.readable().await;
        assert!(site.serve(stream, limits).await.unwrap().is_none(), "rests");

        let (mut site, stream) = Site::asked(&[GET, b"GET /"].concat(), limits, 3).await;
        let stream = site.serve(stream, limits).await.unwrap().expect("no rest");
        site.read_answer().await;
        site.client.write_all(&GET[b"GET /".len()..]).await.unwrap();
        assert!(site.serve(stream, limits).await.unwrap().is_some(), "no rest");
        site.read_answer().await;
    }

    /// What comes of it later is no request.
    #[tokio::test]
    async fn a_connection_does_not_rest_on_a_body_that_nobody_reads() {
        let post = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc";
        let (site, stream) = Site::asked(post, limits(), 3).await;
        assert!(site.serve(stream, limits()).await.unwrap().is_none(), "rests");
    }
}
