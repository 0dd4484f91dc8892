//! Bodies that are larger than the upstream is to be sent.

use http_body_util::BodyExt;
use nextbnb_gateway::config::Config;
use nextbnb_gateway::proxy::body_limit::BodyLimit;
use nextbnb_gateway::proxy::routing::PathPrefix;
use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::stack::{RunningGateway, Stack};
use nextbnb_tests::upstream::{RawUpstream, StubUpstream, text};
use nextbnb_tests::wire::{Wire, exchange};
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;

fn ten_bytes(config: &mut Config) {
    let except = vec![PathPrefix::new("/upload/").unwrap()];
    config.max_body = Some(BodyLimit { bytes: 10, except });
}

fn post(path: &str, fields: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n")
}

#[tokio::test]
async fn a_body_that_says_it_is_too_large_is_refused_before_the_upstream_is_asked() {
    let stack = Stack::with(StubUpstream::start().await, ten_bytes).await;
    for more in ["", "Expect: 100-continue\r\n"] {
        let mut wire = Wire::connect(stack.address()).await;
        wire.send(post("/", &format!("{more}Content-Length: 11\r\n"))).await;
        assert!(wire.read_head().await.starts_with("HTTP/1.1 413"));
    }
    let mut eager = Wire::connect(stack.address()).await;
    eager.send(post("/", "Content-Length: 11\r\n") + "hello world").await;
    assert!(eager.read_until("}").await.starts_with("HTTP/1.1 413"));
    assert_eq!(stack.upstream.connections(), 0);
    for (path, length) in [("/", 10), ("/upload/x", 11)] {
        let body = "x".repeat(length);
        let fields = format!("Connection: close\r\nContent-Length: {length}\r\n");
        let answer = exchange(stack.address(), post(path, &fields) + &body).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    }
}

#[tokio::test]
async fn a_body_that_becomes_too_large_is_cut_and_not_passed_on_as_whole() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let upstream = RawUpstream::start(move |mut stream, _| {
        let tell = tell.clone();
        async move {
            let mut all = Vec::new();
            drop(stream.read_to_end(&mut all).await); // A reset is an end too.
            tell.send(String::from_utf8(all).unwrap()).unwrap();
        }
    })
    .await;
    let database = TestDatabase::postgres().await;
    let gateway = RunningGateway::start(database.url(), upstream.address(), ten_bytes).await;
    let body = "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
    let answer = exchange(
        gateway.address(),
        post("/", "Connection: close\r\nTransfer-Encoding: chunked\r\n") + body,
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    let seen = told.recv().await.unwrap();
    assert!(!seen.contains("world") && !seen.ends_with("0\r\n\r\n"), "{seen:?}");
}

#[tokio::test]
async fn whoever_sends_all_of_a_body_that_became_too_large_first_reads_that_and_may_go_on() {
    let stack = Stack::with(reading_upstream().await, ten_bytes).await;
    let mut wire = Wire::connect(stack.address()).await;
    wire.send(post("/", "Transfer-Encoding: chunked\r\n")).await;
    let piece = "x".repeat(1000);
    for _ in 0..900 {
        wire.send(format!("{:x}\r\n{piece}\r\n", piece.len())).await;
    }
    wire.send("0\r\n\r\n").await;
    let answer = wire.read_until("}").await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    wire.send("GET /.nextbnb/health HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let answer = wire.read_head().await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// Answers when it has all of a body.
async fn reading_upstream() -> StubUpstream {
    StubUpstream::answering(|request| async {
        request.into_body().collect().await.ok();
        text("read")
    })
    .await
}
