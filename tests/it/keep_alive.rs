//! Connections to the upstream, used again and never at the wrong moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{Method, StatusCode};
use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::stack::{RunningGateway, Stack};
use nextbnb_tests::upstream::RawUpstream;
use nextbnb_tests::wire::Wire;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

async fn answer_once(stream: &mut TcpStream) -> bool {
    let mut request = [0; 4096];
    let is_asked = stream.read(&mut request).await.is_ok_and(|read| read > 0);
    is_asked && stream.write_all(ANSWER).await.is_ok()
}

#[tokio::test]
async fn a_connection_to_the_upstream_serves_many_requests() {
    let stack = Stack::with(nextbnb_tests::upstream::StubUpstream::start().await, |config| {
        config.workers = 1;
    })
    .await;
    for _ in 0..20 {
        stack.anonymous().get("/").await;
    }
    assert_eq!(stack.upstream.connections(), 1);
}

/// An upstream that answers once on each connection, then reads the next request and closes
/// without a word: what Node does to a request that meets its idle close. It tells what it read then.
async fn closing_upstream() -> (RawUpstream, mpsc::UnboundedReceiver<String>) {
    let (tell, told) = mpsc::unbounded_channel();
    let upstream = RawUpstream::start(move |mut stream, _| {
        let tell = tell.clone();
        async move {
            let mut request = Vec::new();
            for is_answered in [true, false] {
                request.clear();
                while !is_whole(&request) {
                    if !matches!(stream.read_buf(&mut request).await, Ok(1..)) {
                        return;
                    }
                }
                if is_answered {
                    stream.write_all(ANSWER).await.unwrap();
                }
            }
            tell.send(String::from_utf8(request).unwrap()).unwrap();
        }
    })
    .await;
    (upstream, told)
}

/// Whether a request is here to the end of its body, which is `#` where it has one.
fn is_whole(request: &[u8]) -> bool {
    let has_body = [&b"content-length: 0"[..], b"content-length:", b"transfer-encoding:"]
        .map(|field| request.windows(field.len()).any(|part| part == field));
    match has_body {
        [false, true, _] => request.ends_with(b"#"),
        [_, _, true] => request.ends_with(b"0\r\n\r\n"),
        _ => request.ends_with(b"\r\n\r\n"),
    }
}

async fn before(upstream: &RawUpstream) -> (RunningGateway, TestDatabase) {
    let database = TestDatabase::sqlite().await;
    let gateway = RunningGateway::start(database.url(), upstream.address(), |config| {
        config.workers = 1;
        config.limits.upstream_idle = Duration::from_mins(1);
        config.limits.upstream_idle_for_unsafe = Duration::from_mins(1);
    })
    .await;
    (gateway, database)
}

#[tokio::test]
async fn a_request_that_meets_a_closing_connection_is_sent_once_more() {
    let (upstream, mut dropped) = closing_upstream().await;
    let (gateway, _database) = before(&upstream).await;
    let visitor = gateway.anonymous();
    visitor.get("/").await;
    for method in [Method::GET, Method::OPTIONS, Method::DELETE, Method::HEAD] {
        let status = visitor.send(method.clone(), "/", None).await.status;
        assert_eq!(status, StatusCode::OK, "{method}");
        let dropped = dropped.recv().await.unwrap();
        assert!(dropped.starts_with(method.as_str()), "{method} was not dropped: {dropped}");
    }
}

#[tokio::test]
async fn a_body_that_is_whole_in_memory_is_sent_once_more_with_its_request() {
    let (upstream, mut dropped) = closing_upstream().await;
    let (gateway, _database) = before(&upstream).await;
    gateway.anonymous().get("/").await;
    let long = "x".repeat(60_000);
    for (head, pieces) in [
        ("PUT / HTTP/1.1\r\nContent-Length: 6", vec!["whole#"]),
        ("PUT / HTTP/1.1\r\nContent-Length: 6", vec!["in ", "tw", "#"]),
        ("PUT / HTTP/1.1\r\nContent-Length: 60001", vec![&long, "#"]),
        ("DELETE / HTTP/1.1\r\nTransfer-Encoding: chunked", vec!["5\r\nthese\r\n", "0\r\n\r\n"]),
    ] {
        let mut wire = Wire::connect(gateway.address()).await;
        wire.send(format!("{head}\r\nHost: a\r\n\r\n")).await;
        for piece in &pieces {
            wire.send(piece).await;
        }
        // The new connection answers its first request only when all of that has come.
        let answer = wire.read_until("ok").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let dropped = dropped.recv().await.unwrap();
        assert!(dropped.ends_with(pieces.last().unwrap()), "{dropped}");
    }
}

#[tokio::test]
async fn a_body_that_is_no_longer_in_memory_is_not_sent_once_more() {
    let (upstream, mut dropped) = closing_upstream().await;
    let (gateway, _database) = before(&upstream).await;
    let visitor = gateway.anonymous();
    visitor.get("/").await;
    let body = format!("{}#", "x".repeat(70_000));
    let reply = visitor.send(Method::PUT, "/", Some(("text/plain", body))).await;
    assert_eq!(reply.status, StatusCode::BAD_GATEWAY);
    assert!(dropped.recv().await.unwrap().ends_with("xxx#"));
}

#[tokio::test]
async fn a_request_with_side_effects_is_never_sent_twice() {
    for method in [Method::POST, Method::PATCH] {
        for body in [None, Some(("text/plain", "order#".to_owned()))] {
            let (upstream, mut dropped) = closing_upstream().await;
            let (gateway, _database) = before(&upstream).await;
            let visitor = gateway.anonymous();
            visitor.get("/").await;
            let reply = visitor.send(method.clone(), "/order", body).await;
            assert_eq!(reply.status, StatusCode::BAD_GATEWAY);
            assert!(dropped.recv().await.unwrap().starts_with(method.as_str()));
            drop(upstream);
            assert!(dropped.try_recv().is_err(), "the order was seen twice");
        }
    }
}

#[tokio::test]
async fn a_request_with_side_effects_takes_no_connection_that_has_rested() {
    let (upstream, _) = closing_upstream().await;
    let database = TestDatabase::postgres().await;
    let gateway = RunningGateway::start(database.url(), upstream.address(), |config| {
        config.workers = 1;
        config.limits.upstream_idle_for_unsafe = Duration::ZERO;
    })
    .await;
    let visitor = gateway.anonymous();
    visitor.get("/").await;
    let reply = visitor.send(Method::POST, "/order", Some(("text/plain", "x#".to_owned()))).await;
    assert_eq!(reply.status, StatusCode::OK);
}

#[tokio::test]
async fn resting_connections_are_closed_before_node_would_close_them() {
    let closed = Arc::new(AtomicUsize::new(0));
    let count = closed.clone();
    let upstream = RawUpstream::start(move |mut stream, _| {
        let count = count.clone();
        async move {
            while answer_once(&mut stream).await {}
            count.fetch_add(1, Ordering::Relaxed);
        }
    })
    .await;
    let database = TestDatabase::postgres().await;
    let gateway = RunningGateway::start(database.url(), upstream.address(), |config| {
        config.limits.upstream_idle = Duration::from_millis(100);
    })
    .await;
    assert_eq!(gateway.anonymous().get("/").await.status, 200);
    nextbnb_tests::wait_until("the connection is closed", async || {
        closed.load(Ordering::Relaxed) == 1
    })
    .await;
}
