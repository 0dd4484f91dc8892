//! Unix sockets on either side of the gateway.

use std::path::{Path, PathBuf};

use nextbnb_gateway::config::Config;
use nextbnb_gateway::proxy::pages::{ErrorPages, Reader};
use nextbnb_gateway::proxy::routing::{PathPrefix, Target};
use nextbnb_gateway::proxy::upstream_address::UpstreamAddress;
use nextbnb_gateway::server::listen_at::ListenAt;
use nextbnb_tests::http2::Http2;
use nextbnb_tests::stack::Stack;
use nextbnb_tests::tls::{TestCertificate, TlsClient};
use nextbnb_tests::upstream::{StubUpstream, text};
use nextbnb_tests::wire::Wire;
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpStream, UnixListener, UnixStream};

use crate::upgrade::echoing_upstream;

const REQUEST: &str = "GET /a?b HTTP/1.1\r\nHost: shop.example:81\r\nConnection: close\r\n\r\n";

/// A gateway that listens at a file as well as on a port.
struct Site {
    stack: Stack,
    path: PathBuf,
    _folder: TempDir,
}

async fn site(change: impl FnOnce(&mut Config)) -> Site {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.sock");
    let place = ListenAt::Unix { path: path.clone(), mode: 0o600 };
    let stack = Stack::with(StubUpstream::start().await, |config| {
        config.listen.push(place);
        change(config);
    })
    .await;
    Site { stack, path, _folder: folder }
}

async fn exchange_at(path: &Path, request: &str) -> String {
    let mut wire = Wire::connect_at(path).await;
    wire.send(request).await;
    wire.read_to_end().await
}

#[tokio::test]
async fn a_gateway_serves_at_a_file_and_on_a_port() {
    let site = site(|_| {}).await;
    for _ in 0..20 {
        let answer = exchange_at(&site.path, REQUEST).await;
        assert!(answer.ends_with("hello from upstream"), "{answer}");
    }
    let seen = site.stack.upstream.last_request();
    assert_eq!(seen.target, "/a?b");
    assert_eq!(seen.header("x-forwarded-host"), Some("shop.example:81"));
    assert_eq!(site.stack.anonymous().get("/").await.text(), "hello from upstream");
    let old = exchange_at(&site.path, "GET / HTTP/1.0\r\n\r\n").await;
    assert!(old.starts_with("HTTP/1.0 200"), "{old}");
    assert_eq!(site.stack.upstream.last_request().header("host"), Some("localhost"));
}

#[tokio::test]
async fn whoever_connects_at_the_file_is_this_machine_unless_trusted() {
    let forged = "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.7\r\n\
                  X-Forwarded-Proto: https\r\nConnection: close\r\n\r\n";
    for (trusted, client, proto) in [
        (None, "127.0.0.1", "http"),
        (Some("loopback"), "127.0.0.1", "http"),
        (Some("unix"), "203.0.113.7", "https"),
    ] {
        let site = site(|config| {
            if let Some(trusted) = trusted {
                config.front.trusted.add(trusted).unwrap();
            }
        })
        .await;
        exchange_at(&site.path, forged).await;
        let seen = site.stack.upstream.last_request();
        assert_eq!(seen.header("x-forwarded-for"), Some(client), "{trusted:?}");
        assert_eq!(seen.header("x-forwarded-proto"), Some(proto), "{trusted:?}");
    }
}

#[tokio::test]
async fn the_file_goes_at_the_end_and_what_was_asked_is_answered() {
    let site = site(|_| {}).await;
    let mut wire = Wire::connect_at(&site.path).await;
    wire.send(REQUEST).await;
    site.stack.stop().await;
    assert!(wire.read_to_end().await.starts_with("HTTP/1.1 200"));
    assert!(!site.path.exists());
}

/// A socket that leads to `upstream`.
fn lead_to(upstream: &StubUpstream, path: &Path) {
    let (listener, to) = (UnixListener::bind(path).unwrap(), upstream.address());
    tokio::spawn(async move {
        loop {
            let (mut from, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut to = TcpStream::connect(to).await.unwrap();
                drop(copy_bidirectional(&mut from, &mut to).await);
            });
        }
    });
}

/// A gateway that sends `/api/` to `path`.
async fn before(path: &Path) -> Stack {
    let prefix = PathPrefix::new("/api/").unwrap();
    let upstream = UpstreamAddress::Unix(path.to_owned());
    let target = Target {
        upstream,
        stripped: Some(prefix.clone()),
        pages: ErrorPages::new(Reader::Visitor),
    };
    let next = StubUpstream::answering(|_| async { text("next") }).await;
    Stack::with(next, |config| {
        config.routes = vec![(prefix, target)];
        config.workers = 1;
    })
    .await
}

#[tokio::test]
async fn an_upstream_at_a_file_is_sent_what_one_on_a_port_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("api.sock");
    let api = StubUpstream::start().await;
    lead_to(&api, &path);
    let stack = before(&path).await;
    let ada = stack.signed_in("ada@example.org").await;
    for _ in 0..3 {
        assert_eq!(ada.get("/api/me?x").await.text(), "hello from upstream");
    }
    let seen = api.last_request();
    let host = stack.address().to_string();
    assert_eq!(seen.target, "/me?x");
    assert_eq!(seen.header("host"), Some(&*host));
    assert_eq!(seen.header("x-forwarded-host"), Some(&*host));
    assert_eq!(seen.header("x-forwarded-email"), Some("ada@example.org"));
    assert_eq!(api.connections(), 1);
    assert_eq!(stack.anonymous().get("/").await.text(), "next");
    assert_eq!(stack.anonymous().get("/.nextbnb/health/upstreams").await.status, 200);
}

#[tokio::test]
async fn a_websocket_reaches_an_upstream_at_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("api.sock");
    let api = echoing_upstream().await;
    lead_to(&api, &path);
    let stack = before(&path).await;
    let mut wire = Wire::connect(stack.address()).await;
    wire.send(
        "GET /api/s HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    )
    .await;
    assert!(wire.read_head().await.starts_with("HTTP/1.1 101"));
    wire.send("ping").await;
    assert_eq!(wire.read_until("ping").await, "welcomeping");
}

#[tokio::test]
async fn an_upstream_whose_file_is_gone_is_away_until_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("api.sock");
    let stack = before(&path).await;
    assert_eq!(stack.anonymous().get("/api/me").await.status, 502);
    let health = stack.anonymous().get("/.nextbnb/health/upstreams").await;
    assert_eq!(health.json()["upstreams"]["/api/"], "unreachable");
    assert_eq!(stack.anonymous().get("/").await.text(), "next");
    let api = StubUpstream::start().await;
    lead_to(&api, &path);
    assert_eq!(stack.anonymous().get("/api/me").await.text(), "hello from upstream");
}

#[tokio::test]
async fn tls_and_http2_are_spoken_at_a_file_too() {
    let certificate = TestCertificate::of(&["a.example"]);
    let tls = certificate.tls();
    let site = site(|config| config.tls = Some(tls)).await;
    let socket = UnixStream::connect(&site.path).await.unwrap();
    let client = TlsClient::new(&[&certificate], &["h2"]);
    let reply = Http2::over(client.over(socket, "a.example").await).await.get("/").await;
    assert_eq!(reply.text(), "hello from upstream");
    assert_eq!(site.stack.upstream.last_request().header("x-forwarded-proto"), Some("https"));
}
