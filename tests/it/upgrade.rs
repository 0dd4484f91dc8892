//! WebSockets pass on any path, and nothing else upgrades.

use std::time::Duration;

use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use nextbnb_gateway::auth::origin::AllowedOrigins;
use nextbnb_gateway::config::Config;
use nextbnb_gateway::downstream::public_url::PublicUrl;
use nextbnb_gateway::proxy::pages::Reader;
use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::stack::RunningGateway;
use nextbnb_tests::stack::Stack;
use nextbnb_tests::upstream::{RawUpstream, StubUpstream, text};
use nextbnb_tests::visitor::Visitor;
use nextbnb_tests::wire::{Wire, exchange};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

/// Grants every WebSocket and echoes its bytes, after a greeting.
pub(crate) async fn echoing_upstream() -> StubUpstream {
    StubUpstream::answering(|mut request| async move {
        if !request.headers().contains_key("upgrade") {
            return text("no socket");
        }
        let upgrade = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            let mut socket = TokioIo::new(upgrade.await.unwrap());
            socket.write_all(b"welcome").await.unwrap();
            let (mut read, mut write) = tokio::io::split(socket);
            drop(tokio::io::copy(&mut read, &mut write).await);
        });
        let builder = Response::builder().status(StatusCode::SWITCHING_PROTOCOLS);
        let builder = builder.header("connection", "Upgrade").header("upgrade", "websocket");
        let builder = builder.header("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        builder.body(Full::default().boxed_unsync()).unwrap()
    })
    .await
}

fn be_dev(config: &mut Config) {
    config.reader = Reader::Developer;
}

#[tokio::test]
async fn bytes_flow_both_ways_on_any_path_until_a_side_ends() {
    let stack = Stack::with(echoing_upstream().await, be_dev).await;
    for path in ["/_next/hmr?id=x", "/any/path"] {
        let mut wire = Wire::connect(stack.address()).await;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\nearly"
        );
        wire.send(request).await;
        let head = wire.read_head().await;
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        let lower = head.to_lowercase();
        for field in ["upgrade: websocket", "connection: upgrade", "sec-websocket-accept: s3pp"] {
            assert!(lower.contains(field), "{head}");
        }
        assert_eq!(wire.read_until("early").await, "welcomeearly");
        wire.send("hello").await;
        assert_eq!(wire.read_until("hello").await, "hello");
        assert_eq!(stack.upstream.last_request().target.to_string(), path);
    }
}

/// Grants a WebSocket on every connection, sends `bye` when its client has ended, and waits for
/// ever.
async fn lingering_upstream() -> RawUpstream {
    RawUpstream::start(|mut stream, _| async move {
        let mut request = [0; 4096];
        assert_ne!(stream.read(&mut request).await.unwrap(), 0);
        let granted =
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
        stream.write_all(granted).await.unwrap();
        while stream.read(&mut request).await.is_ok_and(|read| read > 0) {}
        stream.write_all(b"bye").await.unwrap();
        std::future::pending::<()>().await;
    })
    .await
}

#[tokio::test]
async fn a_side_that_is_left_alone_may_finish_and_no_more() {
    let upstream = lingering_upstream().await;
    let database = TestDatabase::postgres().await;
    let gateway = RunningGateway::start(database.url(), upstream.address(), |config| {
        config.limits.half_closed_upgrade = Duration::from_secs(2);
    })
    .await;
    let mut wire = Wire::connect(gateway.address()).await;
    wire.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        .await;
    assert!(wire.read_head().await.starts_with("HTTP/1.1 101"));
    wire.end().await;
    assert_eq!(wire.read_to_end().await, "bye");
}

#[tokio::test]
async fn an_upgrade_to_something_else_than_was_asked_for_is_a_bad_gateway() {
    let upstream = RawUpstream::start(|mut stream, _| async move {
        let mut request = [0; 4096];
        assert_ne!(stream.read(&mut request).await.unwrap(), 0);
        let granted =
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
        stream.write_all(granted).await.unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let database = TestDatabase::postgres().await;
    let gateway = RunningGateway::start(database.url(), upstream.address(), |_| {}).await;
    let socket = gateway.anonymous().header("Connection", "Upgrade").header("Upgrade", "websocket");
    assert_eq!(socket.get("/socket").await.status, StatusCode::BAD_GATEWAY);
}

#[tokio::test]
async fn a_socket_carries_the_identity_and_no_forged_one() {
    let stack = Stack::before(echoing_upstream().await).await;
    let ada = stack.signed_in("ada@example.org").await;
    let request = Request::get("/socket")
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("x_forwarded_user", "4711")
        .header("x-forwarded-email", "eve@example.org")
        .body(Full::default());
    let response = ada.start(request.unwrap()).await;
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    let seen = stack.upstream.last_request();
    assert_eq!(seen.header("x-forwarded-email"), Some("ada@example.org"));
    assert_eq!(seen.header("x_forwarded_user"), None);
    assert_eq!(seen.header("upgrade"), Some("websocket"));
}

#[tokio::test]
async fn another_sites_page_cannot_open_a_socket_unless_it_is_allowed() {
    let stack = Stack::with(echoing_upstream().await, |config| {
        let app = PublicUrl::parse("https://app.example.com").unwrap().origin();
        config.allowed_origins = AllowedOrigins::new(vec![app]);
    })
    .await;
    let socket = |origin: &str| {
        format!(
            "GET /s HTTP/1.1\r\nHost: a:1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Origin: {origin}\r\n\r\n"
        )
    };
    let mut own = Wire::connect(stack.address()).await;
    own.send(socket("http://a:1")).await;
    assert!(own.read_head().await.starts_with("HTTP/1.1 101"));
    let mut foreign = Wire::connect(stack.address()).await;
    foreign.send(socket("http://evil.example")).await;
    assert!(foreign.read_head().await.starts_with("HTTP/1.1 403"));
    let mut allowed = Wire::connect(stack.address()).await;
    allowed.send(socket("https://app.example.com")).await;
    assert!(allowed.read_head().await.starts_with("HTTP/1.1 101"));
    assert_eq!(stack.upstream.seen().len(), 2);
}

#[tokio::test]
async fn every_other_upgrade_is_served_as_a_plain_request() {
    let stack = Stack::before(echoing_upstream().await).await;
    for upgrade in ["h2c", "tls/1.0", "websocket2"] {
        let request = format!(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings, close\r\n\
             Upgrade: {upgrade}\r\nHTTP2-Settings: AAMAAABkAAQ\r\n\r\n"
        );
        let answer = exchange(stack.address(), request).await;
        assert!(answer.ends_with("no socket"), "{answer}");
        assert_eq!(stack.upstream.last_request().header("upgrade"), None);
    }
}

#[tokio::test]
async fn a_refusal_of_a_socket_is_passed_on_whole() {
    let upstream = StubUpstream::answering(|_| async {
        let mut refusal = text("x".repeat(100_000));
        *refusal.status_mut() = StatusCode::UNAUTHORIZED;
        refusal
    });
    let stack = Stack::before(upstream.await).await;
    let socket = stack.anonymous().header("Connection", "Upgrade").header("Upgrade", "websocket");
    let reply = socket.get("/socket").await;
    assert_eq!((reply.status, reply.body.len()), (StatusCode::UNAUTHORIZED, 100_000));
}

/// Answers everything with `said`, and closes.
async fn saying(said: &'static str) -> RawUpstream {
    RawUpstream::start(move |mut stream, _| async move {
        assert_ne!(stream.read(&mut [0; 4096]).await.unwrap(), 0);
        stream.write_all(said.as_bytes()).await.unwrap();
    })
    .await
}

#[tokio::test]
async fn a_refusal_of_next_dev_without_a_status_is_one_with_the_cure() {
    // What Next.js 16 writes to a hot-reload socket from an origin that it does not know.
    let (upstream, database) = (saying("Unauthorized").await, TestDatabase::postgres().await);
    for reader in [Reader::Developer, Reader::Visitor] {
        let is_told = matches!(reader, Reader::Developer);
        let gateway = RunningGateway::start(database.url(), upstream.address(), |config| {
            config.reader = reader;
        })
        .await;
        let reply = socket(&gateway).get("/socket").await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN);
        assert_eq!(reply.text().contains("allowedDevOrigins"), is_told, "{}", reply.text());
    }
}

fn socket(gateway: &RunningGateway) -> Visitor {
    gateway.anonymous().header("Connection", "Upgrade").header("Upgrade", "websocket")
}

#[tokio::test]
async fn garbage_for_an_answer_is_a_bad_gateway() {
    let database = TestDatabase::postgres().await;
    for said in [
        "Unauthorized, or so",
        "Unauth",
        "garbage",
        "",
        "HTTP/1.1 426 Upgrade Required\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    ] {
        let upstream = saying(said).await;
        let gateway = RunningGateway::start(database.url(), upstream.address(), |_| {}).await;
        let reply = socket(&gateway).get("/socket").await;
        assert_eq!(reply.status, StatusCode::BAD_GATEWAY, "{said}");
    }
}

#[tokio::test]
async fn what_serves_developers_is_not_there_in_production() {
    let production = Stack::before(echoing_upstream().await).await;
    let dev = Stack::with(echoing_upstream().await, be_dev).await;
    for path in ["/_next/hmr?id=x", "/docs/_next/webpack-hmr", "/_next/mcp", "/__nextjs_source-map"]
    {
        for upgrade in ["", "Connection: Upgrade\r\nUpgrade: websocket\r\n"] {
            let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n{upgrade}\r\n");
            let mut wire = Wire::connect(production.address()).await;
            wire.send(&request).await;
            assert!(wire.read_head().await.starts_with("HTTP/1.1 404"), "{path}");
            let mut wire = Wire::connect(dev.address()).await;
            wire.send(&request).await;
            let served = if upgrade.is_empty() { "HTTP/1.1 200" } else { "HTTP/1.1 101" };
            assert!(wire.read_head().await.starts_with(served), "{path}");
        }
    }
    assert_eq!(production.upstream.connections(), 0);
}

#[tokio::test]
async fn bytes_behind_a_request_for_a_socket_wait_for_its_grant() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let upstream = RawUpstream::start(move |mut stream, _| {
        let tell = tell.clone();
        async move {
            let mut all = Vec::new();
            assert_ne!(stream.read_buf(&mut all).await.unwrap(), 0);
            stream
                .write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
                .await
                .unwrap();
            stream.read_to_end(&mut all).await.unwrap();
            tell.send(String::from_utf8(all).unwrap()).unwrap();
        }
    })
    .await;
    let database = TestDatabase::postgres().await;
    let gateway = RunningGateway::start(database.url(), upstream.address(), |_| {}).await;
    let mut wire = Wire::connect(gateway.address()).await;
    wire.send(
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nGET /raw",
    )
    .await;
    assert!(wire.read_until("\r\n\r\nno").await.starts_with("HTTP/1.1 403"));
    drop(wire);
    let seen = told.recv().await.unwrap();
    assert!(seen.ends_with("\r\n\r\n") && !seen.contains("/raw"), "{seen}");
}
