//! What a WebSocket's bytes go through: nothing that changes, loses, hoards or cuts them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::stack::{RunningGateway, Stack};
use nextbnb_tests::tls::{TestCertificate, TlsClient};
use nextbnb_tests::upstream::RawUpstream;
use nextbnb_tests::wait_until;
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};

use crate::upgrade::echoing_upstream;

const REQUEST: &str = "GET /socket HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Protocol: graphql-transport-ws, chat\r\n\
    Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";

const GRANT: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";

/// More than all buffers on the way hold that do not grow.
const MUCH: usize = 64 * 1024 * 1024;

async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// Asks for a WebSocket and reads its grant.
async fn open<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) -> (S, String) {
    stream.write_all(REQUEST.as_bytes()).await.unwrap();
    let head = read_head(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    (stream, head)
}

/// A gateway whose upstream grants each WebSocket and hands it to `serve`.
async fn before<F, S>(serve: S) -> (RunningGateway, RawUpstream, TestDatabase)
where
    S: Fn(TcpStream) -> F + Send + Clone + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let upstream = RawUpstream::start(move |mut stream, _| {
        let serve = serve.clone();
        async move {
            read_head(&mut stream).await;
            stream.write_all(GRANT.as_bytes()).await.unwrap();
            serve(stream).await;
        }
    })
    .await;
    let database = TestDatabase::postgres().await;
    let gateway = RunningGateway::start(database.url(), upstream.address(), |_| {}).await;
    (gateway, upstream, database)
}

/// Sends ten megabytes of anything in pieces of any size, and reads them again.
async fn echo_much(stream: impl AsyncRead + AsyncWrite + Unpin) {
    let (mut stream, _) = open(stream).await;
    assert_eq!(stream.read_exact(&mut [0; 7]).await.unwrap(), 7, "the greeting");
    let (mut read, mut write) = tokio::io::split(stream);
    let mut random = StdRng::seed_from_u64(7);
    let mut sent = vec![0; 10 * 1024 * 1024];
    random.fill_bytes(&mut sent);
    let writing = async {
        let mut rest = &sent[..];
        while !rest.is_empty() {
            let (piece, others) = rest.split_at(random.random_range(1..=rest.len().min(100_000)));
            write.write_all(piece).await.unwrap();
            write.flush().await.unwrap();
            rest = others;
        }
    };
    let reading = async {
        let mut received = vec![0; sent.len()];
        read.read_exact(&mut received).await.unwrap();
        received
    };
    let ((), received) = tokio::join!(writing, reading);
    assert!(received == sent, "the bytes differ");
}

#[tokio::test]
async fn ten_megabytes_of_anything_pass_both_ways_unchanged() {
    let certificate = TestCertificate::of(&["a.example"]);
    let plain = Stack::before(echoing_upstream().await).await;
    let encrypted = Stack::with(echoing_upstream().await, |config| {
        config.tls = Some(certificate.tls());
    })
    .await;
    let client = TlsClient::new(&[&certificate], &["http/1.1"]);
    echo_much(TcpStream::connect(plain.address()).await.unwrap()).await;
    echo_much(client.connect(encrypted.address(), "a.example").await).await;
}

#[tokio::test]
async fn subprotocol_and_extensions_are_a_matter_of_the_two_sides() {
    let stack = Stack::before(echoing_upstream().await).await;
    open(TcpStream::connect(stack.address()).await.unwrap()).await;
    let seen = stack.upstream.last_request();
    for line in REQUEST.lines().filter(|line| line.starts_with("Sec-")) {
        let (name, value) = line.split_once(": ").unwrap();
        assert_eq!(seen.header(name), Some(value));
    }
    let (gateway, _upstream, _database) = before(async |_| {}).await;
    let (_, head) = open(TcpStream::connect(gateway.address()).await.unwrap()).await;
    let head = head.to_lowercase();
    for line in GRANT.lines().filter(|line| line.starts_with("Sec-")) {
        assert!(head.contains(&line.to_lowercase()), "{head}");
    }
}

#[tokio::test]
async fn an_upstream_that_has_ended_still_hears_the_browser() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let (gateway, _upstream, _database) = before(move |mut stream: TcpStream| {
        let tell = tell.clone();
        async move {
            stream.write_all(b"bye").await.unwrap();
            stream.shutdown().await.unwrap();
            let mut all = String::new();
            stream.read_to_string(&mut all).await.unwrap();
            tell.send(all).unwrap();
        }
    })
    .await;
    let (mut stream, _) = open(TcpStream::connect(gateway.address()).await.unwrap()).await;
    let mut all = String::new();
    stream.read_to_string(&mut all).await.unwrap();
    assert_eq!(all, "bye");
    stream.write_all(b"one more thing").await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(told.recv().await.unwrap(), "one more thing");
}

/// Sends a pattern for as long as it is taken, at most [`MUCH`], and counts.
async fn flood(mut stream: impl AsyncWrite + Unpin, count: Arc<AtomicUsize>) {
    let piece: Vec<u8> = (0..=250).cycle().take(251 * 64).collect();
    while count.load(Ordering::Relaxed) < MUCH {
        stream.write_all(&piece).await.unwrap();
        count.fetch_add(piece.len(), Ordering::Relaxed);
    }
    stream.shutdown().await.unwrap();
}

/// Waits until nothing more is taken.
async fn stands_still(count: &AtomicUsize) -> usize {
    let (mut last, mut times) = (0, 0);
    wait_until("the sender is made to wait", async || {
        let now = count.load(Ordering::Relaxed);
        times = if now == last && now > 0 { times + 1 } else { 0 };
        last = now;
        times == 25
    })
    .await;
    last
}

/// Reads to the end, and tells how long the pattern was.
async fn read_pattern(mut stream: impl AsyncRead + Unpin) -> usize {
    let (mut length, mut buffer) = (0, vec![0; 64 * 1024]);
    loop {
        let read = stream.read(&mut buffer).await.unwrap();
        if read == 0 {
            return length;
        }
        for (at, byte) in (length..).zip(&buffer[..read]) {
            assert_eq!(usize::from(*byte), at % 251, "at {at}");
        }
        length += read;
    }
}

#[tokio::test]
async fn a_browser_that_does_not_read_makes_the_upstream_wait_and_loses_nothing() {
    let count = Arc::new(AtomicUsize::new(0));
    let sent = count.clone();
    let (gateway, _upstream, _database) = before(move |stream| flood(stream, sent.clone())).await;
    let (mut stream, _) = open(TcpStream::connect(gateway.address()).await.unwrap()).await;
    assert!(stands_still(&count).await < MUCH);
    assert_eq!(read_pattern(&mut stream).await, MUCH.next_multiple_of(251 * 64));
}

#[tokio::test]
async fn an_upstream_that_does_not_read_makes_the_browser_wait_and_loses_nothing() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let (go, wait) = oneshot::channel::<()>();
    let wait = Arc::new(tokio::sync::Mutex::new(Some(wait)));
    let (gateway, _upstream, _database) = before(move |stream| {
        let (tell, wait) = (tell.clone(), wait.clone());
        async move {
            wait.lock().await.take().unwrap().await.unwrap();
            tell.send(read_pattern(stream).await).unwrap();
        }
    })
    .await;
    let (stream, _) = open(TcpStream::connect(gateway.address()).await.unwrap()).await;
    let count = Arc::new(AtomicUsize::new(0));
    let sending = tokio::spawn(flood(stream, count.clone()));
    assert!(stands_still(&count).await < MUCH);
    go.send(()).unwrap();
    assert_eq!(told.recv().await.unwrap(), MUCH.next_multiple_of(251 * 64));
    sending.await.unwrap();
}
