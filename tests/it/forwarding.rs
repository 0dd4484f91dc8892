//! What reaches the upstream, and what of its answers reaches the browser.

use http::{Method, Response, StatusCode, header};
use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::stack::{RunningGateway, Stack};
use nextbnb_tests::upstream::{RawUpstream, StubUpstream, text};
use nextbnb_tests::wire::exchange;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn every_method_arrives_with_its_path_and_query_unchanged() {
    let stack = Stack::start().await;
    // Among them what browsers send unencoded although RFC 3986 does not allow it.
    let target = "/a//b/%2e%2E/%2F/..;x=1/%zz/|[]{}?q=%20a+b&&=&%C3%A4={}|^`\\'";
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"] {
        let request = format!("{method} {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let answer = exchange(stack.address(), request).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let seen = stack.upstream.last_request();
        assert_eq!(seen.method, method);
        assert_eq!(seen.target.to_string(), target);
    }
}

#[tokio::test]
async fn the_upstream_learns_where_a_request_came_from_and_no_clients_word_for_it() {
    let stack = Stack::start().await;
    let liar = stack.anonymous();
    let lies = [
        ("X-Forwarded-For", "6.6.6.6"),
        ("X-Forwarded-Host", "evil.example"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Port", "443"),
        ("X_Forwarded_Host", "evil.example"),
        ("Forwarded", "for=6.6.6.6"),
        ("X-Real-IP", "6.6.6.6"),
        ("X-Original-URL", "/admin"),
        ("X-Rewrite-URL", "/admin"),
        ("X-Forwarded-Server", "evil.example"),
        ("X-Request-Id", "mine"),
    ];
    let liar = lies.iter().fold(liar, |liar, (name, value)| liar.header(name, value));
    let reply = liar.get("/page").await;
    let seen = stack.upstream.last_request();
    let host = stack.address().to_string();
    assert_eq!(seen.header("host"), Some(host.as_str()));
    assert_eq!(seen.header("x-forwarded-host"), Some(host.as_str()));
    assert_eq!(seen.header("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(seen.header("x-forwarded-proto"), Some("http"));
    let port = stack.address().port().to_string();
    assert_eq!(seen.header("x-forwarded-port"), Some(port.as_str()));
    for gone in ["forwarded", "x-real-ip", "x-original-url", "x-rewrite-url", "x_forwarded_host"] {
        assert_eq!(seen.header(gone), None, "{gone}");
    }
    assert_eq!(seen.header("x-request-id"), reply.header("x-request-id"));
    assert_ne!(reply.header("x-request-id"), Some("mine"));
}

#[tokio::test]
async fn fields_of_one_connection_stay_on_it() {
    let upstream = StubUpstream::answering(|_| async {
        let mut response = text("hello");
        let headers = response.headers_mut();
        headers.insert("keep-alive", "timeout=5".parse().unwrap());
        headers.insert("connection", "keep-alive, x-hop".parse().unwrap());
        headers.insert("x-hop", "1".parse().unwrap());
        headers.insert("x-powered-by", "Next.js".parse().unwrap());
        headers.insert("x-nextjs-cache", "HIT".parse().unwrap());
        headers.append("vary", "rsc".parse().unwrap());
        headers.append("set-cookie", "a=1".parse().unwrap());
        headers.append("set-cookie", "b=2".parse().unwrap());
        response
    });
    let stack = Stack::before(upstream.await).await;
    let visitor = stack.anonymous();
    let visitor =
        visitor.header("Connection", "x-named").header("X-Named", "1").header("TE", "gzip");
    let visitor = visitor.header("Upgrade", "h2c").header("HTTP2-Settings", "AAMAAABkAAQ");
    let reply = visitor.header("Proxy-Authorization", "x").header("Keep-Alive", "5").get("/").await;
    let seen = stack.upstream.last_request();
    let hop = ["x-named", "te", "upgrade", "http2-settings", "proxy-authorization", "keep-alive"];
    for name in hop {
        assert_eq!(seen.header(name), None, "{name}");
    }
    for name in ["keep-alive", "x-hop", "x-powered-by"] {
        assert_eq!(reply.header(name), None, "{name}");
    }
    assert_eq!(reply.header("x-nextjs-cache"), Some("HIT"));
    assert_eq!(reply.header("vary"), Some("rsc"));
    assert_eq!(reply.headers.get_all(header::SET_COOKIE).iter().count(), 2);
}

#[tokio::test]
async fn a_redirect_to_the_upstream_leads_to_the_public_origin() {
    let upstream = StubUpstream::answering(|request| async move {
        let port = request.uri().query().unwrap().to_owned();
        let mut response = text("");
        *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
        let location = format!("http://localhost:{port}/next?a=b");
        response.headers_mut().insert(header::LOCATION, location.parse().unwrap());
        response
    })
    .await;
    let port = upstream.address().port();
    let stack = Stack::before(upstream).await;
    let reply = stack.anonymous().get(&format!("/?{port}")).await;
    let expected = format!("http://{}/next?a=b", stack.address());
    assert_eq!(reply.header("location"), Some(expected.as_str()));
    let elsewhere = stack.anonymous().get("/?1").await;
    assert_eq!(elsewhere.header("location"), Some("http://localhost:1/next?a=b"));
}

#[tokio::test]
async fn answers_without_a_body_keep_their_length_and_status() {
    let upstream = StubUpstream::answering(|request| async move {
        let mut response = text(if request.method() == Method::HEAD { "" } else { "12345" });
        match request.uri().path() {
            "/304" => {
                response = text("");
                *response.status_mut() = StatusCode::NOT_MODIFIED;
                response.headers_mut().insert(header::ETAG, "\"x\"".parse().unwrap());
            }
            "/204" => {
                response = text("");
                *response.status_mut() = StatusCode::NO_CONTENT;
            }
            _ => {
                response.headers_mut().insert(header::CONTENT_LENGTH, "5".parse().unwrap());
            }
        }
        response
    });
    let stack = Stack::before(upstream.await).await;
    let visitor = stack.anonymous();
    let head = visitor.send(Method::HEAD, "/", None).await;
    assert_eq!((head.header("content-length"), head.text()), (Some("5"), ""));
    assert_eq!(visitor.get("/").await.text(), "12345");
    assert_eq!(visitor.get("/204").await.status, StatusCode::NO_CONTENT);
    let not_modified = visitor.get("/304").await;
    assert_eq!(not_modified.status, StatusCode::NOT_MODIFIED);
    assert_eq!(not_modified.header("etag"), Some("\"x\""));
}

#[tokio::test]
async fn only_the_gateways_own_paths_are_taken_from_the_frontend() {
    let stack = Stack::start().await;
    let visitor = stack.anonymous();
    for target in
        ["/api/auth/login", "/api/auth/register", "/api/auth/me", "/.nextbnb", "/.nextbnbx/"]
    {
        assert_eq!(visitor.get(target).await.text(), "hello from upstream", "{target}");
    }
    for target in ["/api//auth/login", "/api/auth/%6cogin", "/api/auth/login/x"] {
        let reply = visitor.send(Method::POST, target, None).await;
        assert_eq!(reply.text(), "hello from upstream", "{target}");
    }
    for target in ["/.nextbnb/", "/.nextbnb/x"] {
        assert_eq!(visitor.get(target).await.status, StatusCode::NOT_FOUND, "{target}");
    }
}

#[tokio::test]
async fn an_upstream_of_http_10_is_answered_from_in_http_11() {
    let upstream = RawUpstream::start(|mut stream, _| async move {
        assert_ne!(stream.read(&mut [0; 4096]).await.unwrap(), 0);
        stream.write_all(b"HTTP/1.0 200 OK\r\n\r\nold").await.unwrap();
    })
    .await;
    let database = TestDatabase::postgres().await;
    let gateway = RunningGateway::start(database.url(), upstream.address(), |_| {}).await;
    let answer =
        exchange(gateway.address(), "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let answer = answer.await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("old"), "{answer}");
}

#[tokio::test]
async fn an_answer_that_nobody_asked_to_upgrade_is_no_upgrade() {
    let upstream = StubUpstream::answering(|_| async {
        let builder = Response::builder().status(101).header("connection", "upgrade");
        builder.header("upgrade", "websocket").body(text("").into_body()).unwrap()
    });
    let stack = Stack::before(upstream.await).await;
    assert_eq!(stack.anonymous().get("/").await.status, StatusCode::BAD_GATEWAY);
}
