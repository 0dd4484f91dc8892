//! Nothing waits without a deadline.

use std::time::Duration;

use http::StatusCode;
use http_body_util::BodyExt;
use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::stack::{RunningGateway, Stack};
use nextbnb_tests::upstream::{RawUpstream, StubUpstream, text};
use nextbnb_tests::wire::Wire;

const SOON: Duration = Duration::from_millis(400);

#[tokio::test]
async fn a_client_that_never_finishes_its_head_is_cut() {
    let upstream = StubUpstream::start().await;
    let stack = Stack::with(upstream, |config| config.limits.request_head = SOON).await;
    let mut wire = Wire::connect(stack.address()).await;
    wire.send("GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ").await;
    let answer = wire.read_to_end().await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(stack.upstream.seen().is_empty());
}

#[tokio::test]
async fn a_silent_upstream_is_a_gateway_timeout() {
    let upstream = RawUpstream::start(|stream, _| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let database = TestDatabase::postgres().await;
    let gateway = RunningGateway::start(database.url(), upstream.address(), |config| {
        config.limits.response_head = SOON;
        config.limits.upgrade_head = SOON;
    })
    .await;
    let page = gateway.anonymous().header("Accept", "text/html").get("/").await;
    assert_eq!(page.status, StatusCode::GATEWAY_TIMEOUT);
    assert!(page.text().contains("took too long"), "{}", page.text());
    let socket = gateway.anonymous().header("Connection", "Upgrade").header("Upgrade", "websocket");
    assert_eq!(socket.get("/unknown").await.status, StatusCode::GATEWAY_TIMEOUT);
}

#[tokio::test]
async fn an_upload_may_take_as_long_as_it_moves_and_no_longer() {
    let upstream = StubUpstream::answering(|request| async move {
        let body = request.into_body().collect().await.unwrap().to_bytes();
        text(format!("{} bytes", body.len()))
    });
    let stack = Stack::with(upstream.await, |config| config.limits.response_head = SOON).await;
    let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 16\r\n\r\n";
    let mut moving = Wire::connect(stack.address()).await;
    moving.send(head).await;
    for _ in 0..16 {
        tokio::time::sleep(SOON / 8).await;
        moving.send("x").await;
    }
    assert!(moving.read_head().await.starts_with("HTTP/1.1 200"));
    assert_eq!(moving.read_until("16 bytes").await, "16 bytes");
    let mut stalled = Wire::connect(stack.address()).await;
    stalled.send(format!("{head}x")).await;
    assert!(stalled.read_head().await.starts_with("HTTP/1.1 504"));
}

#[tokio::test]
async fn too_many_or_too_large_headers_never_reach_the_upstream() {
    let stack = Stack::start().await;
    let many = "X-Many: 1\r\n".repeat(200);
    let large = format!("X-Large: {}\r\n", "x".repeat(1 << 20));
    for headers in [many, large] {
        let request = format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}\r\n");
        let mut wire = Wire::connect(stack.address()).await;
        wire.send(request).await;
        let head = wire.read_head().await;
        assert!(head.starts_with("HTTP/1.1 431"), "{head}");
    }
    assert!(stack.upstream.seen().is_empty());
}
