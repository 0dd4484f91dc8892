//! `--static-cache-size`: built files from memory, and what is never answered from there.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use nextbnb_gateway::config::Config;
use nextbnb_gateway::downstream::public_url::PublicUrl;
use nextbnb_gateway::server::listen_at::ListenAt;
use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::exposition::Scrape;
use nextbnb_tests::stack::{RunningGateway, Stack};
use nextbnb_tests::upstream::{StubResponse, StubUpstream};
use nextbnb_tests::visitor::{Reply, Visitor};
use nextbnb_tests::wait_until;

const FILE: &str = "/_next/static/chunks/app.js";
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// What Next.js answers of a built file: by its validator, compressed where that is accepted.
fn built(request: &Request<Incoming>, build: &str) -> StubResponse {
    let (headers, etag) = (request.headers(), format!("W/\"{build}\""));
    let is_known = headers.get("if-none-match").is_some_and(|known| *known == *etag);
    let accepts = headers.get("accept-encoding").map_or("", |value| value.to_str().unwrap());
    let coding = ["gzip", "br"].into_iter().find(|coding| accepts.contains(coding));
    let mut response = Response::builder().status(if is_known { 304 } else { 200 });
    response = response.header("cache-control", FOR_EVER).header("etag", etag);
    response = response.header("vary", "Accept-Encoding").header("x-powered-by", "Next.js");
    if let Some(coding) = coding.filter(|_| !is_known) {
        response = response.header("content-encoding", coding);
    }
    let text = format!("{build} {}", coding.unwrap_or("plain"));
    let body = if is_known { Full::default() } else { Full::from(text) };
    response.header("content-type", "text/javascript").body(body.boxed_unsync()).unwrap()
}

async fn next(build: &'static str) -> StubUpstream {
    StubUpstream::answering(move |request| async move { built(&request, build) }).await
}

/// As many requests as there were that no client has sent.
fn guests(upstream: &StubUpstream) -> usize {
    upstream.seen().iter().filter(|seen| !seen.headers.contains_key("cookie")).count()
}

/// Somebody with a cookie of another server's, which tells their requests from the gateway's own.
fn visitor(stack: &Stack) -> Visitor {
    let visitor = stack.anonymous();
    visitor.set_cookie("theme", "dark");
    visitor
}

fn is_from_memory(reply: &Reply) -> bool {
    reply.headers.contains_key("age")
}

/// Asks until the answer comes from memory.
async fn kept(visitor: &Visitor, target: &str) -> Reply {
    wait_until("the file is in memory", async || is_from_memory(&visitor.get(target).await)).await;
    visitor.get(target).await
}

fn never_asks_again(config: &mut Config) {
    config.limits.static_file_unasked = Duration::from_hours(1);
    config.workers = 1;
}

#[tokio::test]
async fn a_built_file_is_asked_for_once_by_the_gateway_and_then_answered_from_memory() {
    let stack = Stack::with(next("one").await, never_asks_again).await;
    let ada = visitor(&stack);
    let first = ada.get(FILE).await;
    kept(&ada, FILE).await;
    let asked = stack.upstream.seen().len();
    let replies = join_all((0..50).map(|_| ada.get(FILE))).await;
    assert_eq!((stack.upstream.seen().len(), guests(&stack.upstream)), (asked, 1));
    for reply in &replies {
        assert_eq!((reply.status, &reply.body), (first.status, &first.body));
        for name in ["cache-control", "content-length", "content-type", "date", "etag", "vary"] {
            assert!(reply.header(name).is_some(), "{name}");
        }
        assert_eq!(reply.header("x-powered-by"), None);
    }
    assert_ne!(replies[0].header("x-request-id"), replies[1].header("x-request-id"));
    let head = ada.send(Method::HEAD, FILE, None).await;
    assert!(is_from_memory(&head) && head.body.is_empty());
    assert_eq!(head.header("content-length"), first.header("content-length"));
}

#[tokio::test]
async fn who_has_the_file_is_told_so_from_memory() {
    let stack = Stack::with(next("one").await, never_asks_again).await;
    kept(&stack.anonymous(), FILE).await;
    let asked = stack.upstream.seen().len();
    for tag in ["\"one\"", "W/\"one\"", "\"x\", W/\"one\""] {
        let reply = stack.anonymous().header("if-none-match", tag).get(FILE).await;
        assert_eq!((reply.status.as_u16(), reply.body.len()), (304, 0), "{tag}");
        assert_eq!((reply.header("etag"), reply.header("content-type")), (Some("W/\"one\""), None));
    }
    let reply = stack.anonymous().header("if-none-match", "\"two\"").get(FILE).await;
    assert_eq!((reply.status.as_u16(), reply.text()), (200, "one plain"));
    assert_eq!(stack.upstream.seen().len(), asked);
}

#[tokio::test]
async fn what_is_kept_was_asked_for_without_anything_of_a_client_but_its_codings() {
    let stack = Stack::with(next("one").await, never_asks_again).await;
    let ada = stack.signed_in("ada@example.org").await;
    let asking =
        ada.header("accept-encoding", "gzip").header("x-poison", "evil").header("accept", "a/b");
    kept(&asking, FILE).await;
    let seen = stack.upstream.seen();
    let guest = seen.iter().find(|seen| !seen.headers.contains_key("cookie")).unwrap();
    let mut names: Vec<_> = guest.headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    let ours = [
        "accept",
        "accept-encoding",
        "host",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-port",
        "x-forwarded-proto",
        "x-request-id",
    ];
    assert_eq!(names, ours);
    assert_eq!(
        (guest.header("accept"), guest.header("accept-encoding")),
        (Some("*/*"), Some("gzip"))
    );
    assert_eq!((guest.target.path(), guest.header("x-forwarded-for")), (FILE, Some("127.0.0.1")));
}

#[tokio::test]
async fn everybody_gets_the_coding_that_they_accept() {
    let stack = Stack::with(next("one").await, never_asks_again).await;
    let (plain, gzip, br) = ("one plain", "one gzip", "one br");
    let accepts = [("", plain), ("gzip, deflate, br", gzip), ("br", br), ("deflate", plain)];
    for (accept, expected) in accepts.into_iter().chain(accepts) {
        let reply = kept(&stack.anonymous().header("accept-encoding", accept), FILE).await;
        assert_eq!(reply.text(), expected, "{accept}");
        let coding = expected.split(' ').nth(1).filter(|coding| *coding != "plain");
        assert_eq!(reply.header("content-encoding"), coding, "{accept}");
    }
    let unknown = stack.anonymous().header("accept-encoding", "gzip;q=0, br").get(FILE).await;
    assert!(!is_from_memory(&unknown), "weights are the upstream's to judge");
}

/// An answer that is like a built file's but for one thing.
fn not_to_be_kept(request: &Request<Incoming>) -> StubResponse {
    let mut response = built(request, "one");
    let is_guest = !request.headers().contains_key("cookie");
    let path = request.uri().path().to_owned();
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: &'static str| {
        headers.insert(name, value.parse().unwrap());
    };
    match path.rsplit('/').next().unwrap() {
        "cookie.js" => set("set-cookie", "a=b"),
        "varies.js" => set("vary", "Accept-Encoding, Cookie"),
        "private.js" => set("cache-control", "private, max-age=31536000, immutable"),
        "dev.js" => set("cache-control", "no-cache, must-revalidate"),
        "untagged.js" => drop(headers.remove("etag")),
        "missing.js" => *response.status_mut() = http::StatusCode::NOT_FOUND,
        "coded.js" => set("content-encoding", "zstd"),
        "large.js" => *response.body_mut() = Full::from(vec![b'x'; (1 << 20) + 1]).boxed_unsync(),
        "members.js" if is_guest => *response.status_mut() = http::StatusCode::FORBIDDEN,
        _ => {}
    }
    response
}

#[tokio::test]
async fn what_is_not_for_everybody_for_ever_is_never_kept() {
    let upstream = StubUpstream::answering(|request| async move { not_to_be_kept(&request) });
    let stack = Stack::with(upstream.await, never_asks_again).await;
    let ada = visitor(&stack);
    // This one is kept, and shows that the others would have been.
    kept(&ada, FILE).await;
    for file in
        ["cookie", "varies", "private", "dev", "untagged", "missing", "coded", "large", "members"]
    {
        let path = format!("/_next/static/{file}.js");
        for _ in 0..3 {
            let reply = ada.get(&path).await;
            assert!(!is_from_memory(&reply), "{path}");
            // What the gateway asks after is answered before the next file is kept.
            kept(&ada, &format!("/_next/static/after-{file}.js")).await;
        }
        let seen = stack.upstream.seen();
        let asked = seen.iter().filter(|seen| seen.target.path() == path);
        let (clients, guests): (Vec<_>, Vec<_>) =
            asked.partition(|seen| seen.headers.contains_key("cookie"));
        assert_eq!(clients.len(), 3, "{path}");
        assert!(guests.len() <= 1, "{path} was asked for {} times", guests.len());
    }
    let anonymous = stack.anonymous().get("/_next/static/members.js").await;
    assert_eq!(anonymous.status, 403);
}

#[tokio::test]
async fn what_only_the_upstream_can_answer_it_answers() {
    let stack = Stack::with(next("one").await, never_asks_again).await;
    kept(&stack.anonymous(), FILE).await;
    for (name, value) in [
        ("range", "bytes=0-1"),
        ("authorization", "Basic YTpi"),
        ("cache-control", "no-cache"),
        ("if-match", "\"one\""),
        ("if-modified-since", "Tue, 24 Nov 2026 18:00:00 GMT"),
    ] {
        let asked = stack.upstream.seen().len();
        let reply = stack.anonymous().header(name, value).get(FILE).await;
        assert!(!is_from_memory(&reply), "{name}");
        assert_eq!(stack.upstream.seen().len(), asked + 1, "{name}");
        assert_eq!(stack.upstream.last_request().header(name), Some(value));
    }
    let body = Some(("text/plain", "hello".to_owned()));
    assert!(!is_from_memory(&stack.anonymous().send(Method::GET, FILE, body).await));
    assert!(!is_from_memory(&stack.anonymous().send(Method::POST, FILE, None).await));
    for path in [
        "/_next/static/../static/chunks/app.js",
        "/_next/static/chunks/%2e%2e/chunks/app.js",
        "/_next//static/chunks/app.js",
        "/_next/static/chunks/app.js?x=1",
        "/a.js",
    ] {
        for _ in 0..3 {
            assert!(!is_from_memory(&stack.anonymous().get(path).await), "{path}");
        }
        let asked = stack.upstream.seen().into_iter();
        assert_eq!(asked.filter(|seen| seen.target == *path).count(), 3, "{path}");
    }
}

#[tokio::test]
async fn a_file_of_one_host_is_not_anothers() {
    let upstream = StubUpstream::answering(|request| async move {
        let host = request.headers()["host"].to_str().unwrap().to_owned();
        built(&request, &host)
    });
    let stack = Stack::with(upstream.await, never_asks_again).await;
    for _ in 0..3 {
        for host in ["a.example", "b.example"] {
            let ask = async || {
                let request =
                    Request::get(FILE).header("host", host).body(Full::<Bytes>::default());
                let (head, body) = stack.anonymous().start(request.unwrap()).await.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                assert_eq!(body, format!("{host} plain"));
                head.headers.contains_key("age")
            };
            wait_until("the file is in memory", ask).await;
        }
    }
}

#[tokio::test]
async fn whoever_asks_at_once_makes_one_question_and_waits_for_nobody() {
    let upstream = StubUpstream::answering(|request| async move {
        if !request.headers().contains_key("cookie") {
            pending::<()>().await;
        }
        built(&request, "one")
    });
    let stack = Stack::with(upstream.await, never_asks_again).await;
    let ada = visitor(&stack);
    let replies = join_all((0..50).map(|_| ada.get(FILE))).await;
    assert!(replies.iter().all(|reply| reply.text() == "one plain" && !is_from_memory(reply)));
    wait_until("the gateway asks", async || guests(&stack.upstream) > 0).await;
    ada.get(FILE).await;
    assert_eq!(guests(&stack.upstream), 1);
}

#[tokio::test]
async fn another_build_at_the_same_place_is_served_at_once_and_nothing_of_the_one_before() {
    let database = TestDatabase::sqlite().await;
    let old = StubUpstream::answering(|request| async move { built(&request, "old") }).await;
    let gateway = RunningGateway::start(database.url(), old.address(), never_asks_again).await;
    let somebody = gateway.anonymous();
    kept(&somebody, FILE).await;
    kept(&somebody, "/_next/static/old.js").await;
    let address = old.end().await;
    // Whatever is asked in between, it shows that the old build is gone.
    wait_until("nobody answers", async || somebody.get("/").await.status == 502).await;
    let new = StubUpstream::again(address, |request| async move {
        let mut response = built(&request, "new");
        if request.uri().path().ends_with("old.js") {
            response = Response::new(Full::from("gone").boxed_unsync());
            *response.status_mut() = http::StatusCode::NOT_FOUND;
        }
        response
    });
    let new = new.await;
    assert_eq!(somebody.get(FILE).await.text(), "new plain");
    assert_eq!(somebody.get("/_next/static/old.js").await.status, 404);
    assert_eq!(kept(&somebody, FILE).await.text(), "new plain");
    assert!(new.seen().len() >= 3);
}

#[tokio::test]
async fn a_restart_that_no_request_meets_is_noticed_by_the_connection_that_ends() {
    let database = TestDatabase::sqlite().await;
    let old = StubUpstream::answering(|request| async move { built(&request, "old") }).await;
    let gateway = RunningGateway::start(database.url(), old.address(), never_asks_again).await;
    let somebody = gateway.anonymous();
    kept(&somebody, FILE).await;
    let address = old.end().await;
    let _new = StubUpstream::again(address, |request| async move { built(&request, "new") }).await;
    wait_until("the new build is served", async || somebody.get(FILE).await.text() == "new plain")
        .await;
    assert_eq!(kept(&somebody, FILE).await.text(), "new plain");
}

#[tokio::test]
async fn the_same_build_after_a_restart_is_confirmed_and_not_read_again() {
    let database = TestDatabase::sqlite().await;
    let old = StubUpstream::answering(|request| async move { built(&request, "one") }).await;
    let gateway = RunningGateway::start(database.url(), old.address(), never_asks_again).await;
    let somebody = gateway.anonymous();
    somebody.set_cookie("theme", "dark");
    kept(&somebody, FILE).await;
    let address = old.end().await;
    wait_until("nobody answers", async || somebody.get("/").await.status == 502).await;
    let again = StubUpstream::again(address, |request| async move { built(&request, "one") }).await;
    assert!(!is_from_memory(&somebody.get(FILE).await), "nobody has vouched for it");
    assert_eq!(kept(&somebody, FILE).await.text(), "one plain");
    let seen = again.seen();
    let guest = seen.iter().find(|seen| !seen.headers.contains_key("cookie")).unwrap();
    assert_eq!(guest.header("if-none-match"), Some("W/\"one\""));
    assert_eq!(guests(&again), 1);
}

#[tokio::test]
async fn files_that_change_under_a_running_upstream_are_noticed_in_time() {
    let build = Arc::new(AtomicUsize::new(1));
    let current = build.clone();
    let upstream = StubUpstream::answering(move |request| {
        let build = current.load(SeqCst);
        async move { built(&request, &build.to_string()) }
    });
    let stack = Stack::with(upstream.await, |config| {
        config.limits.static_file_unasked = Duration::from_millis(300);
    });
    let stack = stack.await;
    let somebody = stack.anonymous();
    for number in 1..4 {
        build.store(number, SeqCst);
        let expected = format!("{number} plain");
        wait_until("the new file is in memory", async || {
            let reply = somebody.get(FILE).await;
            is_from_memory(&reply) && reply.text() == expected
        })
        .await;
    }
}

#[tokio::test]
async fn without_memory_every_request_goes_to_the_upstream() {
    let stack = Stack::with(next("one").await, |config| config.static_cache_size = 0).await;
    for _ in 0..5 {
        assert!(!is_from_memory(&stack.anonymous().get(FILE).await));
    }
    assert_eq!(stack.upstream.seen().len(), 5, "nor does the gateway ask for itself");
}

#[tokio::test]
async fn an_answer_from_memory_is_counted_and_says_what_others_do() {
    let stack = Stack::with(next("one").await, |config| {
        never_asks_again(config);
        config.admin = Some(ListenAt::Tcp { host: "127.0.0.1".to_owned(), port: 0 });
        config.front.public_url = Some(PublicUrl::parse("https://shop.example").unwrap());
    });
    let stack = stack.await;
    let reply = kept(&stack.anonymous(), FILE).await;
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    stack.anonymous().header("range", "bytes=0-1").get(FILE).await;
    let scrape = Visitor::new(stack.admin_address()).get("/metrics").await;
    let scrape = Scrape::parse(scrape.text());
    let requests =
        |result| scrape.value("nextbnb_static_cache_requests_total", &[("result", result)]);
    assert_eq!((requests("bypass"), requests("hit") >= 2, requests("miss") >= 1), (1, true, true));
    assert_eq!(scrape.value("nextbnb_static_cache_files", &[]), 1);
    assert!(scrape.value("nextbnb_static_cache_bytes", &[]) > "one plain".len() as u64);
    let asset = [("method", "GET"), ("route", "asset"), ("status", "200")];
    let answered = scrape.value("nextbnb_http_requests_total", &asset);
    assert_eq!(answered, requests("hit") + requests("miss") + requests("bypass"));
}
