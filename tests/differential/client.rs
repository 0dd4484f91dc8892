//! One request, one connection, no opinion.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Collected, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// What stands for a body that does not end.
const CUT: Bytes = Bytes::from_static(b"(cut)");

/// A response, read whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Sends `request` and reads the answer; fails, naming `what`, when there is none.
pub(crate) async fn send(address: SocketAddr, request: Request<Full<Bytes>>, what: &str) -> Reply {
    let exchange = async {
        let stream = TcpStream::connect(address).await.expect(what);
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect(what);
        tokio::spawn(connection);
        let response = sender.send_request(request).await.expect(what);
        let (head, body) = response.into_parts();
        // Express destroys the connection when it cannot write the session at the end; how much
        // has arrived by then is chance.
        let body = body.collect().await.map_or(CUT, Collected::to_bytes);
        Reply { status: head.status, headers: head.headers, body }
    };
    timeout(PATIENCE, exchange).await.expect(what)
}
