//! A client that ends its side reads its whole answer; one that is gone is worked for no longer.

use std::sync::Arc;
use std::time::Duration;

use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::stack::RunningGateway;
use nextbnb_tests::tls::{TestCertificate, TlsClient};
use nextbnb_tests::upstream::RawUpstream;
use nextbnb_tests::wire::Wire;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Mutex, mpsc};

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
const NEVER: Duration = Duration::from_mins(10);

/// A gateway before an upstream that sends what it is told to and tells what becomes of it.
struct Told {
    gateway: RunningGateway,
    _upstream: RawUpstream,
    _database: TestDatabase,
    pieces: mpsc::Sender<&'static str>,
    events: mpsc::Receiver<&'static str>,
}

impl Told {
    async fn start(half_closed: Duration, certificate: Option<&TestCertificate>) -> Self {
        let (pieces, told) = mpsc::channel(1);
        let (tell, events) = mpsc::channel(8);
        let told = Arc::new(Mutex::new(told));
        let upstream = RawUpstream::start(move |stream, _| {
            let (tell, told) = (tell.clone(), told.clone());
            async move { answer(stream, &mut *told.lock().await, &tell).await }
        })
        .await;
        let database = TestDatabase::postgres().await;
        let gateway = RunningGateway::start(database.url(), upstream.address(), |config| {
            config.limits.half_closed_client = half_closed;
            config.tls = certificate.map(TestCertificate::tls);
        });
        let gateway = gateway.await;
        Self { gateway, _upstream: upstream, _database: database, pieces, events }
    }

    async fn expect(&mut self, event: &str) {
        let told = tokio::time::timeout(Duration::from_secs(30), self.events.recv()).await;
        assert_eq!(told.expect("nothing becomes of the upstream's connection"), Some(event));
    }

    async fn send(&mut self, piece: &'static str) {
        self.pieces.send(piece).await.unwrap();
        self.expect("sent").await;
    }
}

/// Sends each piece that is told, until the gateway ends the connection.
async fn answer(
    mut stream: TcpStream,
    told: &mut mpsc::Receiver<&'static str>,
    tell: &mpsc::Sender<&'static str>,
) {
    assert_ne!(stream.read(&mut [0; 4096]).await.unwrap(), 0);
    tell.send("came").await.unwrap();
    let mut byte = [0];
    loop {
        tokio::select! {
            Some(piece) = told.recv() => {
                if stream.write_all(piece.as_bytes()).await.is_err() {
                    break;
                }
                tell.send("sent").await.unwrap();
            }
            _ = stream.read(&mut byte) => break,
        }
    }
    tell.send("gone").await.unwrap();
}

#[tokio::test]
async fn a_client_that_ends_its_side_behind_its_request_reads_its_whole_answer() {
    for request in [REQUEST, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"] {
        let mut told = Told::start(NEVER, None).await;
        let mut wire = Wire::connect(told.gateway.address()).await;
        wire.send(request).await;
        wire.end().await;
        told.expect("came").await;
        told.send("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nfirst ").await;
        assert!(wire.read_until("first ").await.starts_with("HTTP/1.1 200"));
        told.send("second").await;
        assert_eq!(wire.read_to_end().await, "second");
    }
}

#[tokio::test]
async fn a_client_may_end_its_side_over_tls_too() {
    let certificate = TestCertificate::of(&["a.example"]);
    let mut told = Told::start(NEVER, Some(&certificate)).await;
    let client = TlsClient::new(&[&certificate], &["http/1.1"]);
    let mut stream = client.connect(told.gateway.address(), "a.example").await;
    stream.write_all(REQUEST.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    told.expect("came").await;
    told.send("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nfirst").await;
    told.send("second").await;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("\r\n\r\nfirstsecond"), "{answer}");
}

#[tokio::test]
async fn requests_that_were_sent_before_the_end_are_all_answered() {
    let mut told = Told::start(NEVER, None).await;
    let mut wire = Wire::connect(told.gateway.address()).await;
    wire.send([REQUEST, "GET /.nextbnb/health HTTP/1.1\r\nHost: a\r\n\r\n"].concat()).await;
    wire.end().await;
    told.expect("came").await;
    told.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst").await;
    let answers = wire.read_to_end().await;
    assert!(answers.contains("\r\n\r\nfirstHTTP/1.1 200 OK\r\n"), "{answers}");
}

#[tokio::test]
async fn the_upstream_stops_when_the_client_goes_away() {
    check_that_the_upstream_stops("").await;
    check_that_the_upstream_stops("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nbegun").await;
}

async fn check_that_the_upstream_stops(answer: &'static str) {
    let mut told = Told::start(Duration::from_millis(100), None).await;
    let mut wire = Wire::connect(told.gateway.address()).await;
    wire.send(REQUEST).await;
    told.expect("came").await;
    if !answer.is_empty() {
        told.send(answer).await;
        wire.read_until("begun").await;
    }
    drop(wire);
    told.expect("gone").await;
}

#[tokio::test]
async fn a_stream_ends_with_its_client_as_soon_as_something_is_sent() {
    let mut told = Told::start(NEVER, None).await;
    let mut wire = Wire::connect(told.gateway.address()).await;
    wire.send(REQUEST).await;
    told.expect("came").await;
    told.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 0\n\n").await;
    wire.read_until("data: 0").await;
    drop(wire);
    loop {
        // The system answers the first of them with a reset, which the next one meets.
        told.pieces.send("data: 1\n\n").await.unwrap();
        let event = told.events.recv().await;
        if event == Some("gone") {
            break;
        }
        assert_eq!(event, Some("sent"));
    }
}

#[tokio::test]
async fn the_upstream_stops_at_once_when_the_client_resets_its_connection() {
    let mut told = Told::start(NEVER, None).await;
    let mut client = TcpStream::connect(told.gateway.address()).await.unwrap();
    client.write_all(REQUEST.as_bytes()).await.unwrap();
    told.expect("came").await;
    client.set_zero_linger().unwrap();
    drop(client);
    told.expect("gone").await;
}
