//! Ending without losing what runs, over HTTP/2 and TLS.

use std::sync::Arc;
use std::time::Duration;

use http::Request;
use http_body_util::{BodyExt, Full};
use nextbnb_gateway::config::Config;
use nextbnb_tests::frames::{END_STREAM, Frames, GOAWAY, HEADERS};
use nextbnb_tests::http2::Http2;
use nextbnb_tests::stack::Stack;
use nextbnb_tests::tls::{TestCertificate, TlsClient};
use nextbnb_tests::upstream::{StubUpstream, text};
use nextbnb_tests::wait_until;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;

/// Far less than the limit of draining here, and ample on a busy machine.
const SOON: Duration = Duration::from_secs(30);

const LONG: Duration = Duration::from_mins(10);

/// A gateway whose upstream answers `/slow` when it is told to.
async fn slow_stack(change: impl FnOnce(&mut Config)) -> (Stack, Arc<Notify>, Arc<Notify>) {
    let (came, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (upstream_came, upstream_go) = (came.clone(), go.clone());
    let upstream = StubUpstream::answering(move |request| {
        let (came, go) = (upstream_came.clone(), upstream_go.clone());
        async move {
            if request.uri() == "/slow" {
                came.notify_one();
                go.notified().await;
            }
            text("finished")
        }
    });
    let stack = Stack::with(upstream.await, |config| {
        config.drain = LONG;
        config.limits.request_head = LONG;
        change(config);
    });
    (stack.await, came, go)
}

async fn begin_to_stop(stack: Stack) -> JoinHandle<()> {
    let address = stack.address();
    let stopping = tokio::spawn(stack.stop());
    wait_until("the port is closed", async || TcpStream::connect(address).await.is_err()).await;
    stopping
}

#[tokio::test]
async fn a_running_request_is_finished_and_the_client_told_to_go() {
    let certificate = TestCertificate::of(&["a.example"]);
    let tls = certificate.tls();
    for over_tls in [false, true] {
        let (stack, came, go) = slow_stack(|config| {
            config.tls = over_tls.then(|| tls.clone());
        })
        .await;
        let mut client = if over_tls {
            let client = TlsClient::new(&[&certificate], &["h2"]);
            Http2::over(client.connect(stack.address(), "a.example").await).await
        } else {
            Http2::over(TcpStream::connect(stack.address()).await.unwrap()).await
        };
        let running = tokio::spawn(async move {
            let reply = client.get("/slow").await;
            (client, reply)
        });
        came.notified().await;
        let stopping = begin_to_stop(stack).await;
        go.notify_one();
        let (client, reply) = running.await.unwrap();
        assert_eq!(reply.text(), "finished");
        timeout(SOON, client.ended()).await.expect("it is kept");
        timeout(SOON, stopping).await.expect("it waits although nothing runs").unwrap();
    }
}

#[tokio::test]
async fn requests_that_were_sent_before_the_end_began_are_answered() {
    let stack = Stack::start().await;
    let address = stack.address();
    let mut clients: Vec<Frames> = spawn_blocking(move || {
        (0..100)
            .map(|_| {
                let mut frames = Frames::connect(address, &[]);
                frames.request(END_STREAM, 1, "GET", "/", &[]).unwrap();
                frames
            })
            .collect()
    })
    .await
    .unwrap();
    let stopping = tokio::spawn(stack.stop());
    let unanswered = spawn_blocking(move || {
        clients
            .iter_mut()
            .filter_map(|client| client.read_until(&[HEADERS]).is_none().then_some(()))
            .count()
    });
    assert_eq!(unanswered.await.unwrap(), 0);
    timeout(SOON, stopping).await.expect("it waits although nothing runs").unwrap();
}

#[tokio::test]
async fn clients_that_do_not_go_do_not_hold_up_the_end() {
    let (stack, ..) = slow_stack(|_| {}).await;
    let address = stack.address();
    let mut clients = spawn_blocking(move || {
        let fresh = Frames::connect(address, &[]);
        let mut idle = Frames::connect(address, &[]);
        idle.request(END_STREAM, 1, "GET", "/", &[]).unwrap();
        idle.read_until(&[HEADERS]).unwrap();
        [fresh, idle]
    })
    .await
    .unwrap();
    timeout(SOON, stack.stop()).await.expect("an idle connection holds it up");
    let told =
        spawn_blocking(move || clients.each_mut().map(|client| client.read_until(&[GOAWAY])));
    assert!(told.await.unwrap()[1].is_some(), "it was cut without a word");
}

#[tokio::test]
async fn an_answer_is_sent_to_its_end_although_the_upstream_is_done() {
    const LENGTH: usize = 16 * 1024 * 1024;
    let upstream = StubUpstream::answering(|_| async { text(vec![b'x'; LENGTH]) });
    let stack = Stack::with(upstream.await, |config| config.drain = LONG).await;
    let mut client = Http2::over(TcpStream::connect(stack.address()).await.unwrap()).await;
    let request = Request::get("http://a.example/").body(Full::default()).unwrap();
    let response = client.start(request).await;
    let stopping = begin_to_stop(stack).await;
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes().len(), LENGTH);
    timeout(SOON, stopping).await.expect("it waits although nothing runs").unwrap();
}

#[tokio::test]
async fn tls_ends_with_its_own_farewell() {
    let certificate = TestCertificate::of(&["a.example"]);
    let tls = certificate.tls();
    let (stack, came, go) = slow_stack(|config| config.tls = Some(tls)).await;
    let client = TlsClient::new(&[&certificate], &["http/1.1"]);
    let mut stream = client.connect(stack.address(), "a.example").await;
    stream.write_all(b"GET /slow HTTP/1.1\r\nHost: a.example\r\n\r\n").await.unwrap();
    came.notified().await;
    let stopping = begin_to_stop(stack).await;
    go.notify_one();
    let mut answer = String::new();
    // Fails where the connection ends without `close_notify`.
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("finished"), "{answer}");
    timeout(SOON, stopping).await.expect("it waits although nothing runs").unwrap();
}
