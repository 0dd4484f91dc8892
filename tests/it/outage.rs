//! What a visitor sees when Postgres or Next.js is gone.

use futures_util::future::join_all;
use http::{Method, StatusCode};
use nextbnb_tests::chaos::ChaosProxy;
use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::stack::{PASSWORD, RunningGateway, Stack, credentials, registration};
use nextbnb_tests::upstream::StubUpstream;

struct Fragile {
    gateway: RunningGateway,
    upstream: StubUpstream,
    postgres: ChaosProxy,
    _database: TestDatabase,
}

async fn fragile() -> Fragile {
    let database = TestDatabase::postgres().await;
    let postgres = ChaosProxy::before(&database).await;
    let upstream = StubUpstream::start().await;
    let gateway = RunningGateway::start(postgres.url(), upstream.address(), |_| {}).await;
    Fragile { gateway, upstream, postgres, _database: database }
}

#[tokio::test]
async fn without_the_database_guests_and_assets_are_served_and_sessions_are_not_forgotten() {
    let fragile = fragile().await;
    let ada = fragile.gateway.signed_in("ada@example.org").await;
    fragile.postgres.cut();
    assert_eq!(fragile.gateway.anonymous().get("/").await.status, StatusCode::OK);
    assert_eq!(ada.get("/_next/static/chunks/main.js").await.status, StatusCode::OK);
    let page = ada.clone().header("Accept", "text/html").get("/trips").await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.header("retry-after").is_some());
    assert!(page.text().contains("If you were signed in, you still are"), "{}", page.text());
    assert_eq!(page.header("set-cookie"), None, "the session is not given up");
    let api = ada.get("/api/houses").await;
    assert_eq!(api.json()["status"], "error");
    assert_eq!(fragile.upstream.seen().len(), 2, "never silently a guest");
    fragile.postgres.heal();
    assert_eq!(ada.get("/").await.status, StatusCode::OK);
    let seen = fragile.upstream.last_request();
    assert_eq!(seen.header("x-forwarded-email"), Some("ada@example.org"));
}

/// Nobody is asked to come back in a moment for what somebody has to repair.
#[tokio::test]
async fn a_table_that_is_not_as_it_must_be_is_no_outage_and_no_guests() {
    let stack = Stack::start().await;
    let ada = stack.signed_in("ada@example.org").await;
    stack.database.run("ALTER TABLE users RENAME COLUMN password TO hidden").await;
    let page = ada.clone().header("Accept", "text/html").get("/trips").await;
    let sign_in = ada.post("/api/auth/login", &credentials("ada@example.org", PASSWORD)).await;
    for reply in [&page, &sign_in] {
        assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!((reply.header("retry-after"), reply.header("set-cookie")), (None, None));
        assert!(!reply.text().contains("password"), "{}", reply.text());
    }
    assert!(stack.upstream.seen().is_empty(), "never silently a guest");
    assert_eq!(stack.anonymous().get("/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn signing_in_without_the_database_says_so_and_works_afterwards() {
    let fragile = fragile().await;
    fragile.postgres.cut();
    let visitor = fragile.gateway.anonymous();
    for (route, form) in [
        ("login", credentials("ada@example.org", PASSWORD)),
        ("register", registration("ada@example.org")),
    ] {
        let reply = visitor.post(&format!("/api/auth/{route}"), &form).await;
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{route}");
        assert!(reply.header("retry-after").is_some());
        assert_eq!(reply.json()["status"], "error");
        assert_eq!(reply.header("set-cookie"), None);
        assert!(!reply.text().contains("127.0.0.1"), "{}", reply.text());
    }
    fragile.postgres.heal();
    let reply = visitor.post("/api/auth/register", &registration("ada@example.org")).await;
    assert_eq!(reply.status, StatusCode::OK);
}

#[tokio::test]
async fn without_the_upstream_a_visitor_gets_a_readable_page_without_internals() {
    let stack = Stack::start().await;
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gateway = RunningGateway::start(stack.database.url(), gone, |_| {}).await;
    let page = gateway.anonymous().header("Accept", "text/html").get("/").await;
    assert_eq!(page.status, StatusCode::BAD_GATEWAY);
    assert!(page.text().starts_with("<!doctype html>"));
    assert!(!page.text().contains("127.0.0.1"), "{}", page.text());
    assert!(!page.text().contains("script"), "a visitor's page does nothing: {}", page.text());
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    let waiting = gateway.anonymous().get("/.nextbnb/waiting?path=%2F").await;
    assert_eq!(waiting.status, StatusCode::NOT_FOUND, "there is nothing to wait for");
    let api = gateway.anonymous().send(Method::POST, "/api/x", None).await;
    assert_eq!(api.json()["status"], "error");
    let login = gateway.anonymous().post("/api/auth/register", &registration("a@b.c")).await;
    assert_eq!(login.status, StatusCode::OK, "signing in needs no upstream");
}

#[tokio::test]
async fn signing_out_without_the_database_fails_as_soon_as_a_page_does() {
    let fragile = fragile().await;
    let ada = fragile.gateway.signed_in("ada@example.org").await;
    drop(fragile.postgres); // Connections are refused, and tried again for as long as they may.
    let two_pages = async {
        ada.get("/").await;
        ada.get("/").await;
    };
    let (form, leaving) = (serde_json::json!({}), vec![ada.clone(); 5]);
    let leave = leaving.iter().map(|visitor| visitor.post("/api/auth/logout", &form));
    let replies = tokio::select! {
        replies = join_all(leave) => replies,
        () = two_pages => panic!("two pages failed one after the other, and it did not"),
    };
    for reply in replies {
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(reply.header("retry-after").is_some());
        assert_eq!(reply.json()["status"], "error");
        assert_eq!(reply.header("set-cookie"), None, "the cookie is kept to try again");
    }
}
