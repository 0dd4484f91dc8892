//! Where Next.js falls silent, cuts, or opens what is for developers, and the gateway does better.

use http::{Method, StatusCode};
use nextbnb_gateway::auth::origin::AllowedOrigins;
use nextbnb_gateway::downstream::origin::Origin;
use nextbnb_gateway::proxy::body_limit::BodyLimit;
use nextbnb_tests::visitor::Visitor;
use nextbnb_tests::wire::Wire;

use crate::site::Site;

const MEBIBYTE: usize = 1024 * 1024;

async fn upload(site: &Site, target: &str, bytes: usize) -> (StatusCode, String) {
    let body = Some(("text/plain", "x".repeat(bytes)));
    let reply = Visitor::new(site.gateway()).send(Method::POST, target, body).await;
    (reply.status, reply.text().to_owned())
}

/// Behind `proxy.js` Next.js keeps 10 MiB of a body, and says so in its log alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_next_would_cut_is_refused_where_max_body_is_set() {
    let cut = Site::built().await;
    let (status, said) = upload(&cut, "/proxy/upload", 11 * MEBIBYTE).await;
    assert_eq!((status.as_u16(), &*said), (200, r#"{"cut":true}"#), "without --max-body");

    let limit = BodyLimit { bytes: 10 * 1024 * 1024, except: Vec::new() };
    let site = Site::built_with(|config| config.max_body = Some(limit)).await;
    let (status, _) = upload(&site, "/proxy/upload", 11 * MEBIBYTE).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let (status, said) = upload(&site, "/proxy/upload", 9 * MEBIBYTE).await;
    assert_eq!(status, 200);
    assert!(said.contains(&(9 * MEBIBYTE).to_string()), "{said}");
}

/// The answer to an upgrade; of one that was granted the head.
async fn upgrade(site: &Site, path: &str, host: &str, origin: Option<&str>) -> String {
    let mut wire = Wire::connect(site.gateway()).await;
    let port = site.gateway().port();
    let host = if host == "localhost" { format!("{host}:{port}") } else { host.to_owned() };
    let origin = origin.map(|origin| format!("Origin: {origin}\r\n")).unwrap_or_default();
    wire.send(format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\n{origin}Connection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ))
    .await;
    let head = wire.read_head().await;
    if head.starts_with("HTTP/1.1 101") { head } else { head + &wire.read_until("}").await }
}

/// Next.js never answers an upgrade of a path that it does not know, and closes without a word where
/// it does.
#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_that_next_does_not_answer_is_answered() {
    let site = Site::built_with(|config| {
        config.limits.upgrade_head = std::time::Duration::from_secs(2);
    })
    .await;
    let head = upgrade(&site, "/nowhere", "localhost", None).await;
    assert!(head.starts_with("HTTP/1.1 504 "), "{head}");
    let head = upgrade(&site, "/plain", "localhost", None).await;
    assert!(head.starts_with("HTTP/1.1 502 "), "{head}");
    assert_eq!(Visitor::new(site.gateway()).get("/plain").await.status, 200);
}

/// `next dev` writes the bare word `Unauthorized` to a page of another site.
#[tokio::test(flavor = "multi_thread")]
async fn the_word_that_next_dev_refuses_an_upgrade_with_becomes_an_answer() {
    let friend = Origin::new(None, "friend.example".to_owned(), None);
    let allowed = AllowedOrigins::new(vec![friend]);
    let site = Site::in_development_with(|config| config.allowed_origins = allowed).await;
    let own = format!("http://localhost:{}", site.gateway().port());
    for (host, origin, status) in [
        ("localhost", Some(&*own), 101),
        ("localhost", None, 101),
        ("shop.example", Some("http://shop.example"), 101),
        ("localhost", Some("http://friend.example"), 403), // By Next.js, which tells the cure.
        ("localhost", Some("http://evil.example"), 403),   // By the gateway.
    ] {
        let answer = upgrade(&site, "/_next/hmr?id=1", host, origin).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{host} {origin:?}: {answer}");
        let is_told = answer.contains("allowedDevOrigins");
        assert_eq!(is_told, origin == Some("http://friend.example"), "{origin:?}: {answer}");
    }
}

/// Somebody may have put a gateway for visitors before `next dev`.
#[tokio::test(flavor = "multi_thread")]
async fn what_next_dev_serves_to_developers_is_closed_to_visitors() {
    let developed = Site::in_development().await;
    let straight = Visitor::new(developed.next());
    let visitor = Visitor::new(developed.gateway());
    let closed = developed.for_visitors().await;
    for path in [
        "/__nextjs_server_status",
        "/__nextjs_attach-nodejs-inspector",
        "/__nextjs_original-stack-frames",
        "/__nextjs_source-map?filename=x",
        "/__nextjs_devtools_config",
        "/__nextjs_disable_dev_indicator",
        "/_next/mcp",
    ] {
        let own = straight.get(path).await.status;
        assert_ne!(own, StatusCode::NOT_FOUND, "{path} is nothing of next dev's");
        assert_eq!(visitor.get(path).await.status, own, "{path}");
        assert_eq!(
            closed.gateway.anonymous().get(path).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
}
