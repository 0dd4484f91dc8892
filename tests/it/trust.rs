//! Who is the client and what is the site's origin: the settings, trusted proxies, or the request.

use std::net::IpAddr;
use std::time::Duration;

use http::StatusCode;
use nextbnb_gateway::downstream::public_url::PublicUrl;
use nextbnb_gateway::gateway::hsts::Hsts;
use nextbnb_gateway::server::listen_at::ListenAt;
use nextbnb_gateway::session::policy::AnonymousSessions;
use nextbnb_tests::stack::{Stack, registration};
use nextbnb_tests::upstream::{Seen, StubUpstream, text};
use nextbnb_tests::visitor::Visitor;
use nextbnb_tests::wire::{Wire, exchange};

use crate::upgrade::echoing_upstream;

/// A gateway whose public origin is `https://shop.example`.
async fn shop(upstream: StubUpstream) -> Stack {
    Stack::with(upstream, |config| {
        config.front.public_url = Some(PublicUrl::parse("https://shop.example").unwrap());
    })
    .await
}

/// A gateway that trusts whoever connects from this machine, and the network 10.0.0.0/8.
async fn behind_proxies(upstream: StubUpstream) -> Stack {
    Stack::with(upstream, |config| {
        for trusted in ["loopback", "10.0.0.0/8"] {
            config.front.trusted.add(trusted).unwrap();
        }
    })
    .await
}

#[track_caller]
fn check(seen: &Seen, host: &str, forwarded: [&str; 4]) {
    assert_eq!(seen.header("host"), Some(host));
    let names = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port"];
    assert_eq!(names.map(|name| seen.header(name).unwrap()), forwarded);
    for gone in ["forwarded", "x-real-ip", "x_forwarded_for", "x-forwarded-server"] {
        assert_eq!(seen.header(gone), None, "{gone}");
    }
}

/// Registers somebody and tells the status and the cookie.
async fn sign_up(visitor: Visitor) -> (StatusCode, String) {
    let reply = visitor.post("/api/auth/register", &registration("ada@example.org")).await;
    (reply.status, reply.header("set-cookie").unwrap_or_default().to_owned())
}

#[tokio::test]
async fn under_any_host_the_upstream_is_told_the_public_origin() {
    let stack = shop(StubUpstream::start().await).await;
    stack.anonymous().get("/").await;
    let expected = ["127.0.0.1", "https", "shop.example", "443"];
    check(&stack.upstream.last_request(), "shop.example", expected);
    let evil = "GET / HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\n\
                X-Forwarded-Proto: http\r\nConnection: close\r\n\r\n";
    exchange(stack.address(), evil).await;
    check(&stack.upstream.last_request(), "shop.example", expected);
    exchange(stack.address(), "GET / HTTP/1.0\r\n\r\n").await;
    check(&stack.upstream.last_request(), "shop.example", expected);
    let health = stack.anonymous().get("/.nextbnb/health").await; // Asked by address.
    assert_eq!(health.status, 200);
}

#[tokio::test]
async fn sign_in_follows_the_public_origin_whatever_the_last_hop_spoke() {
    let stack = shop(StubUpstream::start().await).await;
    for foreign in ["http://shop.example".to_owned(), format!("http://{}", stack.address())] {
        let (status, _) = sign_up(stack.anonymous().header("Origin", &foreign)).await;
        assert_eq!(status, 403, "{foreign}");
    }
    let (status, cookie) =
        sign_up(stack.anonymous().header("Origin", "https://shop.example")).await;
    assert_eq!(status, 200);
    assert!(cookie.contains("; Secure"), "{cookie}");
}

#[tokio::test]
async fn sockets_follow_the_public_origin() {
    let stack = shop(echoing_upstream().await).await;
    for (origin, status) in [
        ("https://shop.example".to_owned(), 101),
        ("http://shop.example".to_owned(), 403),
        (format!("http://{}", stack.address()), 403),
    ] {
        let mut wire = Wire::connect(stack.address()).await;
        wire.send(format!(
            "GET /s HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Origin: {origin}\r\n\r\n",
            stack.address()
        ))
        .await;
        let head = wire.read_head().await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{origin}: {head}");
    }
}

#[tokio::test]
async fn an_absolute_target_is_served_for_the_public_origin_alone() {
    let stack = shop(StubUpstream::start().await).await;
    let request = |target: &str, more: &str| {
        format!("GET {target} HTTP/1.1\r\nHost: shop.example\r\n{more}Connection: close\r\n\r\n")
    };
    let own = exchange(stack.address(), request("https://SHOP.example:443/a//b?c=%2F", "")).await;
    assert!(own.starts_with("HTTP/1.1 200"), "{own}");
    assert_eq!(stack.upstream.last_request().target, "/a//b?c=%2F");
    let foreign = [
        "http://shop.example/",
        "https://evil.example/",
        "https://shop.example@evil.example/",
        "https://shop.example:444/",
        "http://169.254.169.254/latest",
        "shop.example:443",
    ];
    for target in foreign {
        for upgrade in ["", "Upgrade: websocket\r\nConnection: Upgrade\r\n"] {
            let answer = exchange(stack.address(), request(target, upgrade)).await;
            assert!(answer.starts_with("HTTP/1.1 400"), "{target}: {answer}");
        }
    }
    assert_eq!(stack.upstream.seen().len(), 1);
}

#[tokio::test]
async fn a_redirect_of_the_upstream_leads_to_the_public_origin() {
    let upstream = StubUpstream::answering(|request| async move {
        let mut response = text("");
        *response.status_mut() = StatusCode::FOUND;
        let location = format!("http://localhost:{}/next", request.uri().query().unwrap());
        response.headers_mut().insert("location", location.parse().unwrap());
        response
    });
    let upstream = upstream.await;
    let port = upstream.address().port();
    let stack = shop(upstream).await;
    let reply = stack.anonymous().get(&format!("/?{port}")).await;
    assert_eq!(reply.header("location"), Some("https://shop.example/next"));
}

#[tokio::test]
async fn a_trusted_proxy_tells_client_scheme_host_and_port() {
    let stack = behind_proxies(StubUpstream::start().await).await;
    let proxied = stack
        .anonymous()
        .header("X-Forwarded-For", "6.6.6.6, 203.0.113.7")
        .header("X-Forwarded-For", "10.1.2.3")
        .header("X-Forwarded-Proto", "http, https")
        .header("X-Forwarded-Host", "evil.example, shop.example")
        .header("X-Forwarded-Port", "8443")
        .header("X-Real-IP", "6.6.6.6")
        .header("Forwarded", "for=6.6.6.6;host=evil.example;proto=http")
        .header("X_Forwarded_For", "6.6.6.6")
        .header("X-Forwarded-Server", "proxy")
        .header("X-Forwarded-User", "1");
    proxied.get("/").await;
    let seen = stack.upstream.last_request();
    let host = stack.address().to_string();
    check(&seen, &host, ["203.0.113.7", "https", "shop.example", "8443"]);
    assert_eq!(seen.header("x-forwarded-user"), None);
}

#[tokio::test]
async fn a_trusted_proxy_that_tells_nothing_is_the_client_itself() {
    let stack = behind_proxies(StubUpstream::start().await).await;
    let (host, port) = (stack.address().to_string(), stack.address().port().to_string());
    for odd in ["", "unknown", "_gateway", "fe80::1%eth0", ", ,"] {
        stack.anonymous().header("X-Forwarded-For", odd).get("/").await;
        check(&stack.upstream.last_request(), &host, ["127.0.0.1", "http", &host, &port]);
    }
}

#[tokio::test]
async fn a_thousand_forged_hops_do_not_hide_the_one_that_the_proxy_saw() {
    let stack = behind_proxies(StubUpstream::start().await).await;
    let forged = vec!["6.6.6.6"; 1000].join(",");
    let visitor = stack.anonymous().header("X-Forwarded-For", &forged);
    visitor.header("X-Forwarded-For", "[2001:db8::7]:4711").get("/").await;
    assert_eq!(stack.upstream.last_request().header("x-forwarded-for"), Some("2001:db8::7"));
}

#[tokio::test]
async fn behind_a_trusted_proxy_that_speaks_tls_the_cookie_is_secure() {
    let stack = behind_proxies(StubUpstream::start().await).await;
    let told = |proto: &str, origin: &str| {
        let visitor = stack.anonymous().header("X-Forwarded-Host", "shop.example");
        visitor.header("X-Forwarded-Proto", proto).header("Origin", origin)
    };
    assert_eq!(sign_up(told("https", "http://shop.example")).await.0, 403);
    assert_eq!(sign_up(told("https", &format!("https://{}", stack.address()))).await.0, 403);
    let (status, cookie) = sign_up(told("https", "https://shop.example")).await;
    assert_eq!(status, 200);
    assert!(cookie.contains("; Secure"), "{cookie}");
}

#[tokio::test]
async fn guests_have_secure_cookies_there_as_well() {
    let stack = Stack::with(StubUpstream::start().await, |config| {
        config.front.trusted.add("loopback").unwrap();
        config.session.policy.anonymous = AnonymousSessions::Save;
    })
    .await;
    for path in ["/", "/.nextbnb/session"] {
        for (proto, secure) in [("https", true), ("http", false)] {
            let reply = stack.anonymous().header("X-Forwarded-Proto", proto).get(path).await;
            let cookie = reply.header("set-cookie").unwrap();
            assert_eq!(cookie.contains("; Secure"), secure, "{path} {proto}: {cookie}");
        }
    }
}

#[tokio::test]
async fn a_client_has_one_address_whatever_family_its_connection_has() {
    // `::` takes IPv4 as well, as `::ffff:127.0.0.1`; a machine without IPv6 has neither.
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        return;
    }
    let stack = Stack::with(StubUpstream::start().await, |config| {
        config.listen = vec![ListenAt::Tcp { host: "[::]".to_owned(), port: 0 }];
        config.front.trusted.add("127.0.0.1").unwrap();
    })
    .await;
    let port = stack.address().port();
    let request = |host: &str| {
        format!(
            "GET / HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-For: 203.0.113.7\r\nConnection: close\r\n\r\n"
        )
    };
    for (to, client) in [("127.0.0.1", "203.0.113.7"), ("::1", "::1")] {
        exchange((to.parse::<IpAddr>().unwrap(), port).into(), request("[::1]:81")).await;
        check(&stack.upstream.last_request(), "[::1]:81", [client, "http", "[::1]:81", "81"]);
    }
    let zone = exchange(([127, 0, 0, 1], port).into(), request("[fe80::1%25eth0]")).await;
    assert!(zone.starts_with("HTTP/1.1 400"), "{zone}");
}

#[tokio::test]
async fn nobody_else_makes_the_cookie_secure_or_the_origin_another() {
    let stack = Stack::start().await;
    let liar = || {
        let liar = stack.anonymous().header("X-Forwarded-Proto", "https");
        liar.header("X-Forwarded-Host", "shop.example")
    };
    assert_eq!(sign_up(liar().header("Origin", "https://shop.example")).await.0, 403);
    let (status, cookie) = sign_up(liar()).await;
    assert_eq!(status, 200);
    assert!(!cookie.contains("Secure"), "{cookie}");
}

#[tokio::test]
async fn an_answer_over_https_says_so_whoever_speaks_it_and_any_other_says_nothing() {
    const NAMES: [&str; 3] =
        ["x-content-type-options", "strict-transport-security", "content-security-policy"];
    let start = async |hsts, public_url: Option<&str>| {
        Stack::with(StubUpstream::start().await, |config| {
            config.hsts = hsts;
            config.front.public_url = public_url.map(|url| PublicUrl::parse(url).unwrap());
            config.front.trusted.add("loopback").unwrap();
        })
        .await
    };
    let said = async |stack: &Stack, proto, path| {
        let asking = stack.anonymous().header("x-forwarded-host", "shop.example");
        let reply = asking.header("x-forwarded-proto", proto).get(path).await;
        NAMES.map(|name| reply.header(name).unwrap_or_default().to_owned())
    };
    let day = Duration::from_hours(24);
    let (nosniff, none) = (["nosniff", "", ""], ["", "", ""]);
    let told = ["nosniff", "max-age=86400", ""];
    for path in ["/", "/.nextbnb/health", "/_next/static/a.js"] {
        let stack = start(Hsts::of(day), None).await;
        assert_eq!(said(&stack, "https", path).await, nosniff, "{path}: the proxy says the rest");
        assert_eq!(said(&stack, "http", path).await, none, "{path}");
        let stack = start(Hsts::everywhere(day), None).await;
        assert_eq!(said(&stack, "https", path).await, told, "{path}");
        assert_eq!(said(&stack, "http", path).await, none, "{path}");
        let stack = start(Hsts::everywhere(day), Some("https://shop.example")).await;
        assert_eq!(said(&stack, "http", path).await, told, "{path}: the settings know better");
    }
}
