//! Parts of the paths that go to upstreams of their own (`--route`).

use std::net::{SocketAddr, TcpListener};

use http::uri::Authority;
use http::{Method, StatusCode};
use nextbnb_gateway::proxy::pages::{ErrorPages, Reader};
use nextbnb_gateway::proxy::routing::{PathPrefix, Target};
use nextbnb_tests::stack::Stack;
use nextbnb_tests::upstream::{StubResponse, StubUpstream, text};
use nextbnb_tests::visitor::Visitor;

struct Site {
    stack: Stack,
    api: StubUpstream,
}

impl Site {
    /// `/api/` leads to `api`, `/shop` to it as well, but without the prefix.
    async fn open() -> Self {
        let api = StubUpstream::answering(|request| async move {
            let mut response = text(format!("api {}", request.uri()));
            if let Some(to) = request.uri().query().and_then(|query| query.strip_prefix("to=")) {
                *response.status_mut() = StatusCode::FOUND;
                response.headers_mut().insert("location", to.parse().unwrap());
            }
            response
        })
        .await;
        let routes = [("/api/", api.address(), false), ("/shop", api.address(), true)];
        let stack = Self::stack(&routes).await;
        Self { stack, api }
    }

    async fn stack(routes: &[(&str, SocketAddr, bool)]) -> Stack {
        let routes: Vec<_> = routes
            .iter()
            .map(|&(prefix, address, strips)| {
                let prefix = PathPrefix::new(prefix).unwrap();
                let upstream: Authority = address.to_string().parse().unwrap();
                let stripped = strips.then(|| prefix.clone());
                (
                    prefix,
                    Target {
                        upstream: upstream.into(),
                        stripped,
                        pages: ErrorPages::new(Reader::Visitor),
                    },
                )
            })
            .collect();
        let next = StubUpstream::start().await;
        Stack::with(next, |config| config.routes = routes).await
    }

    fn guest(&self) -> Visitor {
        self.stack.anonymous()
    }
}

fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn each_part_of_the_paths_has_its_upstream() {
    let site = Site::open().await;
    assert_eq!(site.guest().get("/").await.text(), "hello from upstream");
    assert_eq!(site.guest().get("/apiary").await.text(), "hello from upstream");
    assert_eq!(site.guest().get("/api/a%2Fb//c?d=/e").await.text(), "api /api/a%2Fb//c?d=/e");
    assert_eq!(site.guest().get("/shop").await.text(), "api /");
    assert_eq!(site.guest().get("/shop/cart?x").await.text(), "api /cart?x");
}

#[tokio::test]
async fn every_upstream_learns_who_is_signed_in_and_nothing_forged() {
    let site = Site::open().await;
    let ada = site.stack.signed_in("ada@example.org").await;
    ada.header("X_Forwarded_User", "1000").header("X-Nextbnb-Token", "x").get("/api/me").await;
    let seen = site.api.last_request();
    assert_eq!(seen.header("x-forwarded-email"), Some("ada@example.org"));
    assert_eq!(seen.header("x-forwarded-prefix"), None);
    assert!(!seen.headers.contains_key("x_forwarded_user"));
    assert!(!seen.headers.contains_key("x-nextbnb-token"));
}

#[tokio::test]
async fn an_upstream_that_sees_a_shorter_path_learns_of_the_rest() {
    let site = Site::open().await;
    let guest = site.guest().header("X-Forwarded-Prefix", "/forged");
    guest.get("/shop/cart").await;
    assert_eq!(site.api.last_request().header("x-forwarded-prefix"), Some("/shop"));
}

#[tokio::test]
async fn the_auth_routes_stay_the_gateways() {
    let site = Site::open().await;
    site.stack.signed_in("ada@example.org").await;
    assert_eq!(site.guest().post("/api/auth/logout", &serde_json::json!({})).await.status, 200);
    assert!(site.api.seen().is_empty());
    site.guest().get("/api/auth/login").await;
    assert_eq!(site.api.last_request().target, "/api/auth/login");
}

#[tokio::test]
async fn a_path_that_could_belong_to_another_upstream_is_refused() {
    let site = Site::open().await;
    for path in ["/x/../api/me", "/%61pi/me", "//api/me", "/api/%2e%2e/admin", "/api\\me"] {
        let reply = site.guest().get(path).await;
        assert_eq!(reply.status, 400, "{path}");
    }
    assert!(site.api.seen().is_empty() && site.stack.upstream.seen().is_empty());
    assert_eq!(site.guest().get("/a/./b/../%C3%A9").await.status, 200);
    assert_eq!(site.stack.upstream.last_request().target, "/a/./b/../%C3%A9");
}

#[tokio::test]
async fn a_redirect_to_any_upstreams_own_origin_leads_to_the_public_one() {
    let site = Site::open().await;
    let (guest, public, own) = (site.guest(), site.stack.address(), site.api.address());
    for (path, expected) in [("/api/x", "/new"), ("/shop/x", "/shop/new")] {
        let reply = guest.get(&format!("{path}?to=http://{own}/new")).await;
        assert_eq!(reply.header("location"), Some(&*format!("http://{public}{expected}")));
    }
    let reply = guest.get("/api/x?to=/new").await;
    assert_eq!(reply.header("location"), Some("/new"));
}

#[tokio::test]
async fn an_upstream_that_is_down_affects_its_own_paths_only() {
    let stack = Site::stack(&[("/api/", nobody(), false)]).await;
    let guest = stack.anonymous();
    assert_eq!(guest.get("/api/me").await.status, 502);
    assert_eq!(guest.get("/").await.status, 200);
    assert_eq!(guest.get("/.nextbnb/health").await.status, 200);
    let health = guest.get("/.nextbnb/health/upstreams").await;
    assert_eq!(health.status, 503);
    assert_eq!(
        health.json(),
        serde_json::json!({
            "status": "unreachable",
            "upstreams": { "/": "ok", "/api/": "unreachable" }
        })
    );
}

#[tokio::test]
async fn upstreams_that_answer_are_healthy() {
    let site = Site::open().await;
    let health = site.guest().get("/.nextbnb/health/upstreams").await;
    assert_eq!(health.status, 200);
    assert_eq!(health.json()["status"], "ok");
    let posted = site.guest().send(Method::POST, "/.nextbnb/health/upstreams", None).await;
    assert_eq!(posted.status, 404);
}

/// What a page gets that asks the API while it renders, at the address that its visitor came to.
async fn render(request: http::Request<hyper::body::Incoming>) -> StubResponse {
    let header = |name| request.headers().get(name).map(|value| value.to_str().unwrap());
    let host = header("x-forwarded-host").unwrap().parse().unwrap();
    let mut page = String::new();
    for cookie in [header("cookie"), None] {
        let visitor = Visitor::new(host);
        let visitor = match cookie {
            Some(cookie) => visitor.header("Cookie", cookie),
            None => visitor,
        };
        page.push_str(visitor.get("/api/me").await.text());
    }
    text(page)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_pages_at_once_may_call_back_while_they_render() {
    let api = StubUpstream::answering(|request| async move {
        let email = request.headers().get("x-forwarded-email");
        text(email.map_or("nobody;", |_| "ada;"))
    })
    .await;
    let (next, prefix) = (StubUpstream::answering(render).await, PathPrefix::new("/api/").unwrap());
    let upstream: Authority = api.address().to_string().parse().unwrap();
    let stack = Stack::with(next, |config| {
        let pages = ErrorPages::new(Reader::Visitor);
        config.routes = vec![(prefix, Target { upstream: upstream.into(), stripped: None, pages })];
        config.workers = 1;
    })
    .await;
    let ada = stack.signed_in("ada@example.org").await;
    let pages = futures_util::future::join_all((0..200).map(|_| ada.get("/"))).await;
    for page in pages {
        assert_eq!((page.status.as_u16(), page.text()), (200, "ada;nobody;"));
    }
}
