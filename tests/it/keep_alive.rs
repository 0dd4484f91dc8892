//! Connections to the upstream, used again and never at the wrong moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{Method, StatusCode};
use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::stack::{RunningGateway, Stack};
use nextbnb_tests::upstream::RawUpstream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

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
/// without a word: what Node does to a request that meets its idle close.
async fn closing_upstream() -> (RawUpstream, Arc<AtomicUsize>) {
    let dropped = Arc::new(AtomicUsize::new(0));
    let count = dropped.clone();
    let upstream = RawUpstream::start(move |mut stream, _| {
        let count = count.clone();
        async move {
            answer_once(&mut stream).await;
            let mut request = [0; 4096];
            if stream.read(&mut request).await.is_ok_and(|read| read > 0) {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    })
    .await;
    (upstream, dropped)
}

#[tokio::test]
async fn a_request_that_meets_a_closing_connection_is_sent_once_more() {
    let (upstream, dropped) = closing_upstream().await;
    let database = TestDatabase::postgres().await;
    let gateway = RunningGateway::start(database.url(), upstream.address(), |config| {
        config.workers = 1;
    })
    .await;
    for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::DELETE, Method::GET] {
        let status = gateway.anonymous().send(method.clone(), "/", None).await.status;
        assert_eq!(status, StatusCode::OK, "{method}");
    }
    assert!(
        dropped.load(Ordering::Relaxed) > 0,
        "no connection was used again: nothing was tested"
    );
}

#[tokio::test]
async fn a_request_with_side_effects_is_never_sent_twice() {
    let (upstream, dropped) = closing_upstream().await;
    let database = TestDatabase::postgres().await;
    let gateway = RunningGateway::start(database.url(), upstream.address(), |config| {
        config.workers = 1;
    })
    .await;
    let visitor = gateway.anonymous();
    visitor.get("/").await;
    let body = Some(("text/plain", "order".to_owned()));
    let reply = visitor.send(Method::POST, "/order", body).await;
    assert_eq!(reply.status, StatusCode::BAD_GATEWAY);
    assert_eq!(dropped.load(Ordering::Relaxed), 1, "the order was seen once");
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
    let reply = visitor.send(Method::POST, "/order", Some(("text/plain", "x".to_owned()))).await;
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
