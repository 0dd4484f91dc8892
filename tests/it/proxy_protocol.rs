//! Connections that begin with a header of the PROXY protocol (`--proxy-protocol`).

use std::time::Duration;

use nextbnb_gateway::config::Config;
use nextbnb_gateway::downstream::front::ProxyProtocol;
use nextbnb_gateway::downstream::proxy_protocol::LOCAL_HEADER;
use nextbnb_gateway::server::listen_at::ListenAt;
use nextbnb_tests::http2::Http2;
use nextbnb_tests::stack::Stack;
use nextbnb_tests::tls::{TestCertificate, TlsClient};
use nextbnb_tests::upstream::StubUpstream;
use nextbnb_tests::wire::{Wire, exchange};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const VERSION_1: &[u8] = b"PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\r\n";
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const LAST_REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/// Version 2, TCP over IPv6, from `2001:db8::7`, with something that is no address behind.
fn version_2() -> Vec<u8> {
    let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x2b".to_vec();
    header.extend([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]);
    header.extend([0; 16]);
    header.extend([0x12, 0x67, 1, 0xbb, 4, 0, 4, 1, 2, 3, 4]);
    header
}

async fn stack(trusted: &[&str], change: impl FnOnce(&mut Config)) -> Stack {
    Stack::with(StubUpstream::start().await, |config| {
        config.front.proxy_protocol = ProxyProtocol::Required;
        for trusted in trusted {
            config.front.trusted.add(trusted).unwrap();
        }
        change(config);
    })
    .await
}

#[track_caller]
fn assert_client(stack: &Stack, expected: &str) {
    assert_eq!(stack.upstream.last_request().header("x-forwarded-for"), Some(expected));
}

#[tokio::test]
async fn every_request_of_the_connection_is_the_named_clients() {
    let stack = stack(&[], |_| {}).await;
    for (header, client) in [(VERSION_1, "203.0.113.7"), (&version_2(), "2001:db8::7")] {
        let mut wire = Wire::connect(stack.address()).await;
        wire.send([header, REQUEST].concat()).await;
        wire.read_until("hello from upstream").await;
        assert_client(&stack, client);
        wire.send(LAST_REQUEST).await;
        assert!(wire.read_to_end().await.contains("200 OK"));
        assert_client(&stack, client);
    }
    assert_eq!(stack.upstream.seen().len(), 4);
}

#[tokio::test]
async fn a_header_may_come_byte_by_byte() {
    let stack = stack(&[], |_| {}).await;
    for header in [VERSION_1, &version_2()] {
        let mut wire = Wire::connect(stack.address()).await;
        for byte in [header, LAST_REQUEST].concat() {
            wire.send([byte]).await;
            tokio::task::yield_now().await;
        }
        assert!(wire.read_to_end().await.starts_with("HTTP/1.1 200"));
    }
}

#[tokio::test]
async fn a_connection_without_a_header_is_closed_unanswered() {
    let stack = stack(&[], |_| {}).await;
    for bytes in [LAST_REQUEST, b"\r\n\r\n\0\r\nQUIT\n\x11\x11\0\0", b"PROXY TCP4 x\r\n\r\n"] {
        assert_eq!(exchange(stack.address(), bytes).await, "");
    }
    assert!(stack.upstream.seen().is_empty());
}

#[tokio::test]
async fn a_header_in_the_middle_of_a_connection_is_no_header() {
    let stack = stack(&[], |_| {}).await;
    let bytes = [VERSION_1, REQUEST, VERSION_1, LAST_REQUEST].concat();
    let answers = exchange(stack.address(), bytes).await;
    assert!(answers.contains("200 OK") && answers.contains("400 Bad Request"), "{answers}");
    assert_eq!(stack.upstream.seen().len(), 1);
}

#[tokio::test]
async fn who_is_no_trusted_proxy_may_send_none_but_a_health_checks() {
    let stack = stack(&["10.0.0.0/8"], |_| {}).await;
    for header in [VERSION_1, &version_2()] {
        assert_eq!(exchange(stack.address(), [header, LAST_REQUEST].concat()).await, "");
    }
    assert!(stack.upstream.seen().is_empty());
    let health = exchange(stack.address(), [&LOCAL_HEADER, LAST_REQUEST].concat()).await;
    assert!(health.starts_with("HTTP/1.1 200"), "{health}");
    assert_client(&stack, "127.0.0.1");
}

#[tokio::test]
async fn what_the_client_behind_the_proxy_says_is_not_believed() {
    let stack = stack(&["loopback"], |_| {}).await;
    let forged = b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6\r\n\
                   X-Forwarded-Proto: https\r\nConnection: close\r\n\r\n";
    for (header, client) in [(VERSION_1, "203.0.113.7"), (b"PROXY UNKNOWN\r\n", "127.0.0.1")] {
        exchange(stack.address(), [header, forged].concat()).await;
        assert_client(&stack, client);
        assert_eq!(stack.upstream.last_request().header("x-forwarded-proto"), Some("http"));
    }
    // A second proxy that is trusted as well is believed in its turn.
    let inner = b"PROXY TCP4 127.0.0.9 127.0.0.1 1 2\r\n";
    exchange(stack.address(), [&inner[..], forged].concat()).await;
    assert_client(&stack, "6.6.6.6");
}

#[tokio::test]
async fn who_sends_no_header_in_time_is_cut() {
    let stack = stack(&[], |config| config.limits.request_head = Duration::from_millis(200)).await;
    for bytes in [&b""[..], b"PROXY TCP4 203", &version_2()[..20]] {
        assert_eq!(exchange(stack.address(), bytes).await, "");
    }
}

#[tokio::test]
async fn a_connection_without_a_header_does_not_hold_up_the_end() {
    let stack = stack(&[], |config| {
        config.drain = Duration::from_mins(10);
        config.limits.request_head = Duration::from_mins(10);
    })
    .await;
    let mut half = Wire::connect(stack.address()).await;
    half.send("PROXY TCP4 203").await;
    let other = Wire::connect(stack.address()).await;
    let ended = tokio::time::timeout(Duration::from_mins(1), stack.stop()).await;
    assert!(ended.is_ok(), "the end waits for a header");
    drop((half, other));
}

#[tokio::test]
async fn a_unix_socket_wants_it_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.sock");
    let place = ListenAt::Unix { path: path.clone(), mode: 0o600 };
    let stack = stack(&[], |config| config.listen.push(place)).await;
    let mut wire = Wire::connect_at(&path).await;
    wire.send([VERSION_1, LAST_REQUEST].concat()).await;
    assert!(wire.read_to_end().await.starts_with("HTTP/1.1 200"));
    assert_client(&stack, "203.0.113.7");
    let mut wire = Wire::connect_at(&path).await;
    wire.send(LAST_REQUEST).await;
    assert_eq!(wire.read_to_end().await, "");
}

#[tokio::test]
async fn the_header_comes_before_tls() {
    let certificate = TestCertificate::of(&["a.example"]);
    let tls = certificate.tls();
    let stack = stack(&[], |config| config.tls = Some(tls)).await;
    let mut socket = TcpStream::connect(stack.address()).await.unwrap();
    socket.write_all(VERSION_1).await.unwrap();
    let client = TlsClient::new(&[&certificate], &["h2"]);
    let reply = Http2::over(client.over(socket, "a.example").await).await.get("/").await;
    assert_eq!(reply.status, 200);
    assert_client(&stack, "203.0.113.7");
    assert_eq!(stack.upstream.last_request().header("x-forwarded-proto"), Some("https"));
}
