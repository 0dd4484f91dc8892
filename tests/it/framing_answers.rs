//! Answers of an upstream that can be read in two ways never reach a client so, and their
//! connection is not used again.

use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::stack::RunningGateway;
use nextbnb_tests::upstream::RawUpstream;
use nextbnb_tests::wire::{Wire, exchange};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfresh";

/// Answers the first connection's first request with `answer`, and leaves the connection open;
/// every other request as it should be.
async fn answering_once(answer: &[u8]) -> RawUpstream {
    let answer = answer.to_vec();
    RawUpstream::start(move |mut stream, number| {
        let answer = answer.clone();
        async move {
            let mut answers = (number == 0).then_some(answer).into_iter();
            let mut head = Vec::new();
            while let Ok(1..) = stream.read_buf(&mut head).await {
                if head.ends_with(b"\r\n\r\n") {
                    head.clear();
                    let answer = answers.next().unwrap_or_else(|| OK.as_bytes().to_vec());
                    if stream.write_all(&answer).await.is_err() {
                        return;
                    }
                }
            }
        }
    })
    .await
}

/// What a client reads when the upstream sends `answer` to its `method`, until its connection
/// ends; and that the next request is answered on a new one.
async fn read_through(database: &TestDatabase, method: &str, answer: &[u8]) -> String {
    let upstream = answering_once(answer).await;
    let gateway = RunningGateway::start(database.url(), upstream.address(), |config| {
        config.workers = 1;
        config.limits.response_head = std::time::Duration::from_secs(2);
    })
    .await;
    let request =
        |method: &str| format!("{method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let read = exchange(gateway.address(), request(method)).await;
    let next = exchange(gateway.address(), request("GET")).await;
    assert!(next.ends_with("\r\n\r\nfresh"), "{:?}: {next}", String::from_utf8_lossy(answer));
    read
}

#[tokio::test]
async fn an_answer_with_two_readings_is_a_bad_gateway() {
    let database = TestDatabase::postgres().await;
    let answers: &[&[u8]] = &[
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\r\n folded\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nX : a\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\n: a\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 O\x00K\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 20 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 000 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/2.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.2 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"hello",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nhello",
    ];
    for answer in answers {
        let read = read_through(&database, "GET", answer).await;
        let shown = String::from_utf8_lossy(answer);
        assert!(read.starts_with("HTTP/1.1 502 "), "{shown:?}: {read}");
        assert!(!read.contains("hello"), "{shown:?}: {read}");
    }
}

#[tokio::test]
async fn a_head_without_an_end_is_no_answer() {
    let database = TestDatabase::postgres().await;
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: 1\r\n".repeat(101));
    let large = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(1 << 20));
    for answer in [many, large] {
        let read = read_through(&database, "GET", answer.as_bytes()).await;
        assert!(read.starts_with("HTTP/1.1 502 "), "{read}");
    }
    let silent = read_through(&database, "GET", b"HTTP/1.1 200 OK\r\nX: ").await;
    assert!(silent.starts_with("HTTP/1.1 504 "), "{silent}");
}

#[tokio::test]
async fn interim_answers_are_no_answer_however_many() {
    let database = TestDatabase::postgres().await;
    let flood = "HTTP/1.1 102 Processing\r\n\r\n".repeat(1000);
    let read = read_through(&database, "GET", flood.as_bytes()).await;
    assert!(read.starts_with("HTTP/1.1 504 "), "{read}");
    let interim = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n\
                   HTTP/1.1 100 Continue\r\n\r\n";
    let last = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello";
    let read = read_through(&database, "GET", format!("{interim}{last}").as_bytes()).await;
    assert!(read.starts_with("HTTP/1.1 200 ") && read.ends_with("\r\n\r\nhello"), "{read}");
    assert!(!read.to_lowercase().contains("link"), "{read}");
}

#[tokio::test]
async fn an_answer_that_breaks_off_breaks_off_for_the_client_too() {
    let database = TestDatabase::postgres().await;
    for body in ["5\r\nhello\r\nnonsense\r\n", "5\r\nhelloX\r\n0\r\n\r\n", "5\r\nhello\r\n-1\r\n"] {
        let answer = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
        let read = read_through(&database, "GET", answer.as_bytes()).await;
        assert!(!read.ends_with("0\r\n\r\n"), "{body:?}: {read}");
    }
}

#[tokio::test]
async fn what_comes_behind_an_answer_is_nobodys() {
    let database = TestDatabase::postgres().await;
    let smuggled = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled";
    for (method, answer, end) in [
        ("GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "\r\n\r\nhello"),
        (
            "GET",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            "5\r\nhello\r\n0\r\n\r\n",
        ),
        ("GET", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", "\r\n\r\n"),
        ("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "\r\n\r\n"),
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "\r\n\r\n"),
    ] {
        let read = read_through(&database, method, format!("{answer}{smuggled}").as_bytes()).await;
        assert!(read.ends_with(end) && !read.contains("smuggled"), "{answer}: {read}");
        assert_eq!(read.matches("HTTP/1.1").count(), 1, "{answer}: {read}");
        let length = read.to_lowercase().matches("content-length: 5").count();
        // hyper leaves it out of a 304, which may have it.
        let is_told = answer.contains("200") && !answer.contains("chunked");
        assert_eq!(length, usize::from(is_told), "{answer}: {read}");
    }
}

#[tokio::test]
async fn a_body_where_there_is_none_never_reaches_the_next_answer_however_late_it_comes() {
    for (method, answer) in [
        ("GET", "HTTP/1.1 204 No Content\r\nContent-Length: 60\r\n\r\n"),
        ("GET", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 60\r\n\r\n"),
        ("GET", "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n"),
        ("HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ] {
        let (gateway, _upstream, _database) = before_late(answer).await;
        let mut wire = Wire::connect(gateway.address()).await;
        wire.send(format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        wire.read_head().await;
        wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let next = wire.read_until("\r\n\r\nfresh").await;
        assert!(next.starts_with("HTTP/1.1 200"), "{answer}: {next}");
    }
}

#[tokio::test]
async fn a_connection_on_which_no_body_was_told_of_is_used_again() {
    let none = "HTTP/1.1 204 No Content\r\n\r\n";
    let (gateway, _upstream, _database) = before_late(none).await;
    let mut wire = Wire::connect(gateway.address()).await;
    wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    wire.read_head().await;
    wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let next = wire.read_until("\r\n\r\nsmuggled").await;
    assert!(next.starts_with("HTTP/1.1 200"), "the test's own upstream smuggles there: {next}");
}

/// Before an upstream that answers with `answer`, and whatever is asked next on that connection by
/// what it had still to send; on any other as it should.
async fn before_late(answer: &'static str) -> (RunningGateway, RawUpstream, TestDatabase) {
    const LATE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled";
    let upstream = RawUpstream::start(move |mut stream, number| async move {
        let answers = if number == 0 { [answer, LATE] } else { [OK; 2] };
        for answer in answers {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                if !matches!(stream.read_buf(&mut head).await, Ok(1..)) {
                    return;
                }
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    })
    .await;
    let database = TestDatabase::sqlite().await;
    let gateway = RunningGateway::start(database.url(), upstream.address(), |config| {
        config.workers = 1;
    })
    .await;
    (gateway, upstream, database)
}

#[tokio::test]
async fn an_answer_that_ends_with_its_connection_is_whole_and_framed_anew() {
    let upstream = RawUpstream::start(|mut stream, _| async move {
        assert_ne!(stream.read(&mut [0; 4096]).await.unwrap(), 0);
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nhello").await.unwrap();
    })
    .await;
    let database = TestDatabase::postgres().await;
    let gateway = RunningGateway::start(database.url(), upstream.address(), |_| {}).await;
    let mut wire = Wire::connect(gateway.address()).await;
    for _ in 0..2 {
        wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let head = wire.read_head().await.to_lowercase();
        assert!(head.contains("transfer-encoding: chunked"), "{head}");
        assert_eq!(wire.read_until("0\r\n\r\n").await, "5\r\nhello\r\n0\r\n\r\n");
    }
}

#[tokio::test]
async fn trailers_of_an_answer_stay_behind() {
    let answer = b"HTTP/1.1 200 OK\r\nTrailer: Set-Cookie, X-Forwarded-User\r\n\
                   Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nSet-Cookie: nextbnb=evil\r\n\
                   X-Forwarded-User: 1\r\nContent-Length: 0\r\n\r\n";
    let upstream = answering_once(answer).await;
    let database = TestDatabase::postgres().await;
    let gateway = RunningGateway::start(database.url(), upstream.address(), |_| {}).await;
    let request = "GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: close, te\r\n\r\n";
    let read = exchange(gateway.address(), request).await;
    assert!(read.ends_with("5\r\nhello\r\n0\r\n\r\n"), "{read}");
    assert!(!read.contains("evil") && !read.to_lowercase().contains("trailer"), "{read}");
}
