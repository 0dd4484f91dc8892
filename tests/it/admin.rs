//! `--admin`: what operators are told, and nobody else.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::join_all;
use http::{Method, StatusCode};
use nextbnb_gateway::config::Config;
use nextbnb_gateway::ops::metrics::families::{ALL, Kind};
use nextbnb_gateway::server::listen_at::ListenAt;
use nextbnb_tests::chaos::ChaosProxy;
use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::exposition::Scrape;
use nextbnb_tests::stack::{PASSWORD, RunningGateway, Stack, credentials};
use nextbnb_tests::upstream::{StubUpstream, text};
use nextbnb_tests::visitor::{Reply, Visitor};
use nextbnb_tests::wait_until;
use nextbnb_tests::wire::{Wire, exchange};
use tokio::sync::Notify;

fn with_admin(config: &mut Config) {
    config.admin = Some(ListenAt::Tcp { host: "127.0.0.1".to_owned(), port: 0 });
}

async fn stack() -> Stack {
    Stack::with(StubUpstream::start().await, with_admin).await
}

async fn told(admin: SocketAddr, path: &str) -> Reply {
    Visitor::new(admin).get(path).await
}

async fn scrape(admin: SocketAddr) -> Scrape {
    let reply = told(admin, "/metrics").await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    Scrape::parse(reply.text())
}

/// Waits until no answer is under way; what is counted with its end is counted then.
async fn scrape_at_rest(admin: SocketAddr) -> Scrape {
    wait_until("every answer has ended", async || {
        scrape(admin).await.value("nextbnb_http_requests_in_flight", &[]) == 0
    })
    .await;
    scrape(admin).await
}

#[tokio::test]
async fn every_request_is_counted_once_by_method_route_and_status() {
    let stack = stack().await;
    let (guest, admin) = (stack.anonymous(), stack.admin_address());
    join_all((0..7).map(|_| guest.get("/trips"))).await;
    guest.get("/_next/static/chunks/main.js").await;
    guest.get("/.nextbnb/health").await;
    guest.get("/.nextbnb/nothing").await;
    guest.send(Method::POST, "/api/houses", Some(("text/plain", "12345".to_owned()))).await;
    guest.send("M-SEARCH".parse().unwrap(), "/", None).await;
    let scrape = scrape_at_rest(admin).await;
    let requests = |method, route, status| {
        let labels = [("method", method), ("route", route), ("status", status)];
        scrape.value("nextbnb_http_requests_total", &labels)
    };
    assert_eq!(requests("GET", "page", "200"), 7);
    assert_eq!(requests("GET", "asset", "200"), 1);
    assert_eq!(requests("GET", "own", "200"), 1);
    assert_eq!(requests("GET", "own", "404"), 1);
    assert_eq!(requests("POST", "page", "200"), 1);
    assert_eq!(requests("other", "page", "200"), 1);
    assert_eq!(scrape.sum("nextbnb_http_requests_total"), 12);
    let durations = "nextbnb_http_request_duration_seconds_count";
    assert_eq!(scrape.value(durations, &[("route", "page")]), 9);
    assert_eq!(scrape.sum(durations), 12);
    assert_eq!(scrape.value("nextbnb_upstream_duration_seconds_count", &[]), 10);
    assert_eq!(scrape.value("nextbnb_http_request_body_bytes_total", &[]), 5);
    let refused =
        |reason| scrape.value("nextbnb_http_requests_refused_total", &[("reason", reason)]);
    assert_eq!((refused("nothing_here"), refused("upstream_silent")), (1, 0));
    let hello = "hello from upstream".len() as u64;
    assert!(scrape.value("nextbnb_http_response_body_bytes_total", &[]) >= 10 * hello);
    assert_eq!(scrape.value("nextbnb_connections_accepted_total", &[]), 12);
    assert_eq!(scrape.value("nextbnb_workers", &[]), 2);
}

async fn feed_is_up(stack: &Stack) {
    wait_until("the change feed is up", async || {
        scrape(stack.admin_address()).await.value("nextbnb_change_feed_up", &[]) == 1
    })
    .await;
}

#[tokio::test]
async fn sign_ins_sessions_and_statements_are_counted() {
    let stack = stack().await;
    feed_is_up(&stack).await;
    let ada = stack.signed_in("ada@example.org").await;
    let before = scrape_at_rest(stack.admin_address()).await;
    ada.get("/").await;
    stack.anonymous().get("/").await;
    let login = |password| credentials("ada@example.org", password);
    assert_eq!(
        stack.anonymous().post("/api/auth/login", &login("wrong password")).await.status,
        401
    );
    assert_eq!(stack.anonymous().post("/api/auth/login", &login(PASSWORD)).await.status, 200);
    let after = scrape_at_rest(stack.admin_address()).await;
    let grown = |name: &str, labels: &[(&str, &str)]| {
        after.value(name, labels) - before.value(name, labels)
    };
    let auth = |action, result| {
        grown("nextbnb_auth_requests_total", &[("action", action), ("result", result)])
    };
    assert_eq!((auth("login", "done"), auth("login", "refused")), (1, 1));
    assert_eq!(auth("register", "done"), 0);
    let registered = [("action", "register"), ("result", "done")];
    assert_eq!(before.value("nextbnb_auth_requests_total", &registered), 1);
    let lookups = |result| grown("nextbnb_session_lookups_total", &[("result", result)]);
    // A sign-in that is refused is a visit, too.
    assert_eq!((lookups("live"), lookups("none"), lookups("failed")), (1, 2, 0));
    assert!(grown("nextbnb_database_statements_total", &[("result", "done")]) >= 4);
    assert_eq!(grown("nextbnb_database_statements_total", &[("result", "failed")]), 0);
    assert!(after.value("nextbnb_database_connections_limit", &[]) >= 1);
    assert_eq!(after.value("nextbnb_change_feed_up", &[]), 1);
    assert!(grown("nextbnb_change_feed_notices_total", &[]) >= 1, "the sign-in is told");
    let found = |name| after.value(&format!("nextbnb_session_cache_{name}_total"), &[]);
    assert!(found("hits") + found("misses") + found("coalesced") >= 1);
    assert!(after.value("nextbnb_session_cache_entries", &[]) >= 1);
}

#[tokio::test]
async fn a_client_that_leaves_before_its_answer_is_counted_as_gone() {
    let never = Arc::new(Notify::new());
    let upstream = StubUpstream::answering(move |_| {
        let never = never.clone();
        async move {
            never.notified().await;
            text("never")
        }
    });
    let stack = Stack::with(upstream.await, with_admin).await;
    let mut wire = Wire::connect(stack.address()).await;
    wire.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
    wait_until("the request came", async || !stack.upstream.seen().is_empty()).await;
    let scrape = scrape(stack.admin_address()).await;
    assert_eq!(scrape.value("nextbnb_http_requests_in_flight", &[]), 1);
    assert_eq!(scrape.value("nextbnb_open", &[("what", "connections")]), 1);
    drop(wire);
    let scrape = scrape_at_rest(stack.admin_address()).await;
    let gone = [("method", "GET"), ("route", "page"), ("status", "gone")];
    assert_eq!(scrape.value("nextbnb_http_requests_total", &gone), 1);
    assert_eq!(scrape.sum("nextbnb_http_request_duration_seconds_count"), 0);
}

#[tokio::test]
async fn what_is_exposed_is_what_is_declared() {
    let stack = stack().await;
    feed_is_up(&stack).await;
    stack.anonymous().get("/").await;
    let scrape = scrape(stack.admin_address()).await;
    let declared: BTreeSet<String> = ALL.iter().map(|family| family.exposed_name()).collect();
    let exposed: BTreeSet<String> = scrape.types.keys().cloned().collect();
    let without: Vec<_> = declared.symmetric_difference(&exposed).collect();
    assert_eq!(without, ["nextbnb_tls_certificate_not_after_timestamp_seconds"]);
    for family in ALL {
        let name = family.exposed_name();
        let Some(kind) = scrape.types.get(&name) else { continue };
        let expected = match family.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let labels: BTreeSet<String> = family.labels.iter().map(ToString::to_string).collect();
        assert_eq!((kind.as_str(), scrape.labels(&name)), (expected, labels), "{name}");
    }
}

#[tokio::test]
async fn whoever_asks_for_openmetrics_gets_the_same_numbers() {
    let stack = stack().await;
    stack.anonymous().get("/").await;
    let asked = Visitor::new(stack.admin_address());
    let asked = asked.header("Accept", "application/openmetrics-text;version=1.0.0");
    let reply = asked.get("/metrics").await;
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(reply.header("content-type"), Some(content_type));
    assert!(reply.text().ends_with("\n# EOF\n"), "{}", reply.text());
    assert!(reply.text().contains("# TYPE nextbnb_http_requests counter\n"));
    let line = "nextbnb_http_requests_total{method=\"GET\",route=\"page\",status=\"200\"} 1\n";
    assert!(reply.text().contains(line), "{}", reply.text());
}

#[tokio::test]
async fn clients_are_told_nothing_and_the_names_stay_the_frontends() {
    let stack = stack().await;
    for path in ["/metrics", "/health", "/ready", "/live"] {
        assert_eq!(stack.anonymous().get(path).await.text(), "hello from upstream", "{path}");
        assert_eq!(stack.upstream.last_request().target.path(), path);
    }
    for path in ["/.nextbnb/metrics", "/.nextbnb/ready"] {
        assert_eq!(stack.anonymous().get(path).await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(told(stack.admin_address(), "/").await.status, StatusCode::NOT_FOUND);
}

/// DNS rebinding: a page's own name leads to 127.0.0.1, so that the browser takes it for the page's.
#[tokio::test]
async fn a_page_whose_name_was_led_here_reads_nothing() {
    let stack = stack().await;
    let admin = stack.admin_address();
    for host in ["evil.example", "evil.example:9464", "127.0.0.1.evil.example"] {
        let request = format!("GET /metrics HTTP/1.1\r\nHost: {host}\r\n\r\n");
        let answer = exchange(admin, request).await;
        assert!(answer.starts_with("HTTP/1.1 421 "), "{answer}");
        assert!(!answer.contains("nextbnb_"), "{answer}");
    }
    for host in ["localhost:9464", "gateway:9464", "[::1]"] {
        let request = format!("GET /live HTTP/1.1\r\nHost: {host}\r\n\r\n");
        assert!(exchange(admin, request).await.starts_with("HTTP/1.1 200 "), "{host}");
    }
}

#[tokio::test]
async fn nothing_is_done_by_asking() {
    let stack = stack().await;
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
        let reply = Visitor::new(stack.admin_address()).send(method, "/health", None).await;
        assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(reply.header("allow"), Some("GET, HEAD"));
    }
    let head = Visitor::new(stack.admin_address()).send(Method::HEAD, "/metrics", None).await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
}

#[tokio::test]
async fn readiness_follows_the_database_and_the_upstream() {
    let database = TestDatabase::postgres().await;
    let postgres = ChaosProxy::before(&database).await;
    let upstream = StubUpstream::start().await;
    let (url, at) = (postgres.url(), upstream.address());
    let gateway = RunningGateway::start(url, at, with_admin).await;
    let admin = gateway.admin_address();
    let ready = told(admin, "/ready").await;
    assert_eq!(ready.status, StatusCode::OK, "{}", ready.text());
    assert_eq!(ready.json()["reasons"], serde_json::json!([]));
    let has_reason = async |part: &str| {
        let reply = told(admin, "/ready").await;
        let is_told = reply.json()["reasons"].to_string().contains(part);
        reply.status == StatusCode::SERVICE_UNAVAILABLE && is_told
    };
    drop(upstream);
    wait_until("the upstream is missed", async || {
        has_reason("the upstream of / cannot be reached").await
    })
    .await;
    postgres.cut();
    wait_until("the database is missed", async || has_reason("the database does not answer").await)
        .await;
    assert_eq!(told(admin, "/live").await.status, StatusCode::OK);
    let health = told(admin, "/health").await;
    assert_eq!(health.status, StatusCode::OK);
    assert_eq!(health.json()["database"]["answers"], false);
    postgres.heal();
    wait_until("the database is back", async || {
        told(admin, "/health").await.json()["database"]["answers"] == true
    })
    .await;
}

#[tokio::test]
async fn health_tells_details_and_nothing_of_anybody() {
    let stack = stack().await;
    let ada = stack.signed_in("ada@example.org").await;
    ada.get("/").await;
    let reply = told(stack.admin_address(), "/health").await;
    let health = reply.json();
    assert_eq!((&health["status"], &health["draining"]), (&"ready".into(), &false.into()));
    assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(health["database"]["kind"], "postgres");
    assert!(health["change_feed"]["notices"].is_u64(), "{health}");
    assert_eq!(health["upstreams"][0]["prefix"], "/");
    assert_eq!(health["upstreams"][0]["reachable"], true);
    let address = format!("http://{}", stack.upstream.address());
    assert_eq!(health["upstreams"][0]["address"], address);
    assert_eq!(health["workers"]["threads"], 2);
    let metrics = told(stack.admin_address(), "/metrics").await;
    let cookie = ada.cookie("nextbnb").unwrap();
    for secret in ["ada@", "ada%40", "postgres://", &cookie] {
        assert!(!reply.text().contains(secret), "{}", reply.text());
        assert!(!metrics.text().contains(secret), "{}", metrics.text());
    }
}

#[tokio::test]
async fn that_the_end_has_begun_is_told_until_it_has_come() {
    let (came, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (upstream_came, upstream_go) = (came.clone(), go.clone());
    let upstream = StubUpstream::answering(move |_| {
        let (came, go) = (upstream_came.clone(), upstream_go.clone());
        async move {
            came.notify_one();
            go.notified().await;
            text("finished")
        }
    });
    let upstream = upstream.await;
    let database = TestDatabase::postgres().await;
    let gateway = RunningGateway::start(database.url(), upstream.address(), with_admin).await;
    let (admin, guest) = (gateway.admin_address(), gateway.anonymous());
    let running = tokio::spawn(async move { guest.get("/slow").await.status });
    came.notified().await;
    let stopping = tokio::spawn(gateway.stop());
    wait_until("the end is told", async || {
        told(admin, "/ready").await.text().contains("the process is ending")
    })
    .await;
    assert_eq!(scrape(admin).await.value("nextbnb_draining", &[]), 1);
    go.notify_one();
    assert_eq!(running.await.unwrap(), StatusCode::OK);
    stopping.await.unwrap();
    wait_until("nobody is there", async || tokio::net::TcpStream::connect(admin).await.is_err())
        .await;
}

#[tokio::test]
async fn slow_clients_of_operators_hold_up_nobody() {
    let stack = stack().await;
    let slow = (0..8).map(async |_| {
        let mut wire = Wire::connect(stack.admin_address()).await;
        wire.send("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n").await;
        wire
    });
    let slow = join_all(slow).await;
    assert_eq!(told(stack.admin_address(), "/live").await.status, StatusCode::OK);
    assert_eq!(stack.anonymous().get("/").await.status, StatusCode::OK);
    drop(slow);
}

#[tokio::test]
async fn operators_are_answered_at_a_file_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("admin.sock");
    let at = ListenAt::Unix { path: path.clone(), mode: 0o600 };
    let upstream = StubUpstream::start().await;
    let stack = Stack::with(upstream, |config| config.admin = Some(at)).await;
    wait_until("both workers are told of", async || {
        let mut wire = Wire::connect_at(&path).await;
        wire.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        wire.read_to_end().await.contains("\nnextbnb_workers 2\n")
    })
    .await;
    stack.stop().await;
    assert!(!path.exists());
}
