//! Request heads that can be read in two ways, or in none: refused before an upstream is asked,
//! and nothing after them is taken for a request. Many are refused by hyper; a release of it that
//! no longer does so fails here.

use nextbnb_tests::stack::Stack;
use nextbnb_tests::wire::{Wire, exchange};

/// Would be answered, were the connection kept.
const NEXT: &str = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

/// Sends each of `requests` and another one behind it, and wants one answer with its status.
async fn check_refused(requests: &[(&[u8], &str)]) {
    let stack = Stack::start().await;
    for (request, status) in requests {
        let sent = [request, NEXT.as_bytes()].concat();
        let answer = exchange(stack.address(), &sent).await;
        let shown = String::from_utf8_lossy(&request[..request.len().min(200)]);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{shown:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{shown:?}: {answer}");
        assert_eq!(stack.upstream.connections(), 0, "{shown:?} reached the upstream");
    }
}

/// As [`check_refused`], with `fields` behind the first line and the host of a POST, and `body`
/// behind them.
async fn check_fields_refused(fields: &[(&[u8], &str)]) {
    let requests: Vec<_> = fields
        .iter()
        .map(|(fields, status)| {
            let head: &[u8] = b"POST / HTTP/1.1\r\nHost: a\r\n";
            ([head, fields, b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n"].concat(), *status)
        })
        .collect();
    let requests: Vec<_> =
        requests.iter().map(|(request, status)| (request.as_slice(), *status)).collect();
    check_refused(&requests).await;
}

#[tokio::test]
async fn a_length_is_one_number() {
    check_fields_refused(&[
        (b"Content-Length: 5\r\nContent-Length: 6", "400"),
        (b"Content-Length: 5, 5", "400"),
        (b"Content-Length: 5, 6", "400"),
        (b"Content-Length: +5", "400"),
        (b"Content-Length: -5", "400"),
        (b"Content-Length: 0x5", "400"),
        (b"Content-Length: 5 5", "400"),
        (b"Content-Length: 5.0", "400"),
        (b"Content-Length: 5;", "400"),
        (b"Content-Length: \"5\"", "400"),
        (b"Content-Length: ", "400"),
        (b"Content-Length: 99999999999999999999999", "400"),
        (b"Content-Length: \xd9\xa5", "400"), // An Arabic five.
        (b"Content-Length: 18446744073709551615", "431"), // What hyper says to any size.
    ])
    .await;
}

#[tokio::test]
async fn a_coding_is_chunked_and_nothing_else() {
    check_fields_refused(&[
        (b"Transfer-Encoding: gzip", "400"),
        (b"Transfer-Encoding: gzip, chunked", "400"),
        (b"Transfer-Encoding: chunked, gzip", "400"),
        (b"Transfer-Encoding: chunked, chunked", "400"),
        (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "400"),
        (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "400"),
        (b"Transfer-Encoding: identity, chunked", "400"),
        (b"Transfer-Encoding: xchunked", "400"),
        (b"Transfer-Encoding: chunked;q=1", "400"),
        (b"Transfer-Encoding: \"chunked\"", "400"),
        (b"Transfer-Encoding: \x0bchunked", "400"),
        (b"Transfer-Encoding: chunked\x0b", "400"),
        (b"Transfer-Encoding: chunked\xa0", "400"),
        (b"Transfer-Encoding: \x00chunked", "400"),
        (b"Transfer-Encoding: ,chunked", "400"),
        (b"Transfer-Encoding:", "400"),
        (b"Transfer-Encoding : chunked", "400"),
        (b" Transfer-Encoding: chunked", "400"),
        (b"Transfer-Encoding\t: chunked", "400"),
        (b"Transfer-Encoding:\r\n chunked", "400"),
        (b"Content-Length: 5\r\nTransfer-Encoding: gzip", "400"),
    ])
    .await;
    check_refused(&[(
        b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "400",
    )])
    .await;
}

#[tokio::test]
async fn a_line_is_one_line_and_a_name_a_token() {
    check_fields_refused(&[
        (b"X-A: a\rb", "400"),
        (b"X-A: a\rTransfer-Encoding: chunked", "400"),
        (b"X-A: a\r\r\nB: c", "400"),
        (b"X-A: a\r\n folded", "400"),
        (b"X-A: a\r\n\tfolded", "400"),
        (b"X-A : a", "400"),
        (b"X A: a", "400"),
        (b": a", "400"),
        (b"X-A", "400"),
        (b"X(A): a", "400"),
        (b"X-\xc3\xa9: a", "400"),
        (b"X-A\x00: a", "400"),
        (b"X-A: a\x00b", "400"),
        (b"X-A: a\x01b", "400"),
        (b"X-A: a\x0bb", "400"),
        (b"X-A: a\x7fb", "400"),
    ])
    .await;
}

#[tokio::test]
async fn a_request_line_has_one_form() {
    check_refused(&[
        (b"GET / HTTP/1.2\r\nHost: a\r\n\r\n", "400"),
        (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", "400"),
        (b"GET / HTTP/0.9\r\nHost: a\r\n\r\n", "400"),
        (b"GET / http/1.1\r\nHost: a\r\n\r\n", "400"),
        (b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "400"),
        (b"GET /\r\n", "400"),
        (b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
        (b"GET /  HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
        (b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
        (b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
        (b" GET / HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
        (b"GET / HTTP/1.1\rHost: a\r\n\r\n", "400"),
        (b"GET /\r HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
        (b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
        (b"GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
        (b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
        (b"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
        (b"G(T / HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
        (b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", "400"),
    ])
    .await;
}

#[tokio::test]
async fn a_target_is_a_path() {
    check_refused(&[
        (b"GET http://evil.example/ HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
        (b"GET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
        (
            b"GET ws://a/ HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
            "400",
        ),
        (b"GET evil.example:80 HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
        (b"GET a HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
        (b"GET ?a=b HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
        (b"GET #a HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
        (b"GET * HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
        (b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
        (b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", "405"),
        (b"trace / HTTP/1.1\r\nHost: a\r\n\r\n", "405"),
        (b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", "405"),
        (b"CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", "405"),
        (b"Connect / HTTP/1.1\r\nHost: a\r\n\r\n", "405"),
    ])
    .await;
}

#[tokio::test]
async fn a_request_is_for_one_host() {
    let bad = [
        "Host: ",
        "Host: a b",
        "Host: a/b",
        "Host: a?b",
        "Host: a#b",
        "Host: a\\b",
        "Host: u@a",
        "Host: u:p@a",
        "Host: a,b",
        "Host: a:65536",
        "Host: a:99999999999",
        "Host: a:",
        "Host: a:b",
        "Host: a:-1",
        "Host: a:80:80",
        "Host: [::1",
        "Host: ::1",
        "Host: [::1]a",
        "Host: a%00",
        "Host: a\"b",
        "Host: <a>",
        "Host: http://a",
        "Host: é",
        "Host: a\r\nHost: a",
        "Host: a\r\nHost: b",
        "Host : a",
        "X-Host: a",
    ];
    let requests = bad.map(|host| format!("GET / HTTP/1.1\r\n{host}\r\n\r\n"));
    let requests: Vec<(&[u8], &str)> =
        requests.iter().map(|request| (request.as_bytes(), "400")).collect();
    check_refused(&requests).await;
    let old = b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n";
    let stack = Stack::start().await;
    assert!(exchange(stack.address(), old).await.starts_with("HTTP/1.0 400"));
    assert_eq!(stack.upstream.connections(), 0);
}

#[tokio::test]
async fn a_head_has_a_size() {
    let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: 1\r\n".repeat(100));
    let large = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(16 * 1024));
    let pieces = format!("X: {}\r\n", "x".repeat(1024)).repeat(16);
    let pieces = format!("GET / HTTP/1.1\r\nHost: a\r\n{pieces}\r\n");
    let long = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(8 * 1024));
    let longer = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(70_000));
    let query = format!("GET /?{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(8 * 1024));
    check_refused(&[
        (many.as_bytes(), "431"),
        (large.as_bytes(), "431"),
        (pieces.as_bytes(), "431"),
        (long.as_bytes(), "414"),
        (longer.as_bytes(), "414"),
        (query.as_bytes(), "414"),
    ])
    .await;
}

#[tokio::test]
async fn behind_the_beginning_of_http_2_there_is_no_http_1() {
    let stack = Stack::start().await;
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let answer = exchange(stack.address(), format!("{preface}{NEXT}")).await;
    assert!(!answer.contains("HTTP/1.1"), "{answer}");
    let mut partly = Wire::connect(stack.address()).await;
    partly.send(&preface[..16]).await;
    partly.end().await;
    assert!(!partly.read_to_end().await.contains(" 200 "));
    assert_eq!(stack.upstream.connections(), 0);
}

#[tokio::test]
async fn what_is_unusual_and_clear_is_served() {
    let stack = Stack::start().await;
    for (request, method, target) in [
        ("\r\n\r\nGET /1 HTTP/1.1\r\nHost: a", "GET", "/1"), // RFC 9112 §2.2 wants a blank line let pass.
        ("get /2 HTTP/1.1\r\nHost: a", "get", "/2"),
        ("M-SEARCH /3 HTTP/1.1\r\nHost: a", "M-SEARCH", "/3"),
        ("GET //evil.example/4 HTTP/1.1\r\nHost: a", "GET", "//evil.example/4"),
        ("GET /\\evil.example HTTP/1.1\r\nHost: a", "GET", "/\\evil.example"),
        ("GET /5#fragment HTTP/1.1\r\nHost: a", "GET", "/5"), // hyper drops it (RFC 9110 §7.1).
        ("GET /6 HTTP/1.1\nHost: a", "GET", "/6"), // hyper takes a bare LF for a line's end.
        ("GET /7 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 0", "GET", "/7"),
        ("GET /8 HTTP/1.1\r\nHost: a\r\nX: \t padded \t", "GET", "/8"),
    ] {
        let answer = exchange(stack.address(), format!("{request}\r\nConnection: close\r\n\r\n"));
        let answer = answer.await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{request}: {answer}");
        let seen = stack.upstream.last_request();
        assert_eq!((seen.method.as_str(), seen.target.to_string().as_str()), (method, target));
        assert!(seen.headers.get_all("content-length").iter().count() <= 1, "{request}");
    }
    assert_eq!(stack.upstream.last_request().header("x"), Some("padded"));
}
