//! Bodies that the gateway does not want, and clients that send them all the same.

use http::StatusCode;
use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::stack::{RunningGateway, Stack, credentials};
use nextbnb_tests::upstream::RawUpstream;
use nextbnb_tests::wire::Wire;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const JSON: &str = "Content-Type: application/json\r\n";

fn head(fields: &str) -> String {
    format!("POST /api/auth/login HTTP/1.1\r\nHost: a\r\n{fields}\r\n")
}

#[tokio::test]
async fn a_body_that_says_it_is_too_large_is_refused_before_it_comes() {
    let stack = Stack::start().await;
    for more in ["", "Expect: 100-continue\r\n"] {
        let mut wire = Wire::connect(stack.address()).await;
        wire.send(head(&format!("{JSON}{more}Content-Length: 102401\r\n"))).await;
        let answer = wire.read_head().await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    }
}

#[tokio::test]
async fn whoever_sends_all_of_a_refused_body_first_reads_the_answer_and_may_go_on() {
    let stack = Stack::start().await;
    let body = "x".repeat(900_000);
    let length = format!("Content-Length: {}\r\n", body.len());
    let chunk = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    for (fields, body, status) in [
        (format!("{JSON}{length}"), &body, StatusCode::PAYLOAD_TOO_LARGE),
        (format!("{JSON}Transfer-Encoding: chunked\r\n"), &chunk, StatusCode::PAYLOAD_TOO_LARGE),
        (length.clone(), &body, StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (format!("Origin: http://evil.example\r\n{length}"), &body, StatusCode::FORBIDDEN),
    ] {
        let mut wire = Wire::connect(stack.address()).await;
        wire.send(head(&fields)).await;
        wire.send(body).await;
        let answer = wire.read_until("}").await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {}", status.as_str())), "{answer}");
        wire.send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert!(wire.read_head().await.starts_with("HTTP/1.1 200"), "{fields}");
    }
}

/// Sends all of a body, then reads; asks for more on the same connection.
async fn sends_first_and_reads_then(gateway: &RunningGateway, status: &str) {
    let body = "x".repeat(900_000);
    let mut wire = Wire::connect(gateway.address()).await;
    wire.send(format!("POST /order HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body.len()))
        .await;
    wire.send(body).await;
    let answer = wire.read_head().await;
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    wire.send("GET /.nextbnb/health HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let answer = wire.read_until("HTTP/1.1 200").await;
    assert!(!answer.contains("400"), "{answer}");
}

#[tokio::test]
async fn whoever_sends_a_body_while_the_upstream_is_away_reads_that_and_may_go_on() {
    let database = TestDatabase::sqlite().await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gateway = RunningGateway::start(database.url(), closed, |_| {}).await;
    sends_first_and_reads_then(&gateway, "502").await;
}

#[tokio::test]
async fn whoever_sends_a_body_to_an_upstream_that_breaks_off_reads_that_and_may_go_on() {
    let upstream = RawUpstream::start(|mut stream, _| async move {
        stream.read_exact(&mut [0; 100]).await.ok(); // Of the head, and is gone.
    })
    .await;
    let database = TestDatabase::sqlite().await;
    let gateway = RunningGateway::start(database.url(), upstream.address(), |_| {}).await;
    sends_first_and_reads_then(&gateway, "502").await;
}

#[tokio::test]
async fn whoever_never_stops_sending_a_refused_body_is_cut() {
    let stack = Stack::start().await;
    let mut stream = TcpStream::connect(stack.address()).await.unwrap();
    stream
        .write_all(head(&format!("{JSON}Content-Length: 99999999999\r\n")).as_bytes())
        .await
        .unwrap();
    let piece = vec![b' '; 1 << 16];
    let sending = async { while stream.write_all(&piece).await.is_ok() {} };
    tokio::time::timeout(std::time::Duration::from_secs(20), sending).await.expect("a cut");
}

#[tokio::test]
async fn whoever_stops_in_the_middle_of_a_refused_body_is_cut() {
    let stack = Stack::start().await;
    let mut stream = TcpStream::connect(stack.address()).await.unwrap();
    stream.write_all(head(&format!("{JSON}Content-Length: 200000\r\n")).as_bytes()).await.unwrap();
    let mut answer = String::new();
    let reading = stream.read_to_string(&mut answer);
    tokio::time::timeout(std::time::Duration::from_secs(20), reading).await.expect("an end").ok();
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    let reply = stack.anonymous().post("/api/auth/login", &credentials("a@b.c", "x")).await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
}
