//! Bodies that are larger than the upstream is to be sent.

use http_body_util::BodyExt;
use nextbnb_gateway::config::Config;
use nextbnb_gateway::proxy::body_limit::BodyLimit;
use nextbnb_gateway::proxy::routing::PathPrefix;
use nextbnb_gateway::server::listen_at::ListenAt;
use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::exposition::Scrape;
use nextbnb_tests::stack::{RunningGateway, Stack};
use nextbnb_tests::upstream::{RawUpstream, StubUpstream, text};
use nextbnb_tests::visitor::Visitor;
use nextbnb_tests::wait_until;
use nextbnb_tests::wire::{Wire, exchange};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
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

#[tokio::test]
async fn a_body_that_became_too_large_is_answered_while_it_is_still_sent() {
    let stack = Stack::with(reading_upstream().await, ten_bytes).await;
    let mut wire = Wire::connect(stack.address()).await;
    wire.send(post("/", "Transfer-Encoding: chunked\r\n") + "6\r\nhello \r\n5\r\nworld\r\n").await;
    let answer = wire.read_until("}").await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    wire.send("5\r\nagain\r\n0\r\n\r\nGET /.nextbnb/health HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let answer = wire.read_head().await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn a_connection_on_which_a_body_was_cut_is_not_used_again() {
    for answers_at_once in [false, true] {
        let upstream = RawUpstream::start(move |mut stream, number| async move {
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{number}");
            let mut read = Vec::new();
            while let Ok(1..) = stream.read_buf(&mut read).await {
                let is_asked = read.ends_with(b"\r\n\r\n");
                let has_begun = answers_at_once && read.ends_with(b"hello\r\n");
                if is_asked || has_begun {
                    read.clear();
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            }
        })
        .await;
        let database = TestDatabase::sqlite().await;
        let gateway = RunningGateway::start(database.url(), upstream.address(), |config| {
            ten_bytes(config);
            config.workers = 1;
        })
        .await;
        let mut wire = Wire::connect(gateway.address()).await;
        let begun = "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
        wire.send(format!("POST / HTTP/1.1\r\nHost: a\r\n{begun}")).await;
        if answers_at_once {
            wire.read_until("\r\n\r\n0").await;
        }
        wire.send("6\r\n world\r\n").await;
        if !answers_at_once {
            assert!(wire.read_until("}").await.starts_with("HTTP/1.1 413"));
        }
        wire.send("0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert!(wire.read_until("\r\n\r\n1").await.starts_with("HTTP/1.1 200"));
    }
}

#[tokio::test]
async fn a_piece_that_is_too_much_is_not_counted_as_passed_on() {
    let stack = Stack::with(reading_upstream().await, |config| {
        ten_bytes(config);
        config.admin = Some(ListenAt::Tcp { host: "127.0.0.1".to_owned(), port: 0 });
    })
    .await;
    let mut wire = Wire::connect(stack.address()).await;
    wire.send(post("/", "Transfer-Encoding: chunked\r\n") + "5\r\nhello\r\n").await;
    let passed_on = async || {
        let reply = Visitor::new(stack.admin_address()).get("/metrics").await;
        Scrape::parse(reply.text()).value("nextbnb_http_request_body_bytes_total", &[])
    };
    wait_until("the first piece is counted", async || passed_on().await == 5).await;
    wire.send("6\r\n world\r\n").await;
    assert!(wire.read_until("}").await.starts_with("HTTP/1.1 413"));
    assert_eq!(passed_on().await, 5);
}

/// Answers when it has all of a body.
async fn reading_upstream() -> StubUpstream {
    StubUpstream::answering(|request| async {
        request.into_body().collect().await.ok();
        text("read")
    })
    .await
}
