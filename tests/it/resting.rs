//! Connections that rest as bare sockets, and what is met on them afterwards.

use std::time::Duration;

use nextbnb_tests::stack::Stack;
use nextbnb_tests::tls::{TestCertificate, TlsClient};
use nextbnb_tests::upstream::StubUpstream;
use nextbnb_tests::wire::Wire;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// How long buffers are kept.
const AWAKE: Duration = Duration::from_millis(20);

const GET: &str = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";

/// Long enough that a connection rests; nobody outside can see that it does.
async fn rest() {
    tokio::time::sleep(AWAKE * 5).await;
}

#[tokio::test]
async fn a_connection_serves_again_after_each_rest() {
    let upstream = StubUpstream::start().await;
    let stack = Stack::with(upstream, |config| config.limits.downstream_awake = AWAKE).await;
    let mut wire = Wire::connect(stack.address()).await;
    for _ in 0..4 {
        wire.send(GET).await;
        wire.read_until("hello from upstream").await;
        rest().await;
    }
}

#[tokio::test]
async fn a_connection_over_tls_serves_again_after_each_rest() {
    let certificate = TestCertificate::of(&["a.example"]);
    let stack = Stack::with(StubUpstream::start().await, |config| {
        config.limits.downstream_awake = AWAKE;
        config.tls = Some(certificate.tls());
    })
    .await;
    let client = TlsClient::new(&[&certificate], &["http/1.1"]);
    let mut stream = client.connect(stack.address(), "a.example").await;
    for _ in 0..4 {
        stream.write_all(GET.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"hello from upstream") {
            assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0, "{answer:?}");
        }
        rest().await;
    }
}

#[tokio::test]
async fn a_resting_connection_is_closed_when_its_client_lets_it_wait_too_long() {
    let stack = Stack::with(StubUpstream::start().await, |config| {
        config.limits.downstream_awake = AWAKE;
        config.limits.downstream_idle = AWAKE * 10;
    })
    .await;
    let mut wire = Wire::connect(stack.address()).await;
    wire.send(GET).await;
    wire.read_until("hello from upstream").await;
    assert_eq!(wire.read_to_end().await, "");
}

#[tokio::test]
async fn the_end_of_the_process_waits_for_no_resting_connection() {
    let stack = Stack::with(StubUpstream::start().await, |config| {
        config.limits.downstream_awake = AWAKE;
        config.drain = Duration::from_hours(1);
    })
    .await;
    let mut wire = Wire::connect(stack.address()).await;
    wire.send(GET).await;
    wire.read_until("hello from upstream").await;
    rest().await;
    stack.stop().await;
    assert_eq!(wire.read_to_end().await, "");
}

/// hyper still reads the body then, while nobody else does.
#[tokio::test]
async fn a_body_that_comes_after_the_answer_is_no_request() {
    let upstream = StubUpstream::start().await;
    let stack = Stack::with(upstream, |config| config.limits.downstream_awake = AWAKE).await;
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n";
    let mut wire = Wire::connect(stack.address()).await;
    let length = smuggled.len();
    let head = "POST /.nextbnb/nothing HTTP/1.1\r\nHost: a.example\r\nContent-Length: ";
    wire.send(format!("{head}{length}\r\n\r\n")).await;
    assert!(wire.read_head().await.starts_with("HTTP/1.1 404"));
    rest().await;
    wire.send(smuggled).await;
    wire.send(GET).await;
    wire.read_until("hello from upstream").await;
    let seen = stack.upstream.seen();
    assert!(seen.iter().all(|request| request.target != "/smuggled"), "{seen:?}");
}
