//! Uploads and answers at the same time, and the connection to the upstream afterwards.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::stack::{RunningGateway, Stack};
use nextbnb_tests::upstream::{RawUpstream, StubUpstream};
use nextbnb_tests::wire::Wire;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Notify, mpsc};

#[tokio::test]
async fn an_upload_and_its_answer_pass_at_once_and_whole() {
    let upstream = StubUpstream::answering(|request| async move {
        let body = request.into_body().map_err(|error| -> Infallible { panic!("{error}") });
        Response::new(body.boxed_unsync()) // Sends back what comes, as it comes.
    });
    let stack = Stack::with(upstream.await, |config| config.workers = 1).await;
    let sent: Vec<u8> = (0..8 << 20).map(|number: u32| (number % 251).to_le_bytes()[0]).collect();
    for _ in 0..2 {
        let request = Request::post("/").body(Full::from(sent.clone())).unwrap();
        let answer = stack.anonymous().start(request).await.into_body().collect().await.unwrap();
        assert!(answer.to_bytes() == sent, "something else came back");
    }
    assert_eq!(stack.upstream.connections(), 1);
}

#[tokio::test]
async fn an_upload_goes_on_behind_its_answer() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let upstream = RawUpstream::start(move |mut stream, _| {
        let tell = tell.clone();
        async move {
            let mut read = Vec::new();
            while !read.ends_with(b"hello") {
                assert_ne!(stream.read_buf(&mut read).await.unwrap(), 0);
            }
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nknown";
            stream.write_all(answer).await.unwrap();
            while !read.ends_with(b"world") {
                assert_ne!(stream.read_buf(&mut read).await.unwrap(), 0);
            }
            tell.send(()).unwrap();
        }
    })
    .await;
    let database = TestDatabase::postgres().await;
    let gateway = RunningGateway::start(database.url(), upstream.address(), |_| {}).await;
    let mut wire = Wire::connect(gateway.address()).await;
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello").await;
    wire.read_until("known").await;
    wire.send("world").await;
    let waited = tokio::time::timeout(Duration::from_secs(30), told.recv()).await;
    waited.expect("the rest did not come").unwrap();
}

#[tokio::test]
async fn a_connection_whose_answer_came_before_the_upload_was_over_is_used_again() {
    for (fields, pieces) in [
        ("Content-Length: 10", ["hello", "world"]),
        ("Transfer-Encoding: chunked", ["5\r\nhello\r\n", "5\r\nworld\r\n0\r\n\r\n"]),
    ] {
        let (tell, mut told) = mpsc::unbounded_channel();
        let upstream = RawUpstream::start(move |mut stream, number| {
            let tell = tell.clone();
            async move {
                let mut read = Vec::new();
                for end in [pieces[0], pieces[1], "\r\n\r\n"] {
                    while !read.ends_with(end.as_bytes()) {
                        assert_ne!(stream.read_buf(&mut read).await.unwrap(), 0);
                    }
                    read.clear();
                    if end == pieces[1] {
                        tell.send(()).unwrap();
                    } else {
                        let answer =
                            format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{number}");
                        stream.write_all(answer.as_bytes()).await.unwrap();
                    }
                }
            }
        })
        .await;
        let database = TestDatabase::sqlite().await;
        let gateway = RunningGateway::start(database.url(), upstream.address(), |config| {
            config.workers = 1;
        })
        .await;
        let mut wire = Wire::connect(gateway.address()).await;
        wire.send(format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n{}", pieces[0])).await;
        wire.read_until("\r\n\r\n0").await;
        wire.send(pieces[1]).await;
        told.recv().await.unwrap();
        wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        wire.read_until("\r\n\r\n0").await;
    }
}

#[tokio::test]
async fn while_an_upload_goes_on_behind_its_answer_nobody_else_gets_its_connection() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let upstream = RawUpstream::start(move |mut stream, number| {
        let tell = tell.clone();
        async move {
            let mut read = Vec::new();
            while let Ok(1..) = stream.read_buf(&mut read).await {
                let is_asked = read.starts_with(b"GET") && read.ends_with(b"\r\n\r\n");
                if is_asked || read.ends_with(b"hello\r\n") {
                    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{number}");
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            }
            tell.send((number, String::from_utf8(read).unwrap())).unwrap();
        }
    })
    .await;
    let database = TestDatabase::sqlite().await;
    let gateway = RunningGateway::start(database.url(), upstream.address(), |config| {
        config.workers = 1;
    })
    .await;
    let mut uploading = Wire::connect(gateway.address()).await;
    let chunk = "Transfer-Encoding: chunked\r\n\r\nff\r\nhello";
    uploading.send(format!("POST / HTTP/1.1\r\nHost: a\r\n{chunk}")).await;
    uploading.read_until("\r\n\r\n0").await;
    let next = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut other = Wire::connect(gateway.address()).await;
    other.send(next).await;
    other.read_until("\r\n\r\n1").await;
    drop(uploading); // In the middle of a chunk.
    let (number, read) = told.recv().await.unwrap();
    assert_eq!(number, 0, "its connection ends with it");
    assert!(!read.contains("/next"), "{read}");
    other.send(next).await;
    other.read_until("\r\n\r\n1").await;
}

/// Answers each request; on the first connection it says what is `behind` when it is told that it
/// rests, or closes it where that is nothing, and tells.
async fn closing_while_resting(
    behind: &'static [u8],
    rests: Arc<Notify>,
) -> (RawUpstream, mpsc::UnboundedReceiver<()>) {
    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let (tell, told) = mpsc::unbounded_channel();
    let upstream = RawUpstream::start(move |mut stream, number| {
        let (tell, rests) = (tell.clone(), rests.clone());
        async move {
            let mut request = [0; 4096];
            while stream.read(&mut request).await.is_ok_and(|read| read > 0) {
                stream.write_all(ANSWER).await.unwrap();
                if number == 0 {
                    rests.notified().await;
                    stream.write_all(behind).await.unwrap();
                    if behind.is_empty() {
                        drop(stream);
                        return tell.send(()).unwrap();
                    }
                    tell.send(()).unwrap();
                }
            }
        }
    });
    (upstream.await, told)
}

#[tokio::test]
async fn a_connection_that_ended_or_said_something_while_it_rested_is_not_used() {
    let database = TestDatabase::postgres().await;
    for behind in [&b""[..], b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled"] {
        let rests = Arc::new(Notify::new());
        let (upstream, mut told) = closing_while_resting(behind, rests.clone()).await;
        let gateway = RunningGateway::start(database.url(), upstream.address(), |config| {
            config.workers = 1;
            config.limits.upstream_idle_for_unsafe = Duration::from_mins(1);
            config.limits.upstream_idle = Duration::from_mins(1);
        })
        .await;
        let visitor = gateway.anonymous();
        assert_eq!(visitor.get("/").await.text(), "ok");
        rests.notify_one();
        told.recv().await.unwrap();
        let order = Some(("text/plain", "order".to_owned()));
        let reply = visitor.send(Method::POST, "/order", order).await;
        assert_eq!((reply.status.as_u16(), reply.text()), (200, "ok"));
    }
}
