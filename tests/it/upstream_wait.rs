//! `--upstream-wait`: requests that come while an upstream takes no connections.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use nextbnb_gateway::config::Config;
use nextbnb_gateway::server::listen_at::ListenAt;
use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::exposition::Scrape;
use nextbnb_tests::stack::RunningGateway;
use nextbnb_tests::upstream::{AbsentUpstream, text};
use nextbnb_tests::visitor::Visitor;
use nextbnb_tests::wait_until;
use nextbnb_tests::wire::Wire;

/// Much longer than a test takes.
const LONG: Duration = Duration::from_hours(1);

const UPGRADE: &str = "GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                       Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

const ALL: [&str; 3] = [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /order HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    UPGRADE,
];

fn patient(config: &mut Config) {
    config.workers = 1;
    config.limits.upstream_absence = LONG;
    config.drain = LONG;
    config.admin = Some(ListenAt::Tcp { host: "127.0.0.1".to_owned(), port: 0 });
}

async fn gateway(upstream: SocketAddr) -> RunningGateway {
    RunningGateway::start(TestDatabase::sqlite().await.url(), upstream, patient).await
}

async fn asked(gateway: &RunningGateway, request: &str) -> Wire {
    let mut wire = Wire::connect(gateway.address()).await;
    wire.send(request).await;
    wire
}

async fn wait_for(gateway: &RunningGateway, count: u64) {
    let admin = Visitor::new(gateway.admin_address());
    wait_until("so many requests wait", async || {
        let scrape = Scrape::parse(admin.get("/metrics").await.text());
        scrape.value("nextbnb_upstream_waiting", &[]) == count
            && scrape.value("nextbnb_http_requests_in_flight", &[]) == count
    })
    .await;
}

#[tokio::test]
async fn requests_of_every_kind_wait_for_an_upstream_that_is_away() {
    let absent = AbsentUpstream::reserve();
    let gateway = gateway(absent.address()).await;
    let mut wires = join_all(ALL.map(|request| asked(&gateway, request))).await;
    wait_for(&gateway, 3).await;
    let upstream = absent.come(|_| async { text("back") });
    for wire in &mut wires {
        let answer = wire.read_until("back").await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
    wait_for(&gateway, 0).await;
    assert_eq!(upstream.seen().len(), 3);
}

#[tokio::test]
async fn a_request_whose_client_goes_away_waits_no_more_and_the_others_do() {
    let absent = AbsentUpstream::reserve();
    let gateway = gateway(absent.address()).await;
    let first = asked(&gateway, ALL[0]).await;
    wait_for(&gateway, 1).await;
    let mut second = asked(&gateway, ALL[1]).await;
    wait_for(&gateway, 2).await;
    drop(first);
    wait_for(&gateway, 1).await;
    let upstream = absent.come(|_| async { text("back") });
    second.read_until("back").await;
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn the_end_of_the_process_waits_for_no_upstream() {
    let absent = AbsentUpstream::reserve();
    let gateway = gateway(absent.address()).await;
    let mut wires = join_all(ALL.map(|request| asked(&gateway, request))).await;
    wait_for(&gateway, 3).await;
    let stopping = tokio::spawn(gateway.stop());
    for wire in &mut wires {
        let answer = wire.read_head().await;
        assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
        assert!(answer.contains("\r\nretry-after: "), "{answer}");
    }
    stopping.await.unwrap();
}

#[tokio::test]
async fn whether_an_upstream_can_be_reached_is_told_at_once() {
    let gateway = gateway(AbsentUpstream::reserve().address()).await;
    let reply = gateway.anonymous().get("/.nextbnb/health/upstreams").await;
    assert_eq!(reply.status, 503, "{}", reply.text());
}
