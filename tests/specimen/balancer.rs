//! A load balancer that sends each request to the next of two servers, as nginx does by default.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use nextbnb_tests::upstream::{StubResponse, StubUpstream};
use tokio::net::TcpStream;

pub(crate) struct Balancer {
    listener: StubUpstream,
    counts: Arc<[AtomicUsize; 2]>,
}

impl Balancer {
    pub(crate) async fn between(servers: [SocketAddr; 2]) -> Self {
        let counts = Arc::<[AtomicUsize; 2]>::default();
        let (counted, turns) = (counts.clone(), AtomicUsize::new(0));
        let listener = StubUpstream::answering(move |request| {
            let turn = turns.fetch_add(1, Ordering::Relaxed) % servers.len();
            counted[turn].fetch_add(1, Ordering::Relaxed);
            forward(request, servers[turn])
        });
        Self { listener: listener.await, counts }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// How many requests each of the two was sent.
    pub(crate) fn counts(&self) -> [usize; 2] {
        [0, 1].map(|server| self.counts[server].load(Ordering::Relaxed))
    }
}

/// `Host` and all other fields stay as the browser sent them.
async fn forward(request: Request<Incoming>, server: SocketAddr) -> StubResponse {
    let (head, body) = request.into_parts();
    let body = Full::new(body.collect().await.unwrap().to_bytes());
    let stream = TcpStream::connect(server).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let response = sender.send_request(Request::from_parts(head, body)).await.unwrap();
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    StubResponse::from_parts(head, Full::new(body).boxed_unsync())
}
