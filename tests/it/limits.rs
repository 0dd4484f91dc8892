//! Nothing waits without a deadline.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::stack::{RunningGateway, Stack};
use nextbnb_tests::upstream::{RawUpstream, StubUpstream, text};
use nextbnb_tests::wait_until;
use nextbnb_tests::wire::{Wire, exchange};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// A limit that a test waits for.
const SOON: Duration = Duration::from_secs(1);

/// Longest wait for what a limit should bring about.
const PATIENCE: Duration = Duration::from_secs(30);

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
async fn a_kept_connection_may_rest_until_its_next_request_begins() {
    let stack = Stack::with(StubUpstream::start().await, |config| {
        config.limits.downstream_idle = Duration::from_secs(2);
        config.limits.request_head = PATIENCE;
    })
    .await;
    let (mut beginning, mut idle) =
        (Wire::connect(stack.address()).await, Wire::connect(stack.address()).await);
    for wire in [&mut beginning, &mut idle] {
        wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        wire.read_until("hello from upstream").await;
    }
    beginning.send("GET / HTTP/1.1\r\nHo").await;
    assert_eq!(idle.read_to_end().await, "");
    beginning.send("st: a\r\n\r\n").await;
    beginning.read_until("hello from upstream").await;
}

#[tokio::test]
async fn a_later_head_must_be_finished_as_the_first_one() {
    let stack = Stack::with(StubUpstream::start().await, |config| {
        config.limits.downstream_idle = Duration::from_mins(10);
        config.limits.request_head = Duration::from_secs(2);
    })
    .await;
    let (mut beginning, mut idle) =
        (Wire::connect(stack.address()).await, Wire::connect(stack.address()).await);
    for wire in [&mut beginning, &mut idle] {
        wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        wire.read_until("hello from upstream").await;
    }
    beginning.send("GET / HTTP/1.1\r\nHo").await;
    assert_eq!(beginning.read_to_end().await, "");
    idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    idle.read_until("hello from upstream").await;
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
async fn an_upload_may_take_as_long_as_it_moves() {
    let upstream = StubUpstream::answering(|request| async move {
        let body = request.into_body().collect().await.unwrap().to_bytes();
        text(format!("{} bytes", body.len()))
    });
    let stack = Stack::with(upstream.await, |config| {
        config.limits.response_head = Duration::from_secs(3);
        config.limits.downstream_stall = Duration::from_secs(3);
    })
    .await;
    let mut wire = Wire::connect(stack.address()).await;
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n").await;
    for _ in 0..8 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        wire.send("x").await;
    }
    assert!(wire.read_head().await.starts_with("HTTP/1.1 200"));
    assert_eq!(wire.read_until("8 bytes").await, "8 bytes");
}

/// Reads whatever is sent and never answers; tells when the gateway has gone.
async fn reading_upstream(first: &'static str) -> (RawUpstream, mpsc::UnboundedReceiver<()>) {
    let (tell, told) = mpsc::unbounded_channel();
    let upstream = RawUpstream::start(move |mut stream, _| {
        let tell = tell.clone();
        async move {
            let mut piece = [0; 4096];
            assert_ne!(stream.read(&mut piece).await.unwrap(), 0);
            stream.write_all(first.as_bytes()).await.unwrap();
            while stream.read(&mut piece).await.is_ok_and(|read| read > 0) {}
            tell.send(()).unwrap();
        }
    });
    (upstream.await, told)
}

#[tokio::test]
async fn a_client_that_stops_in_its_body_is_told_so() {
    let (upstream, mut gone) = reading_upstream("").await;
    let database = TestDatabase::postgres().await;
    let gateway = RunningGateway::start(database.url(), upstream.address(), |config| {
        config.limits.downstream_stall = SOON;
    })
    .await;
    let request = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 16\r\n\r\nx";
    let answer = exchange(gateway.address(), request).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    timeout(PATIENCE, gone.recv()).await.expect("the upstream still waits for the rest");
}

#[tokio::test]
async fn a_client_that_stops_in_its_body_is_cut_also_when_the_answer_has_begun() {
    let begun = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nbegun";
    let (upstream, mut gone) = reading_upstream(begun).await;
    let database = TestDatabase::postgres().await;
    let gateway = RunningGateway::start(database.url(), upstream.address(), |config| {
        config.limits.downstream_stall = SOON;
    })
    .await;
    let request = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 16\r\n\r\nx";
    let answer = exchange(gateway.address(), request).await;
    assert!(answer.ends_with("begun"), "{answer}");
    timeout(PATIENCE, gone.recv()).await.expect("the upstream still waits for the rest");
}

#[tokio::test]
async fn an_upstream_that_takes_no_upload_is_a_gateway_timeout() {
    let upstream = RawUpstream::start(|stream, _| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let database = TestDatabase::postgres().await;
    let gateway = RunningGateway::start(database.url(), upstream.address(), |config| {
        config.limits.response_head = SOON;
        config.limits.downstream_stall = PATIENCE;
    })
    .await;
    let upload = Some(("text/plain", "x".repeat(32 * 1024 * 1024)));
    let reply = gateway.anonymous().send(Method::POST, "/", upload).await;
    assert_eq!(reply.status, StatusCode::GATEWAY_TIMEOUT);
}

#[tokio::test]
async fn a_body_that_is_malformed_or_incomplete_is_the_clients_mistake() {
    let (upstream, _gone) = reading_upstream("").await;
    let database = TestDatabase::postgres().await;
    let gateway = RunningGateway::start(database.url(), upstream.address(), |_| {}).await;
    for body in ["Transfer-Encoding: chunked\r\n\r\nno size\r\n", "Content-Length: 5\r\n\r\nhell"] {
        let mut wire = Wire::connect(gateway.address()).await;
        wire.send(format!("POST / HTTP/1.1\r\nHost: a\r\n{body}")).await;
        wire.end().await;
        let answer = wire.read_to_end().await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{body}: {answer}");
    }
}

/// Tells when it is dropped.
struct Told(mpsc::UnboundedSender<()>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.send(()).ok();
    }
}

/// Sends events of `length` bytes without an end, `pause` before each; tells when nobody wants
/// more.
async fn event_upstream(
    pause: Duration,
    length: usize,
) -> (StubUpstream, mpsc::UnboundedReceiver<()>) {
    let (tell, told) = mpsc::unbounded_channel();
    let upstream = StubUpstream::answering(move |_| {
        let told = Told(tell.clone());
        async move {
            let events = stream::unfold(told, move |told| async move {
                tokio::time::sleep(pause).await;
                let event = Bytes::from(vec![b'x'; length]);
                Some((Ok::<_, Infallible>(Frame::data(event)), told))
            });
            let body = StreamBody::new(events).boxed_unsync();
            Response::builder().header("content-type", "text/event-stream").body(body).unwrap()
        }
    });
    (upstream.await, told)
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_cut() {
    let (upstream, mut gone) = event_upstream(Duration::ZERO, 64 * 1024).await;
    let stack = Stack::with(upstream, |config| config.limits.downstream_stall = SOON).await;
    let mut wire = Wire::connect(stack.address()).await;
    wire.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n").await;
    wire.read_head().await;
    timeout(PATIENCE, gone.recv()).await.expect("the upstream still works for nobody");
}

#[tokio::test]
async fn a_stream_that_has_nothing_to_say_is_not_cut() {
    let (upstream, _gone) = event_upstream(Duration::from_millis(500), 10).await;
    let stack = Stack::with(upstream, |config| {
        config.limits.downstream_stall = Duration::from_millis(50);
    })
    .await;
    let request = Request::get("/events").body(Full::default()).unwrap();
    let mut response = stack.anonymous().start(request).await;
    for _ in 0..3 {
        response.frame().await.expect("it ended").expect("it was cut");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_system_asks_silent_connections_on_both_sides_whether_they_live() {
    let stack = Stack::start().await;
    let mut wire = Wire::connect(stack.address()).await;
    wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    wire.read_until("hello from upstream").await;
    let (own, upstream) = (stack.address().port(), stack.upstream.address().port());
    wait_until("the client is asked", async || is_probed(|line| line[1].ends_with(&hex(own))))
        .await;
    wait_until("the upstream is asked", async || {
        is_probed(|line| line[2].ends_with(&hex(upstream)))
    })
    .await;
}

fn hex(port: u16) -> String {
    format!(":{port:04X}")
}

/// Whether an established connection (state 01) that `is_meant` has the timer of keep-alive
/// probes (02) running, by the table of the system.
fn is_probed(is_meant: impl Fn(&[&str]) -> bool) -> bool {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let lines = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    lines.skip(1).any(|line| is_meant(&line) && line[3] == "01" && line[5].starts_with("02:"))
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
