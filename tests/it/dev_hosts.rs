//! Under which names a site that is worked on is served, and what `next dev` is told of its pages.

use http::StatusCode;
use nextbnb_gateway::config::Config;
use nextbnb_gateway::downstream::dev_hosts::DevHosts;
use nextbnb_gateway::proxy::pages::Reader;
use nextbnb_tests::stack::Stack;
use nextbnb_tests::upstream::StubUpstream;

/// A gateway as `dev --allow-host shop.test` sets it up.
async fn dev() -> Stack {
    let mut hosts = DevHosts::default();
    hosts.add("shop.test").unwrap();
    Stack::with(StubUpstream::start().await, |config: &mut Config| {
        config.reader = Reader::Developer;
        config.front.dev_hosts = Some(hosts);
    })
    .await
}

#[tokio::test]
async fn a_rebound_name_gets_neither_sources_nor_hot_reload_nor_a_session() {
    let stack = dev().await;
    for path in [
        "/",
        "/_next/static/chunks/app.js",
        "/__nextjs_source-map?filename=app/page.tsx",
        "/.nextbnb/session",
        "/nothing",
    ] {
        let reply = stack.anonymous().header("Host", "evil.example:3000").get(path).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{path}");
        assert!(reply.text().contains("--allow-host evil.example"), "{}", reply.text());
    }
    let socket =
        stack.anonymous().header("Host", "evil.example:3000").header("Connection", "Upgrade");
    let socket = socket.header("Upgrade", "websocket").header("Origin", "http://evil.example:3000");
    assert_eq!(socket.get("/_next/hmr").await.status, StatusCode::FORBIDDEN);
    assert!(stack.upstream.seen().is_empty());
}

#[tokio::test]
async fn the_names_of_the_site_are_served_in_dev() {
    let stack = dev().await;
    for host in ["localhost:3000", "app.localhost", "192.168.1.20:3000", "[::1]:3000", "shop.test"]
    {
        assert_eq!(
            stack.anonymous().header("Host", host).get("/").await.status,
            StatusCode::OK,
            "{host}"
        );
    }
}

#[tokio::test]
async fn visitors_ask_under_any_name() {
    let stack = Stack::start().await;
    assert_eq!(
        stack.anonymous().header("Host", "any.example").get("/").await.status,
        StatusCode::OK
    );
}

/// What the upstream is told of `Origin` and `Referer` by a page at `origin`, of a site at shop.test.
async fn told(stack: &Stack, path: &str, origin: &str) -> (Option<String>, Option<String>) {
    let visitor = stack.anonymous().header("Host", "shop.test:3000").header("Origin", origin);
    let referer = format!("{origin}/trips?page=2");
    visitor.header("Referer", &referer).get(path).await;
    let seen = stack.upstream.last_request();
    (seen.header("origin").map(str::to_owned), seen.header("referer").map(str::to_owned))
}

#[tokio::test]
async fn next_dev_takes_the_sites_own_pages_for_ones_at_localhost() {
    let stack = dev().await;
    let own = "http://shop.test:3000";
    for path in ["/_next/static/chunks/app.js", "/docs/_next/hmr", "/__nextjs_source-map"] {
        let (origin, referer) = told(&stack, path, own).await;
        assert_eq!(origin.as_deref(), Some("http://localhost:3000"), "{path}");
        assert_eq!(referer.as_deref(), Some("http://localhost:3000/trips?page=2"), "{path}");
    }
    let (origin, referer) = told(&stack, "/trips", own).await; // A Server Action compares it with Host.
    assert_eq!(origin.as_deref(), Some(own));
    assert_eq!(referer.as_deref(), Some("http://shop.test:3000/trips?page=2"));
}

#[tokio::test]
async fn next_dev_sees_a_strangers_page_as_it_is() {
    let stack = dev().await;
    let stranger = "http://evil.example";
    let (origin, referer) = told(&stack, "/_next/static/chunks/app.js", stranger).await;
    assert_eq!(origin.as_deref(), Some(stranger));
    assert_eq!(referer.as_deref(), Some("http://evil.example/trips?page=2"));
}

#[tokio::test]
async fn the_application_that_visitors_use_is_told_where_a_page_is() {
    let stack = Stack::start().await;
    let own = "http://shop.test:3000";
    let (origin, _) = told(&stack, "/_next/image", own).await;
    assert_eq!(origin.as_deref(), Some(own));
}
