//! More at once than is served.

use nextbnb_gateway::config::Config;
use nextbnb_gateway::downstream::front::ProxyProtocol;
use nextbnb_gateway::downstream::proxy_protocol::LOCAL_HEADER;
use nextbnb_tests::stack::Stack;
use nextbnb_tests::upstream::{StubUpstream, text};
use nextbnb_tests::wait_until;
use nextbnb_tests::wire::Wire;
use tokio::sync::watch;

use crate::upgrade::echoing_upstream;

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// A request for a WebSocket, but for its end.
const SOCKET: &str = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

/// A gateway whose clients are named by a PROXY header.
async fn stack(change: impl FnOnce(&mut Config)) -> Stack {
    let upstream = StubUpstream::start().await;
    Stack::with(upstream, |config| {
        config.front.proxy_protocol = ProxyProtocol::Required;
        change(config);
    })
    .await
}

/// A gateway behind a proxy of this machine.
async fn behind_proxy(upstream: StubUpstream, change: impl FnOnce(&mut Config)) -> Stack {
    Stack::with(upstream, |config| {
        config.front.trusted.add("loopback").unwrap();
        change(config);
    })
    .await
}

/// A connection of the client at `address`.
async fn connect(stack: &Stack, address: &str) -> Wire {
    let mut wire = Wire::connect(stack.address()).await;
    wire.send(format!("PROXY TCP4 {address} 10.0.0.1 4711 443\r\n")).await;
    wire
}

async fn assert_served(wire: &mut Wire) {
    wire.send(REQUEST).await;
    wire.read_until("hello from upstream").await;
}

async fn is_served(mut wire: Wire) -> bool {
    wire.send("GET /.nextbnb/health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    wire.read_to_end().await.starts_with("HTTP/1.1 200 ")
}

async fn assert_turned_away(wire: Wire) {
    let answer = wire.read_to_end().await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("Retry-After: ") && answer.contains("Connection: close"), "{answer}");
}

#[tokio::test]
async fn one_client_has_its_share_of_connections_and_everybody_else_theirs() {
    let stack = stack(|config| config.limits.connections_per_client = Some(2)).await;
    let mut first = connect(&stack, "203.0.113.7").await;
    let mut second = connect(&stack, "203.0.113.7").await;
    assert_served(&mut first).await;
    assert_served(&mut second).await;
    assert_turned_away(connect(&stack, "203.0.113.7").await).await;
    let mut other = connect(&stack, "203.0.113.8").await;
    for wire in [&mut first, &mut second, &mut other] {
        assert_served(wire).await;
    }
    drop(second);
    wait_until("its place is free", async || is_served(connect(&stack, "203.0.113.7").await).await)
        .await;
}

#[tokio::test]
async fn whoever_may_be_many_has_no_share() {
    let stack = stack(|config| config.limits.connections_per_client = Some(1)).await;
    for address in ["127.0.0.1", "10.0.0.7"] {
        let mut wires = Vec::new();
        for _ in 0..4 {
            let mut wire = connect(&stack, address).await;
            assert_served(&mut wire).await;
            wires.push(wire);
        }
    }
}

#[tokio::test]
async fn when_all_places_are_taken_those_who_have_one_are_served_and_the_rest_told() {
    let upstream = StubUpstream::start().await;
    let stack = Stack::with(upstream, |config| config.limits.connections = Some(3)).await;
    // This machine may have some more.
    let mut places = Vec::new();
    let turned_away = loop {
        let mut wire = Wire::connect(stack.address()).await;
        wire.send(REQUEST).await;
        if wire.read_head().await.starts_with("HTTP/1.1 503 ") {
            break wire;
        }
        wire.read_until("hello from upstream").await;
        places.push(wire);
        assert!(places.len() < 100, "nobody is turned away");
    };
    turned_away.read_to_end().await;
    assert!(places.len() > 3, "health checks of this machine come through: {}", places.len());
    for wire in &mut places {
        assert_served(wire).await;
    }
    places.pop();
    wait_until("a place is free", async || is_served(Wire::connect(stack.address()).await).await)
        .await;
}

#[tokio::test]
async fn what_is_kept_for_health_checks_is_not_for_clients_whom_a_proxy_introduces() {
    let stack = stack(|config| config.limits.connections = Some(8)).await;
    let mut places = Vec::new();
    for number in 1..=8 {
        let mut wire = connect(&stack, &format!("203.0.113.{number}")).await;
        assert_served(&mut wire).await;
        places.push(wire);
    }
    assert_turned_away(connect(&stack, "203.0.113.9").await).await;
    let mut health = Wire::connect(stack.address()).await;
    health.send(LOCAL_HEADER).await;
    assert!(is_served(health).await);
}

#[tokio::test]
async fn an_open_socket_keeps_its_place() {
    let stack = Stack::with(echoing_upstream().await, |config| {
        config.front.proxy_protocol = ProxyProtocol::Required;
        config.limits.connections_per_client = Some(1);
    })
    .await;
    let mut socket = connect(&stack, "203.0.113.7").await;
    socket.send(format!("{SOCKET}\r\n")).await;
    assert!(socket.read_head().await.starts_with("HTTP/1.1 101 "));
    socket.send("ping").await;
    socket.read_until("welcomeping").await;
    assert_turned_away(connect(&stack, "203.0.113.7").await).await;
    drop(socket);
    wait_until("its place is free", async || is_served(connect(&stack, "203.0.113.7").await).await)
        .await;
}

/// An upstream that answers `/slow` when it is told to.
async fn slow_upstream() -> (StubUpstream, watch::Sender<bool>) {
    let (answer, answers) = watch::channel(false);
    let upstream = StubUpstream::answering(move |request| {
        let mut answers = answers.clone();
        async move {
            if request.uri().path() == "/slow" {
                answers.wait_for(|may| *may).await.unwrap();
            }
            text("hello")
        }
    });
    (upstream.await, answer)
}

#[tokio::test]
async fn requests_over_the_limit_are_told_to_come_again_but_for_those_of_this_machine_and_health() {
    let (upstream, answer) = slow_upstream().await;
    let stack = behind_proxy(upstream, |config| config.limits.requests = Some(2)).await;
    let from = |address: &str| stack.anonymous().header("X-Forwarded-For", address);
    let slow = [from("203.0.113.1"), from("203.0.113.2")];
    let slow = slow.map(|visitor| tokio::spawn(async move { visitor.get("/slow").await.status }));
    wait_until("both are under way", async || stack.upstream.seen().len() == 2).await;
    let refused = from("203.0.113.3").header("Accept", "text/html").get("/").await;
    assert_eq!(refused.status, 503);
    assert_eq!(refused.header("retry-after"), Some("5"));
    assert!(refused.text().contains("Too many are here at once"), "{}", refused.text());
    assert_eq!(stack.upstream.seen().len(), 2, "the upstream was spared");
    assert_eq!(from("203.0.113.3").get("/.nextbnb/health").await.status, 200);
    assert_eq!(stack.anonymous().get("/").await.status, 200, "pages call the gateway back");
    answer.send_replace(true);
    for slow in slow {
        assert_eq!(slow.await.unwrap(), 200);
    }
    wait_until("their places are free", async || from("203.0.113.3").get("/").await.status == 200)
        .await;
}

#[tokio::test]
async fn one_client_has_its_share_of_requests_however_many_share_a_connection() {
    let (upstream, answer) = slow_upstream().await;
    let limited = |config: &mut Config| config.limits.connections_per_client = Some(2);
    let stack = behind_proxy(upstream, limited).await;
    let from = |address: &str| stack.anonymous().header("X-Forwarded-For", address);
    let slow = [from("203.0.113.1"), from("203.0.113.1")];
    let slow = slow.map(|visitor| tokio::spawn(async move { visitor.get("/slow").await.status }));
    wait_until("both are under way", async || stack.upstream.seen().len() == 2).await;
    assert_eq!(from("203.0.113.1").get("/").await.status, 503);
    assert_eq!(from("203.0.113.2").get("/").await.status, 200);
    answer.send_replace(true);
    for slow in slow {
        assert_eq!(slow.await.unwrap(), 200);
    }
    wait_until("its places are free", async || from("203.0.113.1").get("/").await.status == 200)
        .await;
}

async fn open_socket(stack: &Stack, address: &str) -> (String, Wire) {
    let mut wire = Wire::connect(stack.address()).await;
    wire.send(format!("{SOCKET}X-Forwarded-For: {address}\r\n\r\n")).await;
    (wire.read_head().await, wire)
}

#[tokio::test]
async fn one_client_has_its_share_of_sockets_and_all_together_leave_room_for_pages() {
    let stack = behind_proxy(echoing_upstream().await, |config| {
        config.limits.upgrades = Some(3);
        config.limits.upgrades_per_client = Some(2);
    })
    .await;
    let mut open = Vec::new();
    for (address, status) in [
        ("203.0.113.1", 101),
        ("203.0.113.1", 101),
        ("203.0.113.1", 503),
        ("203.0.113.2", 101),
        ("203.0.113.3", 503),
    ] {
        let (head, mut wire) = open_socket(&stack, address).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{address}: {head}");
        if status == 101 {
            wire.read_until("welcome").await;
            open.push(wire);
        }
    }
    assert_eq!(stack.upstream.seen().len(), 3, "the upstream was spared");
    for wire in &mut open {
        wire.send("ping").await;
        wire.read_until("ping").await;
    }
    let page = stack.anonymous().header("X-Forwarded-For", "203.0.113.3").get("/").await;
    assert_eq!(page.status, 200);
    open.pop();
    wait_until("a socket's place is free", async || {
        open_socket(&stack, "203.0.113.3").await.0.starts_with("HTTP/1.1 101 ")
    })
    .await;
}
