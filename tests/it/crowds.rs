//! More at once than is served.

use nextbnb_gateway::config::Config;
use nextbnb_gateway::downstream::front::ProxyProtocol;
use nextbnb_tests::stack::Stack;
use nextbnb_tests::upstream::StubUpstream;
use nextbnb_tests::wait_until;
use nextbnb_tests::wire::Wire;

use crate::upgrade::echoing_upstream;

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// A gateway whose clients are named by a PROXY header.
async fn stack(change: impl FnOnce(&mut Config)) -> Stack {
    let upstream = StubUpstream::start().await;
    Stack::with(upstream, |config| {
        config.front.proxy_protocol = ProxyProtocol::Required;
        change(config);
    })
    .await
}

/// A connection of the client at `address`, its first answer read unless it is turned away.
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
async fn an_open_socket_keeps_its_place() {
    let stack = Stack::with(echoing_upstream().await, |config| {
        config.front.proxy_protocol = ProxyProtocol::Required;
        config.limits.connections_per_client = Some(1);
    })
    .await;
    let mut socket = connect(&stack, "203.0.113.7").await;
    socket
        .send(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        )
        .await;
    assert!(socket.read_head().await.starts_with("HTTP/1.1 101 "));
    socket.send("ping").await;
    socket.read_until("welcomeping").await;
    assert_turned_away(connect(&stack, "203.0.113.7").await).await;
    drop(socket);
    wait_until("its place is free", async || is_served(connect(&stack, "203.0.113.7").await).await)
        .await;
}
