//! Bodies pass as they come, in bounded memory.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::stack::RunningGateway;
use nextbnb_tests::stack::Stack;
use nextbnb_tests::upstream::{RawUpstream, StubUpstream, text};
use nextbnb_tests::wait_until;
use nextbnb_tests::wire::Wire;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Mutex, mpsc};
use tokio::time::Instant;

#[tokio::test]
async fn each_piece_of_an_answer_arrives_when_it_is_sent() {
    let (send, receive) = mpsc::channel::<Bytes>(1);
    let receive = std::sync::Arc::new(Mutex::new(receive));
    let upstream = StubUpstream::answering(move |_| {
        let receive = receive.clone();
        async move {
            let pieces = stream::unfold(receive, |receive| async move {
                let piece = receive.lock().await.recv().await?;
                Some((Ok::<_, Infallible>(Frame::data(piece)), receive))
            });
            let body = StreamBody::new(pieces).boxed_unsync();
            Response::builder().header("content-type", "text/event-stream").body(body).unwrap()
        }
    });
    let stack = Stack::before(upstream.await).await;
    let request = Request::get("/events").body(Full::default()).unwrap();
    let mut response = stack.anonymous().start(request).await;
    for number in 0..3 {
        send.send(Bytes::from(format!("data: {number}\n\n"))).await.unwrap();
        // The next piece is not sent before this one has come through.
        let frame = response.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), format!("data: {number}\n\n"));
    }
}

#[tokio::test]
async fn an_upload_reaches_the_upstream_while_it_is_sent() {
    let upstream = StubUpstream::answering(|request| async move {
        let mut body = request.into_body();
        let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
        text(first) // Answers before the upload has ended.
    });
    let stack = Stack::before(upstream.await).await;
    let mut wire = Wire::connect(stack.address()).await;
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        .await;
    let head = wire.read_head().await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert_eq!(wire.read_until("first").await, "first");
}

#[tokio::test]
async fn a_slow_reader_slows_the_upstream_down() {
    let sent = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = sent.clone();
    let upstream = StubUpstream::answering(move |_| {
        let count = count.clone();
        async move {
            let pieces = stream::unfold(count, |count| async move {
                count.fetch_add(64 * 1024, std::sync::atomic::Ordering::Relaxed);
                Some((Ok::<_, Infallible>(Frame::data(Bytes::from(vec![0; 64 * 1024]))), count))
            });
            Response::new(StreamBody::new(pieces).boxed_unsync())
        }
    });
    let stack = Stack::before(upstream.await).await;
    let request = Request::get("/endless").body(Full::default()).unwrap();
    let response = stack.anonymous().start(request).await;
    // Nothing is read: what is sent fills the sockets' buffers and then stands still.
    let (mut before, mut since) = (0, Instant::now());
    wait_until("the upstream stands still", async || {
        let now = sent.load(std::sync::atomic::Ordering::Relaxed);
        if now != before {
            (before, since) = (now, Instant::now());
        }
        before > 0 && since.elapsed() > Duration::from_secs(1)
    })
    .await;
    assert!(before < 64 * 1024 * 1024, "{before} bytes were taken from the upstream");
    drop(response);
}

#[tokio::test]
async fn an_answer_that_is_cut_is_not_passed_on_as_whole() {
    let upstream = RawUpstream::start(|mut stream, _| async move {
        let mut request = [0; 4096];
        assert_ne!(stream.read(&mut request).await.unwrap(), 0);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").await.unwrap();
    })
    .await;
    let database = TestDatabase::postgres().await;
    let gateway = RunningGateway::start(database.url(), upstream.address(), |_| {}).await;
    let request = Request::get("/").body(Full::default()).unwrap();
    let response = gateway.anonymous().start(request).await;
    assert_eq!(response.status(), 200);
    assert!(response.into_body().collect().await.is_err());
}
