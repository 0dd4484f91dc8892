//! Plays checks, straight and through the gateway.

use std::net::SocketAddr;
use std::time::SystemTime;

use bytes::Bytes;
use cookie::{Cookie, CookieJar};
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use nextbnb_tests::http2::Http2;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::check::{Check, Step, Target};

/// What the site is called in checks.
pub(crate) const HOST: &str = "shop.example";

/// Which way a request goes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    Straight(SocketAddr),
    Gateway(SocketAddr),
    GatewayByHttp2(SocketAddr),
}

/// An answer, read whole.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// What stands in a check's path for what the build decides.
pub(crate) type Names = Vec<(&'static str, String)>;

/// Plays the steps of `check` in a browser of its own.
pub(crate) async fn play(check: &Check, way: Way, names: &Names) -> Vec<Seen> {
    let mut jar = CookieJar::new();
    let mut seen: Vec<Seen> = Vec::new();
    let mut path = String::new();
    for step in &check.steps {
        let mut request = request_of(step, seen.last(), &mut path, names);
        add_cookies(&jar, request.headers_mut());
        let answer = exchange(way, request).await;
        keep_cookies(&mut jar, &answer.headers);
        seen.push(answer);
    }
    seen
}

fn request_of(
    step: &Step,
    before: Option<&Seen>,
    path: &mut String,
    names: &Names,
) -> Request<Full<Bytes>> {
    let field = |name: header::HeaderName| before.and_then(|seen| seen.headers.get(name)).cloned();
    let mut etag = None;
    match &step.target {
        Target::Path(target) => *path = named(target, names),
        Target::Location => {
            let location = field(header::LOCATION).expect("the answer before leads nowhere");
            let location = location.to_str().unwrap();
            let at = location.find("://").map_or(0, |at| at + 3);
            let at = location[at..].find('/').unwrap_or(0) + at;
            location[at..].clone_into(path);
        }
        Target::Unchanged => etag = Some(field(header::ETAG).expect("no ETag was answered")),
    }
    let mut request = Request::builder().method(step.method.clone()).uri(&*path);
    for (name, value) in &step.headers {
        request = request.header(*name, named(value, names));
    }
    if let Some(etag) = etag {
        request = request.header(header::IF_NONE_MATCH, etag);
    }
    request.body(Full::new(step.body.clone())).unwrap()
}

fn named(text: &str, names: &Names) -> String {
    names.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
}

/// Sends one request on a connection of its own.
pub(crate) async fn exchange(way: Way, mut request: Request<Full<Bytes>>) -> Seen {
    let (Way::Straight(address) | Way::Gateway(address) | Way::GatewayByHttp2(address)) = way;
    let stream = TcpStream::connect(address).await.expect("nobody listens");
    if matches!(way, Way::GatewayByHttp2(_)) {
        let target = format!("http://{HOST}{}", request.uri());
        *request.uri_mut() = target.parse().unwrap();
        return by_http2(stream, request).await;
    }
    request.headers_mut().entry(header::HOST).or_insert(HOST.parse().unwrap());
    by_http1(stream, request).await
}

/// Sends one request, whose target is whole, by HTTP/2.
pub(crate) async fn by_http2(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Seen {
    let reply = Http2::over(stream).await.send(request).await;
    Seen { status: reply.status, headers: reply.headers, body: reply.body }
}

/// Sends one request by HTTP/1.1.
pub(crate) async fn by_http1(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Seen {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let answer = sender.send_request(request).await.expect("no answer");
    let (head, body) = answer.into_parts();
    let body = body.collect().await.expect("the answer was cut").to_bytes();
    Seen { status: head.status, headers: head.headers, body }
}

/// Sends what the browser holds.
pub(crate) fn add_cookies(jar: &CookieJar, headers: &mut HeaderMap) {
    let mut pairs: Vec<_> = jar.iter().map(|c| format!("{}={}", c.name(), c.value())).collect();
    pairs.sort(); // The jar has no order of its own.
    if !pairs.is_empty() {
        headers.append(header::COOKIE, pairs.join("; ").parse().unwrap());
    }
}

/// Keeps what `headers` set, drops what they end.
pub(crate) fn keep_cookies(jar: &mut CookieJar, headers: &HeaderMap) {
    for value in headers.get_all(header::SET_COOKIE) {
        let cookie = Cookie::parse(value.to_str().unwrap().to_owned()).unwrap();
        let moment = cookie.expires_datetime();
        if moment.is_some_and(|moment| SystemTime::from(moment) <= SystemTime::now()) {
            jar.force_remove(cookie.name());
        } else {
            jar.add(cookie);
        }
    }
}
