//! HTTP/2: the same promises as over HTTP/1.1, and those of its own.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use nextbnb_gateway::config::Config;
use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::frames::{
    DATA, END_HEADERS, END_STREAM, Frames, GOAWAY, HEADERS, INITIAL_WINDOW_SIZE, PING,
    PROTOCOL_ERROR, RST_STREAM, SETTINGS, WINDOW_UPDATE, field, head,
};
use nextbnb_tests::http2::Http2;
use nextbnb_tests::stack::{RunningGateway, Stack};
use nextbnb_tests::upstream::{RawUpstream, StubUpstream, text};
use nextbnb_tests::websocket::socket_upstream;
use nextbnb_tests::wire::exchange;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Barrier;
use tokio::task::spawn_blocking;

const SOON: Duration = Duration::from_secs(1);

async fn connect(stack: &Stack) -> Http2 {
    Http2::over(TcpStream::connect(stack.address()).await.unwrap()).await
}

fn get(path: &str) -> http::request::Builder {
    Request::get(format!("http://a.example{path}"))
}

async fn impatient(upstream: StubUpstream, change: impl FnOnce(&mut Config)) -> Stack {
    Stack::with(upstream, change).await
}

/// Before an upstream that answers the first request of a connection with `answer`, and ends.
async fn before_raw(answer: &'static str) -> (RunningGateway, RawUpstream, TestDatabase) {
    let upstream = RawUpstream::start(move |mut stream, _| async move {
        let mut request = [0; 4096];
        assert_ne!(stream.read(&mut request).await.unwrap(), 0);
        stream.write_all(answer.as_bytes()).await.unwrap();
    });
    let (upstream, database) = (upstream.await, TestDatabase::postgres().await);
    let gateway = RunningGateway::start(database.url(), upstream.address(), |_| {}).await;
    (gateway, upstream, database)
}

/// Does something with frames made by hand, beside this thread.
async fn by_hand<T: Send + 'static>(
    stack: &Stack,
    settings: &'static [(u16, u32)],
    act: impl FnOnce(Frames) -> T + Send + 'static,
) -> T {
    let address = stack.address();
    spawn_blocking(move || act(Frames::connect(address, settings))).await.unwrap()
}

#[tokio::test]
async fn a_request_arrives_as_one_of_http1() {
    let stack = Stack::start().await;
    let request = get("/x?y=%20").header("cookie", "a=1").header("cookie", "b=2; c=3");
    let request = request.header("te", "trailers").body(Full::default()).unwrap();
    let reply = connect(&stack).await.send(request).await;
    assert_eq!((reply.status, reply.text()), (StatusCode::OK, "hello from upstream"));
    let seen = stack.upstream.last_request();
    assert_eq!(seen.target, "/x?y=%20");
    assert_eq!(seen.header("host"), Some("a.example"));
    assert_eq!(seen.header("cookie"), Some("a=1; b=2; c=3"));
    assert_eq!(seen.header("x-forwarded-host"), Some("a.example"));
    assert_eq!(seen.header("x-forwarded-proto"), Some("http"), "a client's word for the scheme");
    assert_eq!(seen.header("te"), None);
}

#[tokio::test]
async fn a_host_that_is_not_the_authority_is_refused() {
    let stack = Stack::start().await;
    let mut client = connect(&stack).await;
    for (host, status) in [("b.example", 400), ("A.example", 200)] {
        let request = get("/").header("host", host).body(Full::default()).unwrap();
        assert_eq!(client.send(request).await.status, status, "{host}");
    }
    assert_eq!(stack.upstream.seen().len(), 1);
    assert_eq!(stack.upstream.last_request().header("host"), Some("a.example"));
}

#[tokio::test]
async fn a_forged_identity_never_arrives_and_the_real_one_does() {
    let stack = Stack::start().await;
    let cookie = stack.signed_in("ada@example.com").await.cookie("nextbnb").unwrap();
    let mut request =
        get("/").header("cookie", "other=1").header("cookie", format!("nextbnb={cookie}"));
    for name in ["x-forwarded-user", "x_forwarded_user", "x-forwarded_email", "x-nextbnb-token"] {
        request = request.header(name, "forged");
    }
    let request = request.header("x-forwarded-for", "6.6.6.6").header("forwarded", "for=6.6.6.6");
    connect(&stack).await.send(request.body(Full::default()).unwrap()).await;
    let seen = stack.upstream.last_request();
    assert_eq!(seen.header("x-forwarded-email"), Some("ada@example.com"));
    assert_eq!(seen.header("x-forwarded-for"), Some("127.0.0.1"));
    assert!(!seen.headers.values().any(|value| value == "forged"), "{:?}", seen.headers);
    assert_eq!(seen.header("forwarded"), None);
}

#[tokio::test]
async fn heads_that_can_be_read_in_two_ways_never_arrive() {
    let stack = Stack::start().await;
    let fields = |fields: &[(&str, &str)]| head("GET", "/", fields);
    let bare = |fields: &[(&str, &str)]| {
        fields.iter().flat_map(|(name, value)| field(name, value)).collect::<Vec<u8>>()
    };
    let heads = [
        fields(&[("connection", "close")]),
        fields(&[("transfer-encoding", "chunked")]),
        fields(&[("upgrade", "websocket")]),
        fields(&[("keep-alive", "5")]),
        fields(&[("proxy-connection", "close")]),
        fields(&[("te", "gzip")]),
        fields(&[("X-Upper", "1")]),
        fields(&[("x-split", "a\r\nx-forwarded-user: 1")]),
        fields(&[("x-nul", "a\0b")]),
        fields(&[("x space", "1")]),
        fields(&[(":path", "/other")]),
        fields(&[(":unknown", "1")]),
        fields(&[("content-length", "5")]),
        bare(&[(":method", "GET"), (":scheme", "http"), (":authority", "a.example")]),
        bare(&[(":scheme", "http"), (":authority", "a.example"), (":path", "/")]),
    ];
    for head in heads {
        let shown = String::from_utf8_lossy(&head).into_owned();
        let refused = by_hand(&stack, &[], move |mut frames| {
            frames.send(HEADERS, END_HEADERS | END_STREAM, 1, &head).unwrap();
            frames.read_until(&[HEADERS, RST_STREAM, GOAWAY])
        });
        let refused = refused.await.unwrap();
        let is_refusal = refused.kind == HEADERS && !refused.payload.starts_with(&[0x88]); // 200
        assert!(is_refusal || refused.kind != HEADERS, "{shown:?}");
    }
    assert!(stack.upstream.seen().is_empty(), "{:?}", stack.upstream.seen());
}

#[tokio::test]
async fn a_body_of_another_length_than_it_says_is_cut() {
    let stack = Stack::start().await;
    for body in ["four", "sixsix"] {
        let refused = by_hand(&stack, &[], move |mut frames| {
            frames.request(0, 1, "POST", "/", &[("content-length", "5")]).unwrap();
            frames.send(DATA, END_STREAM, 1, body.as_bytes()).unwrap();
            frames.read_until(&[RST_STREAM, GOAWAY]).unwrap()
        });
        assert_eq!(refused.await.error_code(), PROTOCOL_ERROR, "{body}");
    }
}

#[tokio::test]
async fn a_tunnel_is_not_offered_and_not_given() {
    let stack = Stack::start().await;
    let (settings, answer) = by_hand(&stack, &[], |mut frames| {
        let settings = frames.read_until(&[SETTINGS]).unwrap();
        let head = [(":method", "CONNECT"), (":authority", "a.example:443")];
        let head: Vec<u8> = head.iter().flat_map(|(name, value)| field(name, value)).collect();
        frames.send(HEADERS, END_HEADERS, 1, &head).unwrap();
        (settings, frames.read_until(&[HEADERS, RST_STREAM, GOAWAY]).unwrap())
    })
    .await;
    let offered: Vec<u16> = settings
        .payload
        .chunks(6)
        .map(|setting| u16::from_be_bytes(setting[..2].try_into().unwrap()))
        .collect();
    assert!(!offered.contains(&8), "extended CONNECT (RFC 8441) is offered: {offered:?}");
    assert!(answer.kind != HEADERS || !answer.payload.starts_with(&[0x88]), "{answer:?}");
    assert!(stack.upstream.seen().is_empty());
}

#[tokio::test]
async fn a_head_that_is_too_large_is_told_so() {
    let stack = Stack::start().await;
    let mut client = connect(&stack).await;
    let request = get("/").header("x-large", "x".repeat(20_000)).body(Full::default()).unwrap();
    assert_eq!(client.send(request).await.status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    assert_eq!(client.get("/").await.status, StatusCode::OK);
    assert_eq!(stack.upstream.seen().len(), 1);
}

#[tokio::test]
async fn fields_of_the_upstreams_connection_stay_on_it_and_trailers_come_through() {
    let (gateway, _upstream, _database) = before_raw(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\nKeep-Alive: timeout=5\r\n\
         Connection: keep-alive, x-hop\r\nX-Hop: 1\r\n\r\n5\r\nhello\r\n0\r\nx-sum: 7\r\n\r\n",
    )
    .await;
    let stream = TcpStream::connect(gateway.address()).await.unwrap();
    let response = Http2::over(stream).await.start(get("/").body(Full::default()).unwrap()).await;
    for name in ["connection", "keep-alive", "transfer-encoding", "x-hop", "trailer"] {
        assert_eq!(response.headers().get(name), None, "{name}");
    }
    let body = response.into_body().collect().await.unwrap();
    assert_eq!(body.trailers().unwrap()["x-sum"], "7");
    assert_eq!(body.to_bytes(), "hello");
}

#[tokio::test]
async fn answers_without_a_body_have_none() {
    let upstream = StubUpstream::answering(|request| async move {
        let status = if request.uri() == "/none" { 204 } else { 200 };
        let body = if status == 204 { Bytes::new() } else { Bytes::from("hello") };
        Response::builder().status(status).body(Full::new(body).boxed_unsync()).unwrap()
    });
    let stack = Stack::before(upstream.await).await;
    let mut client = connect(&stack).await;
    let reply = client.get("/none").await;
    assert_eq!(
        (reply.status.as_u16(), reply.text(), reply.header("content-length")),
        (204, "", None)
    );
    let request = get("/").method(Method::HEAD).body(Full::default()).unwrap();
    let reply = client.send(request).await;
    assert_eq!((reply.status.as_u16(), reply.text()), (200, ""));
    assert_eq!(reply.header("content-length"), Some("5"));
}

#[tokio::test]
async fn an_answer_may_come_before_the_upload_is_over() {
    let stack = Stack::start().await;
    let answer = by_hand(&stack, &[], |mut frames| {
        frames.request(0, 1, "POST", "/early", &[]).unwrap();
        frames.send(DATA, 0, 1, b"a part").unwrap();
        let answer = frames.read_until(&[HEADERS, RST_STREAM, GOAWAY]).unwrap();
        frames.send(DATA, END_STREAM, 1, b"the rest").unwrap();
        frames.request(END_STREAM, 3, "GET", "/", &[]).unwrap();
        let next = loop {
            let frame = frames.read_until(&[HEADERS, GOAWAY]).unwrap();
            if frame.stream != 1 {
                break frame;
            }
        };
        (answer, next)
    });
    let (answer, next) = answer.await;
    assert_eq!((answer.kind, answer.payload.first()), (HEADERS, Some(&0x88)));
    assert_eq!((next.kind, next.stream), (HEADERS, 3));
}

#[tokio::test]
async fn requests_are_answered_at_once_and_not_in_turn() {
    let together = Arc::new(Barrier::new(20));
    let upstream = StubUpstream::answering(move |_| {
        let together = together.clone();
        async move {
            together.wait().await;
            text("together")
        }
    });
    let stack = Stack::before(upstream.await).await;
    let answers = by_hand(&stack, &[], |mut frames| {
        for number in 0..20 {
            frames.request(END_STREAM, number * 2 + 1, "GET", "/", &[]).unwrap();
        }
        (0..20).filter(|_| frames.read_until(&[HEADERS]).is_some()).count()
    });
    assert_eq!(answers.await, 20);
}

#[tokio::test]
async fn an_upgrade_from_http1_is_served_as_it_is() {
    let stack = Stack::start().await;
    let request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings, close\r\n\
                   Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n";
    let answer = exchange(stack.address(), request).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let seen = stack.upstream.last_request();
    assert_eq!((seen.header("upgrade"), seen.header("http2-settings")), (None, None));
}

#[tokio::test]
async fn a_client_that_asks_for_nothing_is_told_to_go() {
    let stack = impatient(StubUpstream::start().await, |config| {
        config.limits.request_head = SOON;
        config.limits.downstream_idle = SOON;
    })
    .await;
    let silent = by_hand(&stack, &[], |mut frames| frames.read_goaway());
    assert_eq!(silent.await.expect("it was cut without a word").error_code(), 0);
    let half = by_hand(&stack, &[], |mut frames| {
        let get = nextbnb_tests::frames::frame(HEADERS, 5, 1, &head("GET", "/", &[]));
        frames.send_bytes(&get[..get.len() / 2]).unwrap();
        frames.read_goaway()
    });
    assert!(half.await.is_some(), "it was cut without a word");
    let mut idle = connect(&stack).await;
    idle.get("/").await;
    tokio::time::timeout(SOON * 30, idle.ended()).await.expect("it is kept");
}

#[tokio::test]
async fn a_client_that_only_pings_is_told_to_go() {
    let stack = impatient(StubUpstream::start().await, |config| {
        config.limits.downstream_idle = SOON * 2;
        config.limits.request_head = SOON * 600;
    })
    .await;
    let goaway = by_hand(&stack, &[], |mut frames| {
        frames.request(END_STREAM, 1, "GET", "/", &[]).unwrap();
        while frames.send(PING, 0, 0, &[0; 8]).is_ok() {
            match frames.read() {
                Some(frame) if frame.kind == GOAWAY => return Some(frame),
                Some(_) => {}
                None => return None,
            }
        }
        None
    });
    assert!(goaway.await.is_some());
}

#[tokio::test]
async fn a_stream_whose_answer_nobody_takes_is_reset_and_no_other() {
    let upstream = StubUpstream::answering(|_| async { text(vec![b'x'; 200_000]) });
    let stack = impatient(upstream.await, |config| config.limits.downstream_stall = SOON).await;
    let (reset, taken) = by_hand(&stack, &[(INITIAL_WINDOW_SIZE, 0)], |mut frames| {
        frames.send(WINDOW_UPDATE, 0, 0, &10_000_000_u32.to_be_bytes()).unwrap();
        frames.request(END_STREAM, 1, "GET", "/", &[]).unwrap();
        frames.request(END_STREAM, 3, "GET", "/", &[]).unwrap();
        frames.send(WINDOW_UPDATE, 0, 3, &100_u32.to_be_bytes()).unwrap();
        let first = frames.read_until(&[RST_STREAM, GOAWAY]).unwrap();
        let second = frames.read_until(&[RST_STREAM, GOAWAY]).unwrap();
        frames.request(END_STREAM, 5, "GET", "/", &[]).unwrap();
        frames.send(WINDOW_UPDATE, 0, 5, &1_000_000_u32.to_be_bytes()).unwrap();
        let mut taken = 0;
        while taken < 200_000 {
            let data = frames.read_until(&[DATA, RST_STREAM, GOAWAY]).unwrap();
            assert_eq!((data.kind, data.stream), (DATA, 5));
            taken += data.payload.len();
        }
        let mut reset = [first, second].map(|frame| (frame.kind, frame.stream));
        reset.sort_unstable();
        (reset, taken)
    })
    .await;
    assert_eq!(reset, [(RST_STREAM, 1), (RST_STREAM, 3)]);
    assert_eq!(taken, 200_000);
}

#[tokio::test]
async fn a_slow_reader_that_moves_is_served_to_the_end() {
    let upstream = StubUpstream::answering(|_| async { text(vec![b'x'; 100_000]) });
    let stack = impatient(upstream.await, |config| config.limits.downstream_stall = SOON * 2).await;
    let taken = by_hand(&stack, &[(INITIAL_WINDOW_SIZE, 0)], |mut frames| {
        frames.send(WINDOW_UPDATE, 0, 0, &100_000_u32.to_be_bytes()).unwrap();
        frames.request(END_STREAM, 1, "GET", "/", &[]).unwrap();
        let mut taken = 0;
        while taken < 100_000 {
            std::thread::sleep(Duration::from_millis(600));
            frames.send(WINDOW_UPDATE, 0, 1, &20_000_u32.to_be_bytes()).unwrap();
            let mut window = 20_000.min(100_000 - taken);
            while window > 0 {
                let data = frames.read_until(&[DATA, RST_STREAM, GOAWAY]).unwrap();
                assert_eq!(data.kind, DATA);
                taken += data.payload.len();
                window -= data.payload.len();
            }
        }
        taken
    });
    assert_eq!(taken.await, 100_000);
}

#[tokio::test]
async fn a_cut_answer_is_not_taken_for_a_whole_one() {
    let (gateway, _upstream, _database) =
        before_raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").await;
    let mut client = Http2::over(TcpStream::connect(gateway.address()).await.unwrap()).await;
    let response = client.start(get("/").body(Full::default()).unwrap()).await;
    assert!(response.into_body().collect().await.is_err());
}

#[tokio::test]
async fn an_event_stream_whose_session_has_ended_is_reset_and_the_connection_stays() {
    let (upstream, _told) = socket_upstream().await;
    let stack = Stack::before(upstream).await;
    let ada = stack.signed_in("ada@example.com").await;
    let cookie = format!("nextbnb={}", ada.cookie("nextbnb").unwrap());
    let mut frames = by_hand(&stack, &[], move |mut frames| {
        let fields = [("cookie", cookie.as_str())];
        frames.request(END_STREAM, 1, "GET", "/events", &fields).unwrap();
        assert_eq!(frames.read_until(&[DATA, RST_STREAM, GOAWAY]).unwrap().kind, DATA);
        frames
    })
    .await;
    ada.post("/api/auth/logout", &json!({})).await;
    spawn_blocking(move || {
        let end = frames.read_until(&[DATA, RST_STREAM, GOAWAY]).unwrap();
        assert_eq!((end.kind, end.stream), (RST_STREAM, 1), "it is not to be taken for whole");
        frames.request(END_STREAM, 3, "GET", "/", &[]).unwrap();
        assert_eq!(frames.read_until(&[HEADERS, RST_STREAM, GOAWAY]).unwrap().kind, HEADERS);
    })
    .await
    .unwrap();
}
