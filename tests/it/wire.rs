//! Requests as old and as eager clients send them.

use nextbnb_tests::stack::Stack;
use nextbnb_tests::wire::{Wire, exchange};

#[track_caller]
fn assert_status(answer: &str, status: u16) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
}

#[tokio::test]
async fn an_old_client_is_served_although_it_names_no_host() {
    let stack = Stack::start().await;
    let answer = exchange(stack.address(), "GET / HTTP/1.0\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
    assert!(answer.ends_with("hello from upstream"), "{answer}");
    let host = stack.address().to_string();
    assert_eq!(stack.upstream.last_request().header("host"), Some(host.as_str()));
    assert_eq!(stack.upstream.last_request().header("x-forwarded-host"), Some(host.as_str()));
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let stack = Stack::start().await;
    let one = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n";
    let two = "GET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let answers = exchange(stack.address(), format!("{one}{two}")).await;
    assert_eq!(answers.matches("hello from upstream").count(), 2, "{answers}");
    let targets: Vec<_> = stack.upstream.seen().iter().map(|s| s.target.to_string()).collect();
    assert_eq!(targets, ["/1", "/2"]);
}

#[tokio::test]
async fn an_upload_begins_when_the_gateway_says_so() {
    let stack = Stack::start().await;
    let mut wire = Wire::connect(stack.address()).await;
    let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
    wire.send(head).await;
    let first = wire.read_head().await;
    assert!(first.starts_with("HTTP/1.1 100"), "{first}");
    wire.send("hello").await;
    let answer = wire.read_head().await;
    assert_status(&answer, 200);
    assert_eq!(stack.upstream.last_request().header("expect"), None);
}
