//! Requests as old clients send them.

use nextbnb_tests::stack::Stack;
use nextbnb_tests::wire::exchange;

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
