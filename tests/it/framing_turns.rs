//! Whose turn it is on a connection: pipelined requests, early answers, and uploads that wait.

use std::time::Duration;

use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::stack::{RunningGateway, Stack};
use nextbnb_tests::upstream::{RawUpstream, StubUpstream};
use nextbnb_tests::wire::{Wire, exchange};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// An upload whose client waits.
const WAITING: &str =
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";

async fn read_request_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        assert_ne!(stream.read_buf(&mut head).await.unwrap(), 0);
    }
    String::from_utf8(head).unwrap()
}

/// Answers each head with `answer` and tells it, and then all that comes behind it.
async fn answering(answer: &'static str) -> (RawUpstream, mpsc::UnboundedReceiver<String>) {
    let (tell, told) = mpsc::unbounded_channel();
    let upstream = RawUpstream::start(move |mut stream, _| {
        let tell = tell.clone();
        async move {
            tell.send(read_request_head(&mut stream).await).unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
            let mut rest = String::new();
            drop(stream.read_to_string(&mut rest).await); // A reset is an end too.
            tell.send(rest).unwrap();
        }
    });
    (upstream.await, told)
}

async fn before(upstream: &RawUpstream) -> (RunningGateway, TestDatabase) {
    let database = TestDatabase::postgres().await;
    (RunningGateway::start(database.url(), upstream.address(), |_| {}).await, database)
}

#[tokio::test]
async fn an_upload_that_waits_is_not_sent_when_the_upstream_answers_without_it() {
    for answer in [
        "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nlarge",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ] {
        let (upstream, mut told) = answering(answer).await;
        let (gateway, _database) = before(&upstream).await;
        let read = exchange(gateway.address(), WAITING).await;
        assert_eq!(read[..12], answer[..12], "{read}");
        assert_eq!(read.matches("HTTP/1.1").count(), 1, "{read}");
        assert!(told.recv().await.unwrap().contains("expect: 100-continue\r\n"));
        let rest = timeout(Duration::from_secs(30), told.recv()).await;
        assert_eq!(rest.expect("the upstream still waits").as_deref(), Some(""), "{answer}");
    }
}

#[tokio::test]
async fn an_upload_that_waits_is_sent_when_the_upstream_wants_it() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let upstream = RawUpstream::start(move |mut stream, _| {
        let tell = tell.clone();
        async move {
            read_request_head(&mut stream).await;
            // Not the word that the client waits for.
            stream.write_all(b"HTTP/1.1 102 Processing\r\n\r\n").await.unwrap();
            let early = timeout(Duration::from_millis(200), stream.read_u8()).await;
            tell.send(early.is_err()).unwrap();
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
            stream.read_exact(&mut [0; 5]).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
        }
    })
    .await;
    let (gateway, _database) = before(&upstream).await;
    let mut wire = Wire::connect(gateway.address()).await;
    wire.send(WAITING).await;
    assert_eq!(wire.read_head().await, "HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(told.recv().await, Some(true), "the upstream was not asked first");
    wire.send("hello").await;
    assert!(wire.read_until("\r\n\r\nok").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn an_upload_that_waits_for_an_upstream_that_says_nothing_is_sent_after_a_while() {
    let upstream = RawUpstream::start(move |mut stream, _| async move {
        read_request_head(&mut stream).await;
        stream.read_exact(&mut [0; 5]).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
    })
    .await;
    let (gateway, _database) = before(&upstream).await;
    let mut wire = Wire::connect(gateway.address()).await;
    wire.send(WAITING).await;
    assert_eq!(wire.read_head().await, "HTTP/1.1 100 Continue\r\n\r\n");
    wire.send("hello").await;
    assert!(wire.read_until("\r\n\r\nok").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn an_upload_that_the_gateway_refuses_is_not_asked_for() {
    let stack = Stack::start().await;
    let read = exchange(stack.address(), WAITING.replace("Host: a", "Host: a b")).await;
    assert!(read.starts_with("HTTP/1.1 400"), "{read}");
    assert_eq!(stack.upstream.connections(), 0);
}

#[tokio::test]
async fn an_expectation_that_nothing_waits_for_goes_no_further() {
    let stack = Stack::start().await;
    for request in [
        "GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n",
        "POST / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
    ] {
        let read = exchange(stack.address(), request).await;
        assert!(read.contains(" 200 OK"), "{read}");
        assert_eq!(stack.upstream.last_request().header("expect"), None);
    }
}

#[tokio::test]
async fn an_answer_before_the_end_of_an_upload_arrives() {
    let early = "HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlarge";
    let upstream = RawUpstream::start(move |mut stream, _| async move {
        read_request_head(&mut stream).await;
        stream.write_all(early.as_bytes()).await.unwrap();
    })
    .await;
    let (gateway, _database) = before(&upstream).await;
    let mut wire = Wire::connect(gateway.address()).await;
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n").await;
    assert!(wire.read_until("\r\n\r\nlarge").await.starts_with("HTTP/1.1 413"));
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let stack = Stack::start().await;
    let one = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n";
    let two = "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
    let three = "GET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let answers = exchange(stack.address(), format!("{one}{two}{three}")).await;
    assert_eq!(answers.matches("hello from upstream").count(), 3, "{answers}");
    let targets: Vec<_> = stack.upstream.seen().iter().map(|s| s.target.to_string()).collect();
    assert_eq!(targets, ["/1", "/2", "/3"]);
}

#[tokio::test]
async fn behind_a_refused_request_no_other_is_read() {
    let stack = Stack::start().await;
    let one = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n";
    for bad in ["GET /2 HTTP/1.1\r\nHost: a b\r\n\r\n", "GET /2 HTTP/1.1\r\nHost : a\r\n\r\n"] {
        let answers = exchange(stack.address(), format!("{one}{bad}{one}")).await;
        assert!(answers.starts_with("HTTP/1.1 200"), "{answers}");
        let (_, refusal) = answers.split_once("hello from upstream").unwrap();
        assert!(refusal.starts_with("HTTP/1.1 400") && !refusal.contains(" 200 "), "{answers}");
    }
    assert_eq!(stack.upstream.seen().len(), 2);
}

#[tokio::test]
async fn a_client_that_wants_the_connection_closed_ends_its_own_only() {
    let stack = Stack::with(StubUpstream::start().await, |config| config.workers = 1).await;
    for _ in 0..3 {
        let request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        let answer = exchange(stack.address(), request).await;
        assert!(answer.contains("connection: close\r\n"), "{answer}");
        assert_eq!(stack.upstream.last_request().header("connection"), None);
    }
    assert_eq!(stack.upstream.connections(), 1);
}

#[tokio::test]
async fn an_upstream_that_closes_its_connection_ends_its_own_only() {
    let (upstream, _told) =
        answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok").await;
    let (gateway, _database) = before(&upstream).await;
    let mut wire = Wire::connect(gateway.address()).await;
    for _ in 0..3 {
        wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let answer = wire.read_until("\r\n\r\nok").await;
        assert!(answer.starts_with("HTTP/1.1 200") && !answer.contains("connection:"), "{answer}");
    }
}
