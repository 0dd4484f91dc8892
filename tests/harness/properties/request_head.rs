//! Every request that is passed on begins and ends where another reader says so.

use std::cell::RefCell;
use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::request::Parts;
use http::uri::Scheme;
use http::{Request, Response, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use nextbnb_gateway::downstream::front::Front;
use nextbnb_gateway::downstream::peer::Peer;
use nextbnb_gateway::error::RequestError;
use nextbnb_gateway::proxy::framing::check_request;
use nextbnb_gateway::proxy::target::host_and_port;

use super::choice;
use super::reader::{Message, read};

/// As often as a connection may want to go on before it must have ended: nothing keeps it waiting.
const TURNS: usize = 100_000;

/// `bytes` are the size of the pieces that come at once, and what a client sends.
///
/// What the gateway passes on is, request by request, what the independent reader finds.
pub fn check(bytes: &[u8]) {
    let (choice, sent) = choice(bytes);
    let (messages, _) = read(sent);
    let served = serve(sent, choice % 64 + 1);
    for (place, served) in served.iter().enumerate() {
        let Some(served) = served else { continue };
        assert_eq!(messages.get(place), Some(served), "request {place} is read otherwise");
    }
}

/// The requests that are passed on whole; `None` stands for one that is refused or breaks off.
fn serve(sent: &[u8], piece: usize) -> Vec<Option<Message>> {
    let served = RefCell::new(Vec::new());
    let service = service_fn(async |request: Request<Incoming>| {
        let (mut head, body) = request.into_parts();
        let is_received = receive(&mut head).is_ok();
        let body = if is_received { body.collect().await.ok() } else { None };
        let message = body.map(|body| Message {
            method: head.method.to_string(),
            target: head.uri.to_string().bytes().map(char::from).collect(),
            body: body.to_bytes().to_vec(),
        });
        let mut response = Response::new(Full::<Bytes>::default());
        if message.is_none() {
            response.headers_mut().insert(header::CONNECTION, "close".parse().unwrap());
        }
        served.borrow_mut().push(message);
        Ok::<_, Infallible>(response)
    });
    let client = Client { left: sent, piece };
    let mut connection =
        pin!(http1::Builder::new().header_read_timeout(None).serve_connection(client, service));
    let mut context = Context::from_waker(Waker::noop());
    let has_ended = (0..TURNS).any(|_| connection.as_mut().poll(&mut context).is_ready());
    assert!(has_ended, "the connection hangs");
    served.take()
}

/// As the gateway receives a head.
fn receive(head: &mut Parts) -> Result<(), RequestError> {
    check_request(head)?;
    let peer = Peer { address: [203, 0, 113, 7].into(), is_trusted: false };
    let origin = Front::default().receive(head, peer, &Scheme::HTTP, None)?;
    assert!(head.uri.path().starts_with('/') && head.uri.authority().is_none(), "{}", head.uri);
    assert!(head.headers.get_all(header::HOST).iter().count() <= 1);
    assert!(host_and_port(origin.host()).is_some(), "{origin:?}");
    Ok(())
}

/// Sends its bytes in pieces, and reads whatever comes.
struct Client<'a> {
    left: &'a [u8],
    piece: usize,
}

impl Read for Client<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let length = self.piece.min(self.left.len()).min(buffer.remaining());
        let (piece, left) = self.left.split_at(length);
        buffer.put_slice(piece);
        self.left = left;
        Poll::Ready(Ok(()))
    }
}

impl Write for Client<'_> {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
