//! Ending without losing what runs.

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use http_body_util::{BodyExt, Full, StreamBody};
use nextbnb_gateway::session::policy::Touch;
use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::stack::{RunningGateway, Stack};
use nextbnb_tests::upstream::{StubUpstream, text};
use nextbnb_tests::wait_until;
use nextbnb_tests::wire::Wire;
use sea_orm::{ConnectionTrait, TransactionTrait};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

/// Far less than the limit of draining here, and ample on a busy machine.
const SOON: Duration = Duration::from_secs(30);

const LONG: Duration = Duration::from_mins(10);

/// A gateway whose upstream answers `/slow` when it is told to, and else at once.
async fn slow_stack() -> (Stack, Arc<Notify>, Arc<Notify>) {
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
    (patient(upstream.await).await, came, go)
}

/// A gateway that waits for very long.
async fn patient(upstream: StubUpstream) -> Stack {
    Stack::with(upstream, |config| {
        config.drain = LONG;
        config.limits.request_head = LONG;
    })
    .await
}

/// Begins to end `stack`; returns when it accepts nothing more.
async fn begin_to_stop(stack: Stack) -> JoinHandle<()> {
    let address = stack.address();
    let stopping = tokio::spawn(stack.stop());
    wait_until("the port is closed", async || TcpStream::connect(address).await.is_err()).await;
    stopping
}

#[tokio::test]
async fn a_running_request_is_finished_and_new_ones_are_refused() {
    let (stack, came, go) = slow_stack().await;
    let visitor = stack.anonymous();
    let running = tokio::spawn(async move { visitor.get("/slow").await });
    came.notified().await;
    let stopping = begin_to_stop(stack).await;
    go.notify_one();
    assert_eq!(running.await.unwrap().text(), "finished");
    timeout(SOON, stopping).await.expect("it waits although nothing runs").unwrap();
}

#[tokio::test]
async fn a_head_that_is_completed_meanwhile_is_answered_and_health_says_draining() {
    let (stack, came, go) = slow_stack().await;
    let mut page = Wire::connect(stack.address()).await;
    page.send("GET / HTTP/1.1\r\nHo").await;
    let mut health = Wire::connect(stack.address()).await;
    health.send("GET /.nextbnb/health HTTP/1.1\r\nHo").await;
    let visitor = stack.anonymous();
    let running = tokio::spawn(async move { visitor.get("/slow").await });
    came.notified().await;
    let stopping = begin_to_stop(stack).await;
    health.send("st: a\r\n\r\n").await;
    let answer = health.read_to_end().await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.ends_with(r#"{"status":"draining"}"#), "{answer}");
    page.send("st: a\r\n\r\n").await;
    assert!(page.read_to_end().await.ends_with("finished"));
    go.notify_one();
    assert_eq!(running.await.unwrap().text(), "finished");
    timeout(SOON, stopping).await.expect("it waits although nothing runs").unwrap();
}

#[tokio::test]
async fn an_answer_is_sent_to_its_end_although_the_upstream_is_done() {
    const LENGTH: usize = 16 * 1024 * 1024;
    let upstream = StubUpstream::answering(|_| async { text(vec![b'x'; LENGTH]) });
    let stack = patient(upstream.await).await;
    let request = Request::get("/").body(Full::default()).unwrap();
    let response = stack.anonymous().start(request).await;
    let stopping = begin_to_stop(stack).await;
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes().len(), LENGTH);
    timeout(SOON, stopping).await.expect("it waits although nothing runs").unwrap();
}

#[tokio::test]
async fn requests_that_were_sent_before_the_end_began_are_answered() {
    let stack = Stack::start().await;
    // Faster than they are accepted, so that some still wait in the system's queue.
    let sockets: Vec<_> = (0..300)
        .map(|_| {
            let mut socket = std::net::TcpStream::connect(stack.address()).unwrap();
            socket.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
            socket
        })
        .collect();
    stack.stop().await;
    for (number, mut socket) in sockets.into_iter().enumerate() {
        let mut answer = String::new();
        let read = socket.read_to_string(&mut answer);
        assert!(read.is_ok() && answer.ends_with("hello from upstream"), "{number}: {read:?}");
    }
}

#[tokio::test]
async fn connections_on_which_nothing_runs_do_not_hold_up_the_end() {
    let stack = patient(StubUpstream::start().await).await;
    let mut idle = Wire::connect(stack.address()).await;
    idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    idle.read_until("hello from upstream").await;
    let mut half = Wire::connect(stack.address()).await;
    half.send("GET / HTTP/1.1\r\nHo").await;
    let silent = Wire::connect(stack.address()).await;
    timeout(SOON, stack.stop()).await.expect("an idle connection holds it up");
    for wire in [idle, half, silent] {
        assert_eq!(wire.read_to_end().await, "");
    }
}

#[tokio::test]
async fn an_event_stream_holds_up_the_end_for_its_grace_only() {
    let upstream = StubUpstream::answering(|_| async {
        let body = StreamBody::new(futures_util::stream::pending()).boxed_unsync();
        Response::builder().header("content-type", "text/event-stream").body(body).unwrap()
    })
    .await;
    let stack = Stack::with(upstream, |config| {
        config.drain = LONG;
        config.limits.long_lived_grace = Duration::from_millis(100);
    })
    .await;
    let request = Request::get("/events").body(Full::default()).unwrap();
    let response = stack.anonymous().start(request).await;
    let began = Instant::now();
    timeout(SOON, stack.stop()).await.expect("the event stream holds it up");
    assert!(began.elapsed() >= Duration::from_millis(100));
    assert!(response.into_body().collect().await.is_err(), "a cut stream is no whole one");
}

#[tokio::test]
async fn work_that_waits_for_a_lock_does_not_hold_up_the_end() {
    let stack = Stack::start().await;
    let holder = stack.database.connection().begin().await.unwrap();
    holder.execute_unprepared("LOCK TABLE \"Sessions\"").await.unwrap();
    let replica = stack.replica().await; // Sweeps at its start, and waits.
    let waiting = "SELECT count(*)::text FROM pg_stat_activity \
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    wait_until("the sweep waits", async || stack.database.texts(waiting).await[0] != "0").await;
    timeout(SOON, replica.stop()).await.expect("the lock holds it up");
    holder.rollback().await.unwrap();
}

#[tokio::test]
async fn health_is_known_to_load_balancers() {
    let stack = Stack::start().await;
    let reply = stack.anonymous().get("/.nextbnb/health").await;
    assert_eq!((reply.status.as_u16(), reply.text()), (200, r#"{"status":"ok"}"#));
    assert!(stack.upstream.seen().is_empty());
}

/// Which come at most a second before, and so are not written yet.
#[tokio::test]
async fn the_last_visits_are_written_down_before_the_end() {
    let (database, upstream) = (TestDatabase::postgres().await, StubUpstream::start().await);
    let gateway = RunningGateway::start(database.url(), upstream.address(), |config| {
        config.session.policy.touch = Touch::Every(Duration::from_millis(1));
    })
    .await;
    let ada = gateway.signed_in("ada@example.org").await;
    let updated = r#"SELECT "updatedAt"::text FROM "Sessions""#;
    let signed_in = database.texts(updated).await;
    ada.get("/").await;
    gateway.stop().await;
    assert_ne!(database.texts(updated).await, signed_in);
}
