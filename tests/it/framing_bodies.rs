//! Request bodies: what the upstream is sent of them has one end.

use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::stack::{RunningGateway, Stack};
use nextbnb_tests::upstream::RawUpstream;
use nextbnb_tests::wire::{Wire, exchange};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

/// Tells everything that came on a connection, when it has ended; never answers.
async fn recording_upstream() -> (RawUpstream, mpsc::UnboundedReceiver<String>) {
    let (tell, told) = mpsc::unbounded_channel();
    let upstream = RawUpstream::start(move |mut stream, _| {
        let tell = tell.clone();
        async move {
            let mut all = Vec::new();
            drop(stream.read_to_end(&mut all).await); // A reset is an end too.
            tell.send(String::from_utf8_lossy(&all).into_owned()).unwrap();
        }
    });
    (upstream.await, told)
}

#[tokio::test]
async fn a_malformed_chunk_ends_the_request_on_both_sides() {
    let (upstream, mut told) = recording_upstream().await;
    let database = TestDatabase::postgres().await;
    let gateway = RunningGateway::start(database.url(), upstream.address(), |_| {}).await;
    let long = format!("5;{}\r\nhello\r\n0\r\n\r\n", "x".repeat(17 * 1024));
    let bodies = [
        "+5\r\nhello\r\n0\r\n\r\n",
        "-5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "5g\r\nhello\r\n0\r\n\r\n",
        "\r\nhello\r\n0\r\n\r\n",
        ";a=b\r\nhello\r\n0\r\n\r\n",
        "5\rhello\r\n0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5;a\nb\r\nhello\r\n0\r\n\r\n",
        "5;a=\"\n\"\r\nhello\r\n0\r\n\r\n",
        "5 6\r\nhello\r\n0\r\n\r\n",
        "5\r\nhelloX\r\n0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        "5\r\nhello\r\r\n0\r\n\r\n",
        "ffffffffffffffff1\r\nhello\r\n0\r\n\r\n",
        "10000000000000005\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\r\n0\r\nX: a\rb\r\n\r\n",
        "5\r\nhello\r\n0\r\nno field\r\n\r\n",
        &long,
    ];
    for body in bodies {
        let next = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
        let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        let answer = exchange(gateway.address(), format!("{head}{body}{next}")).await;
        let shown = &body[..body.len().min(40)];
        assert!(answer.starts_with("HTTP/1.1 400"), "{shown:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{shown:?}: {answer}");
        let seen = told.recv().await.unwrap();
        assert!(!seen.contains("smuggled") && !seen.ends_with("0\r\n\r\n"), "{shown:?}: {seen:?}");
    }
}

#[tokio::test]
async fn a_body_without_its_last_line_end_is_not_passed_on_as_whole() {
    let (upstream, mut told) = recording_upstream().await;
    let database = TestDatabase::postgres().await;
    let gateway = RunningGateway::start(database.url(), upstream.address(), |_| {}).await;
    for body in ["5\r\nhello\r\n0\r\n", "5\r\nhello\r\n0", "5\r\nhello\r\n", "5\r\nhel"] {
        let mut wire = Wire::connect(gateway.address()).await;
        let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        wire.send(format!("{head}{body}")).await;
        wire.end().await;
        assert!(wire.read_to_end().await.starts_with("HTTP/1.1 400"), "{body:?}");
        assert!(!told.recv().await.unwrap().ends_with("0\r\n\r\n"), "{body:?}");
    }
}

#[tokio::test]
async fn chunks_are_made_anew_and_their_extensions_stay_behind() {
    let (upstream, mut told) = recording_upstream().await;
    let database = TestDatabase::postgres().await;
    let gateway = RunningGateway::start(database.url(), upstream.address(), |config| {
        config.limits.response_head = std::time::Duration::from_secs(1);
    })
    .await;
    let body = "5;a=b;c=\"quoted; \\\" 0\"\r\nhello\r\n05 \r\nworld\r\n000\r\nX-Trailer: a\r\n\r\n";
    let head = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: CHUNKED\r\nTrailer: x-trailer\r\n\r\n";
    let answer = exchange(gateway.address(), format!("{head}{body}")).await;
    assert!(answer.starts_with("HTTP/1.1 504"), "{answer}");
    let seen = told.recv().await.unwrap();
    let (head, body) = seen.split_once("\r\n\r\n").unwrap();
    assert_eq!(head.matches("transfer-encoding: chunked").count(), 1, "{head}");
    assert!(!head.contains("trailer"), "{head}");
    let plain: Vec<_> = body.split("\r\n").collect();
    let text: String = plain.chunks(2).filter_map(|chunk| chunk.get(1).copied()).collect();
    assert_eq!(text, "helloworld", "{body:?}");
    assert!(!body.contains("quoted") && body.ends_with("0\r\n\r\n"), "{body:?}");
}

#[tokio::test]
async fn of_a_length_and_chunks_the_chunks_count_and_the_connection_ends() {
    for fields in [
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n",
    ] {
        let stack = Stack::start().await;
        let head = format!("POST /one HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        let next = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
        let answer =
            exchange(stack.address(), format!("{head}5\r\nhello\r\n0\r\n\r\n{next}")).await;
        assert_eq!(answer.matches("HTTP/1.1 200").count(), 1, "{fields}: {answer}");
        let [seen] = stack.upstream.seen().try_into().unwrap();
        assert_eq!(seen.header("content-length"), None);
        assert_eq!(seen.header("transfer-encoding"), Some("chunked"));
    }
}

#[tokio::test]
async fn a_body_in_chunks_of_whatever_method_is_passed_on() {
    for method in ["GET", "HEAD", "POST", "DELETE"] {
        let (upstream, mut told) = answering_upstream().await;
        let database = TestDatabase::sqlite().await;
        let gateway = RunningGateway::start(database.url(), upstream.address(), |_| {}).await;
        let fields = "Host: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n";
        let body = "5\r\nhello\r\n0\r\n\r\n";
        let request = format!("{method} / HTTP/1.1\r\n{fields}\r\n{body}");
        let answer = exchange(gateway.address(), request).await;
        assert!(answer.starts_with("HTTP/1.1 204"), "{method}: {answer}");
        assert_eq!(told.recv().await.unwrap(), body, "{method}");
    }
}

/// Tells a request's body, and answers.
async fn answering_upstream() -> (RawUpstream, mpsc::UnboundedReceiver<String>) {
    let (tell, told) = mpsc::unbounded_channel();
    let upstream = RawUpstream::start(move |mut stream, _| {
        let tell = tell.clone();
        async move {
            let mut all = Vec::new();
            while !all.ends_with(b"\r\n0\r\n\r\n") {
                assert_ne!(stream.read_buf(&mut all).await.unwrap(), 0);
            }
            let all = String::from_utf8(all).unwrap();
            tell.send(all.split_once("\r\n\r\n").unwrap().1.to_owned()).unwrap();
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        }
    });
    (upstream.await, told)
}
