//! TLS: what is served over it, and with which certificate.

use std::sync::Arc;
use std::time::Duration;

use http::{Request, StatusCode};
use http_body_util::Full;
use nextbnb_gateway::gateway::hsts::Hsts;
use nextbnb_gateway::server::tls::Tls;
use nextbnb_tests::http2::Http2;
use nextbnb_tests::stack::{Stack, registration};
use nextbnb_tests::tls::{TestCertificate, TlsClient};
use nextbnb_tests::upstream::{StubUpstream, text};
use nextbnb_tests::wait_until;
use nextbnb_tests::websocket::{WebSocket, socket_upstream};
use nextbnb_tests::wire::{Wire, exchange};
use rustls::{HandshakeKind, ProtocolVersion};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

const H1: &[&str] = &["http/1.1"];
const H2: &[&str] = &["h2", "http/1.1"];

async fn before(upstream: StubUpstream, tls: Arc<Tls>) -> Stack {
    Stack::with(upstream, |config| {
        config.tls = Some(tls);
        config.hsts = Hsts::of(Duration::from_hours(24));
        config.limits.certificate_check = Duration::from_millis(50);
    })
    .await
}

async fn stack(certificate: &TestCertificate) -> Stack {
    before(StubUpstream::start().await, certificate.tls()).await
}

/// Asks for `path` in HTTP/1.1 on a stream that stays open; the answer's head and word.
async fn ask(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: a.example\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    read_until(stream, "hello from upstream").await
}

async fn read_until(stream: &mut (impl AsyncRead + Unpin), end: &str) -> String {
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains(end) {
        let came = stream.read_buf(&mut read).await.unwrap();
        assert_ne!(came, 0, "{}", String::from_utf8_lossy(&read));
    }
    String::from_utf8(read).unwrap()
}

#[tokio::test]
async fn http1_is_spoken_over_tls_and_the_upstream_learns_it() {
    let certificate = TestCertificate::of(&["a.example"]);
    let stack = stack(&certificate).await;
    let mut stream =
        TlsClient::new(&[&certificate], H1).connect(stack.address(), "a.example").await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    assert_eq!(stream.get_ref().1.protocol_version(), Some(ProtocolVersion::TLSv1_3));
    let answer = ask(&mut stream, "/").await;
    assert!(answer.contains("strict-transport-security: max-age=86400"), "{answer}");
    assert!(answer.contains("x-content-type-options: nosniff"), "{answer}");
    let seen = stack.upstream.last_request();
    assert_eq!(seen.header("x-forwarded-proto"), Some("https"));
    assert_eq!(seen.header("x-forwarded-port"), Some("443"));
    assert!(ask(&mut stream, "/again").await.starts_with("HTTP/1.1 200"), "the connection is kept");
}

#[tokio::test]
async fn http2_is_chosen_by_clients_that_know_it_and_a_sign_in_sets_a_secure_cookie() {
    let certificate = TestCertificate::of(&["a.example"]);
    let stack = stack(&certificate).await;
    let stream = TlsClient::new(&[&certificate], H2).connect(stack.address(), "a.example").await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let mut client = Http2::over(stream).await;
    let post = |origin: &str| {
        Request::post("https://a.example/api/auth/register")
            .header("content-type", "application/json")
            .header("origin", origin)
            .body(Full::from(registration("ada@example.com").to_string()))
            .unwrap()
    };
    let foreign = client.send(post("http://a.example")).await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN, "that page is another's: it is plain");
    let reply = client.send(post("https://a.example")).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    let cookie = reply.header("set-cookie").unwrap().to_owned();
    assert!(cookie.contains("; Secure"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    let page = Request::get("https://a.example/").header("cookie", cookie);
    let page = client.send(page.body(Full::default()).unwrap()).await;
    assert_eq!(page.header("strict-transport-security"), Some("max-age=86400"));
    assert_eq!(stack.upstream.last_request().header("x-forwarded-email"), Some("ada@example.com"));
}

#[tokio::test]
async fn what_the_upstream_says_of_its_answers_stays() {
    const OWN: [(&str, &str); 3] = [
        ("strict-transport-security", "max-age=5; includeSubDomains"),
        ("x-content-type-options", "own"),
        ("content-security-policy", "default-src 'self'"),
    ];
    let upstream = StubUpstream::answering(|_| async {
        let mut response = text("hello from upstream");
        for (name, value) in OWN {
            response.headers_mut().insert(name, value.parse().unwrap());
        }
        response
    });
    let certificate = TestCertificate::of(&["a.example"]);
    let stack = before(upstream.await, certificate.tls()).await;
    let stream = TlsClient::new(&[&certificate], H2).connect(stack.address(), "a.example").await;
    let reply = Http2::over(stream).await.get("/").await;
    for (name, value) in OWN {
        assert_eq!(reply.header(name), Some(value));
    }
}

#[tokio::test]
async fn each_name_has_its_certificate_and_any_other_name_the_first() {
    let first = TestCertificate::of(&["a.example"]);
    let second = TestCertificate::of(&["*.b.example", "b.example"]);
    let tls = Arc::new(Tls::read(vec![first.files(), second.files()]).unwrap());
    let stack = before(StubUpstream::start().await, tls).await;
    let serves = async |certificate: &TestCertificate, name: &str| {
        TlsClient::new(&[certificate], H1).try_connect(stack.address(), name).await.is_ok()
    };
    assert!(serves(&first, "a.example").await);
    assert!(serves(&second, "b.example").await);
    assert!(serves(&second, "www.b.example").await);
    assert!(!serves(&first, "www.b.example").await);
    let refused = TlsClient::new(&[&first], H1).try_connect(stack.address(), "c.example").await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("not valid for name"), "another than the first: {refused}");
}

#[tokio::test]
async fn a_session_is_resumed_whichever_worker_takes_the_connection() {
    let certificate = TestCertificate::of(&["a.example"]);
    let stack = stack(&certificate).await;
    let client = TlsClient::new(&[&certificate], H1);
    let mut kinds = Vec::new();
    for _ in 0..20 {
        let mut stream = client.connect(stack.address(), "a.example").await;
        ask(&mut stream, "/").await; // Tickets come behind the handshake.
        kinds.push(stream.get_ref().1.handshake_kind().unwrap());
    }
    assert_eq!(kinds[0], HandshakeKind::Full);
    assert!(kinds[1..].iter().all(|kind| *kind == HandshakeKind::Resumed), "{kinds:?}");
}

#[tokio::test]
async fn a_renewed_certificate_is_served_and_open_connections_stay() {
    let mut certificate = TestCertificate::of(&["a.example"]);
    let tls = certificate.tls();
    let stack = before(StubUpstream::start().await, tls.clone()).await;
    let old_client = TlsClient::new(&[&certificate], H1);
    let mut open = old_client.connect(stack.address(), "a.example").await;
    ask(&mut open, "/").await;
    certificate.renew(&["a.example"]);
    let client = TlsClient::new(&[&certificate], H1);
    wait_until("the new certificate is served", async || {
        client.try_connect(stack.address(), "a.example").await.is_ok()
    })
    .await;
    assert!(ask(&mut open, "/").await.starts_with("HTTP/1.1 200"));
    std::fs::write(certificate.files().certificate, "no certificate").unwrap();
    assert!(tls.read_again().is_err(), "as it is when the file is seen to be another");
    client.connect(stack.address(), "a.example").await;
}

#[tokio::test]
async fn a_certificate_behind_a_link_is_renewed_when_the_link_is_moved() {
    let (old, new) = (TestCertificate::of(&["a.example"]), TestCertificate::of(&["a.example"]));
    let folder = tempfile::TempDir::new().unwrap();
    let (link, next) = (folder.path().join("data"), folder.path().join("next"));
    std::os::unix::fs::symlink(old.files().certificate.parent().unwrap(), &link).unwrap();
    let files = nextbnb_gateway::server::certificates::CertificateFiles {
        certificate: link.join("fullchain.pem"),
        key: link.join("privkey.pem"),
    };
    let stack =
        before(StubUpstream::start().await, Arc::new(Tls::read(vec![files]).unwrap())).await;
    TlsClient::new(&[&old], H1).connect(stack.address(), "a.example").await;
    std::os::unix::fs::symlink(new.files().certificate.parent().unwrap(), &next).unwrap();
    std::fs::rename(&next, &link).unwrap();
    let client = TlsClient::new(&[&new], H1);
    wait_until("the new certificate is served", async || {
        client.try_connect(stack.address(), "a.example").await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn plain_http_is_told_to_speak_tls() {
    let certificate = TestCertificate::of(&["a.example"]);
    let stack = stack(&certificate).await;
    let answer = exchange(stack.address(), "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(answer.contains("https://"), "{answer}");
    assert!(stack.upstream.seen().is_empty());
}

#[tokio::test]
async fn a_handshake_that_is_not_finished_is_cut() {
    let certificate = TestCertificate::of(&["a.example"]);
    let stack = Stack::with(StubUpstream::start().await, |config| {
        config.tls = Some(certificate.tls());
        config.limits.request_head = Duration::from_secs(1);
    })
    .await;
    let mut half = Wire::connect(stack.address()).await;
    half.send(b"\x16\x03\x01\x02\x00\x01\x00").await;
    assert_eq!(half.read_to_end().await, "");
    let stream = TlsClient::new(&[&certificate], H1).connect(stack.address(), "a.example").await;
    let mut silent = stream;
    let mut rest = Vec::new();
    drop(silent.read_to_end(&mut rest).await); // With or without a word of farewell.
    assert!(rest.is_empty());
}

#[tokio::test]
async fn a_socket_over_tls_is_closed_with_its_session() {
    let (upstream, mut told) = socket_upstream().await;
    let certificate = TestCertificate::of(&["a.example"]);
    let stack = before(upstream, certificate.tls()).await;
    let stream = TlsClient::new(&[&certificate], H2).connect(stack.address(), "a.example").await;
    let mut client = Http2::over(stream).await;
    let post = |path: &str, cookie: &str, json: serde_json::Value| {
        Request::post(format!("https://a.example{path}"))
            .header("content-type", "application/json")
            .header("origin", "https://a.example")
            .header("cookie", cookie)
            .body(Full::from(json.to_string()))
            .unwrap()
    };
    let register = post("/api/auth/register", "", registration("ada@example.com"));
    let reply = client.send(register).await;
    let cookie = reply.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let stream = TlsClient::new(&[&certificate], H1).connect(stack.address(), "a.example").await;
    let request = Request::get("/socket").header("host", "a.example").header("cookie", &cookie);
    let mut socket = WebSocket::over(stream, request.header("origin", "https://a.example")).await;
    assert!(socket.is_open().await);
    client.send(post("/api/auth/logout", &cookie, serde_json::json!({}))).await;
    assert_eq!(socket.closed().await, Some(1008));
    assert_eq!(told.recv().await.unwrap(), Some(1008));
}

#[tokio::test]
async fn a_socket_runs_over_tls() {
    let upstream = nextbnb_tests::upstream::RawUpstream::start(|mut stream, _| async move {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            assert_ne!(stream.read_buf(&mut head).await.unwrap(), 0);
        }
        let switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
                         Upgrade: websocket\r\n\r\n";
        stream.write_all(switching.as_bytes()).await.unwrap();
        let (mut from, mut to) = stream.split();
        tokio::io::copy(&mut from, &mut to).await.unwrap();
    })
    .await;
    let certificate = TestCertificate::of(&["a.example"]);
    let database = nextbnb_tests::database::TestDatabase::postgres().await;
    let tls = certificate.tls();
    let gateway =
        nextbnb_tests::stack::RunningGateway::start(database.url(), upstream.address(), |config| {
            config.tls = Some(tls);
        })
        .await;
    let mut stream =
        TlsClient::new(&[&certificate], H1).connect(gateway.address(), "a.example").await;
    let request = "GET /socket HTTP/1.1\r\nHost: a.example\r\nOrigin: https://a.example\r\n\
                   Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    assert!(read_until(&mut stream, "\r\n\r\n").await.starts_with("HTTP/1.1 101"));
    stream.write_all(b"echo").await.unwrap();
    assert_eq!(read_until(&mut stream, "echo").await, "echo");
}
