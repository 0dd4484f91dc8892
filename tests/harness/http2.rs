//! A well-behaved client of HTTP/2.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;

use crate::visitor::Reply;

/// A connection on which requests are sent at once.
#[derive(Debug)]
pub struct Http2 {
    sender: SendRequest<Full<Bytes>>,
    connection: JoinHandle<hyper::Result<()>>,
}

impl Http2 {
    /// Speaks HTTP/2 on `stream`, without asking whether that is understood.
    pub async fn over(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Self {
        let shaken = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
        let (sender, connection) = shaken.unwrap();
        Self { sender, connection: tokio::spawn(connection) }
    }

    /// Reads a page of `a.example`.
    pub async fn get(&mut self, path: &str) -> Reply {
        let target = format!("http://a.example{path}");
        self.send(Request::get(target).body(Full::default()).unwrap()).await
    }

    /// Sends a request and reads the answer whole.
    pub async fn send(&mut self, request: Request<Full<Bytes>>) -> Reply {
        let (head, body) = self.start(request).await.into_parts();
        let body = body.collect().await.expect("the answer was cut").to_bytes();
        Reply { status: head.status, headers: head.headers, body }
    }

    /// Sends a request and waits for the answer's head.
    pub async fn start(&mut self, request: Request<Full<Bytes>>) -> Response<Incoming> {
        self.sender.send_request(request).await.expect("the gateway did not answer")
    }

    /// Waits until the gateway has ended the connection; fails where it was cut.
    pub async fn ended(self) {
        self.connection.await.unwrap().expect("the connection was cut");
    }
}
