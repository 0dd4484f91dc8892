//! Upstreams that stand in for Next.js and remember what reached them.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// What a stub answers with.
pub type StubResponse = Response<UnsyncBoxBody<Bytes, Infallible>>;

type Answer =
    dyn Fn(Request<Incoming>) -> Pin<Box<dyn Future<Output = StubResponse> + Send>> + Send + Sync;

/// A request as it reached the upstream.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Its method.
    pub method: Method,
    /// Its target, byte for byte.
    pub target: Uri,
    /// Its fields.
    pub headers: HeaderMap,
}

impl Seen {
    /// The value of a field that is there at most once.
    #[track_caller]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next().map(|value| value.to_str().unwrap());
        assert!(values.next().is_none(), "{name} reached the upstream more than once");
        value
    }
}

/// An HTTP/1.1 upstream that answers as told and remembers every request's head; its connections end
/// with it.
#[derive(Debug)]
pub struct StubUpstream {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<Mutex<usize>>,
    task: JoinHandle<()>,
}

impl StubUpstream {
    /// Answers everything with 200 and a short text.
    pub async fn start() -> Self {
        Self::answering(|_| async { text("hello from upstream") }).await
    }

    /// Answers with what `answer` makes of the request.
    pub async fn answering<F, A>(answer: A) -> Self
    where
        A: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
        F: Future<Output = StubResponse> + Send + 'static,
    {
        Self::at(TcpListener::bind("127.0.0.1:0").await.unwrap(), answer)
    }

    /// Answers at an address where one was that has ended.
    pub async fn again<F, A>(address: SocketAddr, answer: A) -> Self
    where
        A: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
        F: Future<Output = StubResponse> + Send + 'static,
    {
        Self::at(TcpListener::bind(address).await.unwrap(), answer)
    }

    fn at<F, A>(listener: TcpListener, answer: A) -> Self
    where
        A: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
        F: Future<Output = StubResponse> + Send + 'static,
    {
        let address = listener.local_addr().unwrap();
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let connections = Arc::<Mutex<usize>>::default();
        let answer: Arc<Answer> = Arc::new(move |request| Box::pin(answer(request)));
        let (all_seen, all_connections) = (seen.clone(), connections.clone());
        let task = tokio::spawn(async move {
            let mut served = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                *all_connections.lock().unwrap() += 1;
                served.spawn(serve(stream, answer.clone(), all_seen.clone()));
                while served.try_join_next().is_some() {}
            }
        });
        Self { address, seen, connections, task }
    }

    /// Ends as a process that is killed, its connections with it; tells where it listened.
    pub async fn end(mut self) -> SocketAddr {
        self.task.abort();
        assert!((&mut self.task).await.unwrap_err().is_cancelled());
        self.address
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every request so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The newest request.
    #[track_caller]
    pub fn last_request(&self) -> Seen {
        self.seen.lock().unwrap().last().expect("no request reached the upstream").clone()
    }

    /// How many connections it has accepted.
    pub fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }
}

impl Drop for StubUpstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An upstream that is not there yet: whoever connects is refused.
#[derive(Debug)]
pub struct AbsentUpstream(TcpSocket);

impl AbsentUpstream {
    /// Keeps an address for it.
    pub fn reserve() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        Self(socket)
    }

    /// Where it will listen.
    pub fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    /// Listens there, and answers with what `answer` makes of the request.
    pub fn come<F, A>(self, answer: A) -> StubUpstream
    where
        A: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
        F: Future<Output = StubResponse> + Send + 'static,
    {
        StubUpstream::at(self.0.listen(1024).unwrap(), answer)
    }
}

async fn serve(stream: TcpStream, answer: Arc<Answer>, seen: Arc<Mutex<Vec<Seen>>>) {
    let service = service_fn(async |request: Request<Incoming>| {
        seen.lock().unwrap().push(Seen {
            method: request.method().clone(),
            target: request.uri().clone(),
            headers: request.headers().clone(),
        });
        Ok::<_, Infallible>(answer(request).await)
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    drop(connection.with_upgrades().await); // A cut connection is what some tests are about.
}

/// 200 with `text`.
pub fn text(text: impl Into<Bytes>) -> StubResponse {
    Response::new(Full::new(text.into()).boxed_unsync())
}

/// An upstream that is only a socket: each connection is handed to a function.
#[derive(Debug)]
pub struct RawUpstream {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl RawUpstream {
    /// Hands every accepted connection to `serve`, with its number from 0.
    pub async fn start<F, S>(serve: S) -> Self
    where
        S: Fn(TcpStream, usize) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            for number in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, number));
            }
        });
        Self { address, task }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for RawUpstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}
