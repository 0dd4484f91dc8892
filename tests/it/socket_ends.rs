//! What is open in a session ends with it, and with the process.

use std::time::Duration;

use futures_util::FutureExt;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use nextbnb_gateway::config::Config;
use nextbnb_gateway::proxy::pages::Reader;
use nextbnb_gateway::server::listen_at::ListenAt;
use nextbnb_tests::exposition::Scrape;
use nextbnb_tests::stack::{PASSWORD, Stack, credentials};
use nextbnb_tests::visitor::Visitor;
use nextbnb_tests::wait_until;
use nextbnb_tests::websocket::{HALF_A_FRAME, WebSocket, socket_upstream};
use serde_json::json;
use tokio::sync::mpsc::UnboundedReceiver;

type Told = UnboundedReceiver<Option<u16>>;

const ADA: &str = "ada@example.org";
const BOB: &str = "bob@example.org";

async fn stack() -> (Stack, Told) {
    stack_with(|_| {}).await
}

async fn stack_with(change: impl FnOnce(&mut Config)) -> (Stack, Told) {
    let (upstream, told) = socket_upstream().await;
    (Stack::with(upstream, change).await, told)
}

/// Opens a socket that echoes.
async fn open(visitor: &Visitor) -> WebSocket {
    let mut socket = WebSocket::open(visitor, "/socket").await;
    assert!(socket.is_open().await);
    socket
}

/// Opens an event stream and reads its first event.
async fn events(visitor: &Visitor) -> Incoming {
    let request = Request::get("/events").body(Full::default()).unwrap();
    let mut body = visitor.start(request).await.into_body();
    let first = body.frame().await.unwrap().unwrap();
    assert_eq!(first.into_data().unwrap(), "data: one\n\n");
    body
}

#[tokio::test]
async fn a_logout_in_another_tab_closes_a_socket_and_tells_the_upstream() {
    let (stack, mut told) = stack().await;
    let (ada, bob) = (stack.signed_in(ADA).await, stack.signed_in(BOB).await);
    let (mut socket, mut other) = (open(&ada).await, open(&bob).await);
    ada.post("/api/auth/logout", &json!({})).await;
    assert_eq!(socket.closed().await, Some(1008));
    assert_eq!(told.recv().await.unwrap(), Some(1008));
    assert!(other.is_open().await, "another session's stays");
}

#[tokio::test]
async fn it_closes_them_on_every_replica() {
    let (stack, _told) = stack().await;
    let ada = stack.signed_in(ADA).await;
    let replica = stack.replica().await;
    let mut socket = open(&ada.elsewhere(replica.address())).await;
    ada.post("/api/auth/logout", &json!({})).await;
    assert_eq!(socket.closed().await, Some(1008));
}

#[tokio::test]
async fn a_socket_ends_with_its_row_its_account_and_its_time_whoever_ends_them() {
    for statement in [
        r#"DELETE FROM "Sessions" WHERE data LIKE '%ada@%'"#,
        "DELETE FROM users WHERE email LIKE 'ada@%'",
        r#"UPDATE "Sessions" SET expires = now() + interval '1 second' WHERE data LIKE '%ada@%'"#,
        r#"UPDATE "Sessions" SET data = replace(data, 'ada@', 'bob@') WHERE data LIKE '%ada@%'"#,
        r#"UPDATE "Sessions" SET data = replace(data, 'passport', 'x') WHERE data LIKE '%ada@%'"#,
    ] {
        let (stack, _told) = stack().await;
        let (ada, bob) = (stack.signed_in(ADA).await, stack.signed_in(BOB).await);
        let (mut socket, mut other) = (open(&ada).await, open(&bob).await);
        stack.database.run(statement).await;
        assert_eq!(socket.closed().await, Some(1008), "{statement}");
        assert!(other.is_open().await, "{statement}");
    }
}

#[tokio::test]
async fn a_row_that_is_written_anew_by_the_same_person_keeps_its_sockets() {
    let (stack, _told) = stack().await;
    let (ada, bob) = (stack.signed_in(ADA).await, stack.signed_in(BOB).await);
    let (mut socket, mut other) = (open(&ada).await, open(&bob).await);
    let soon = |who: &str, when: &str| {
        format!(
            r#"UPDATE "Sessions" SET expires = now() + interval '{when}' WHERE data LIKE '%{who}@%'"#
        )
    };
    stack.database.run(&soon("ada", "2 seconds")).await;
    stack.database.run(&soon("bob", "3 seconds")).await;
    let more = r#"UPDATE "Sessions" SET data = replace(data, '"cookie"', '"views":7,"cookie"')"#;
    stack.database.run(more).await;
    assert!(socket.is_open().await);
    stack.database.run(&soon("ada", "1 hour")).await;
    assert_eq!(other.closed().await, Some(1008), "nobody has visited in it");
    assert!(socket.is_open().await, "its end was moved before it came");
}

#[tokio::test]
async fn signing_in_ends_the_sockets_of_the_session_before_it() {
    let (stack, _told) = stack().await;
    let ada = stack.signed_in(ADA).await;
    let mut before = open(&ada).await;
    ada.post("/api/auth/login", &credentials(ADA, PASSWORD)).await;
    let mut after = open(&ada).await;
    assert_eq!(before.closed().await, Some(1008));
    assert!(after.is_open().await);
}

#[tokio::test]
async fn a_guests_socket_belongs_to_no_session() {
    let (stack, _told) = stack().await;
    let (mut guest, ada) = (open(&stack.anonymous()).await, stack.signed_in(ADA).await);
    let mut socket = open(&ada).await;
    stack.database.run("DELETE FROM \"Sessions\"").await;
    assert_eq!(socket.closed().await, Some(1008));
    assert!(guest.is_open().await);
}

#[tokio::test]
async fn an_event_stream_breaks_off_with_its_session() {
    let (stack, _told) = stack().await;
    let (ada, bob) = (stack.signed_in(ADA).await, stack.signed_in(BOB).await);
    let (stream, mut other) = (events(&ada).await, events(&bob).await);
    ada.post("/api/auth/logout", &json!({})).await;
    assert!(stream.collect().await.is_err(), "it is not to be taken for whole");
    assert!(other.frame().now_or_never().is_none(), "another session's goes on");
}

#[tokio::test]
async fn hot_reload_outlives_the_session_that_its_page_was_opened_in() {
    let (stack, _told) = stack_with(|config| config.reader = Reader::Developer).await;
    let ada = stack.signed_in(ADA).await;
    let (mut socket, mut hot) = (open(&ada).await, WebSocket::open(&ada, "/_next/hmr?id=x").await);
    ada.post("/api/auth/logout", &json!({})).await;
    assert_eq!(socket.closed().await, Some(1008));
    assert!(hot.is_open().await);
}

#[tokio::test]
async fn inside_a_frame_a_socket_is_reset() {
    let (stack, mut told) = stack().await;
    let ada = stack.signed_in(ADA).await;
    let mut socket = open(&ada).await;
    socket.send(HALF_A_FRAME).await;
    let began = socket.read_exactly(8).await;
    assert_eq!(began, b"\x82\x7e\xff\xffhalf");
    ada.post("/api/auth/logout", &json!({})).await;
    let (rest, end) = socket.read_to_end().await;
    assert!(rest.is_empty(), "a frame inside another: {rest:?}");
    assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(told.recv().await.unwrap(), Some(1008), "the upstream may be told");
}

#[tokio::test]
async fn sockets_stay_while_the_database_is_away_and_end_when_it_is_back() {
    let (stack, _told) = stack_with(|config| {
        config.admin = Some(ListenAt::Tcp { host: "127.0.0.1".to_owned(), port: 0 });
    })
    .await;
    let ada = stack.signed_in(ADA).await;
    let mut socket = open(&ada).await;
    let failed = async || {
        let reply = Visitor::new(stack.admin_address()).get("/metrics").await;
        let failed = [("result", "failed")];
        Scrape::parse(reply.text()).value("nextbnb_database_statements_total", &failed)
    };
    let before = failed().await;
    stack.database.run("ALTER TABLE \"Sessions\" RENAME TO away").await;
    stack.database.run("DELETE FROM away").await;
    // A refused statement is as good as none: nobody can tell.
    wait_until("it has looked in vain", async || failed().await > before).await;
    assert!(socket.is_open().await);
    stack.database.run("ALTER TABLE away RENAME TO \"Sessions\"").await;
    assert_eq!(socket.closed().await, Some(1008));
}

#[tokio::test]
async fn the_end_of_the_process_closes_sockets_and_waits_for_their_answer_at_most() {
    let (stack, mut told) = stack_with(|config| config.drain = Duration::from_mins(10)).await;
    let (mut guest, ada) = (open(&stack.anonymous()).await, stack.signed_in(ADA).await);
    let (mut socket, silent) = (open(&ada).await, open(&ada).await);
    let stopping = tokio::spawn(stack.stop());
    assert_eq!(guest.closed().await, Some(1001));
    assert_eq!(socket.closed().await, Some(1001));
    for _ in 0..3 {
        assert_eq!(told.recv().await.unwrap(), Some(1001));
    }
    wait_until("it ends", async || stopping.is_finished()).await;
    drop(silent);
}
