//! A browser without a screen: sends requests, keeps cookies.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use cookie::{Cookie, CookieJar};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// Somebody at a browser. Clones share their cookies.
#[derive(Debug, Clone)]
pub struct Visitor {
    address: SocketAddr,
    jar: Arc<Mutex<CookieJar>>,
    headers: HeaderMap,
}

/// A response, read whole.
#[derive(Debug)]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its fields.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Visitor {
    /// Somebody new, who visits the gateway at `address`.
    pub fn new(address: SocketAddr) -> Self {
        Self { address, jar: Arc::default(), headers: HeaderMap::new() }
    }

    /// The same browser, which goes to another server and keeps the cookies that it has now.
    #[must_use]
    pub fn elsewhere(&self, address: SocketAddr) -> Self {
        let jar = Arc::new(Mutex::new(self.jar.lock().unwrap().clone()));
        Self { address, jar, headers: self.headers.clone() }
    }

    /// Somebody with another browser, which has no cookie yet.
    #[must_use]
    pub fn forgetful(&self) -> Self {
        Self { jar: Arc::default(), ..self.clone() }
    }

    /// The same visitor, who also sends this field; repeated names are sent repeatedly.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().unwrap();
        self.headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        self
    }

    /// Reads a page.
    pub async fn get(&self, target: &str) -> Reply {
        self.send(Method::GET, target, None).await
    }

    /// Posts JSON from the site's own pages.
    pub async fn post(&self, target: &str, json: &Value) -> Reply {
        self.send(Method::POST, target, Some(("application/json", json.to_string()))).await
    }

    /// Sends any request and reads the response whole.
    pub async fn send(&self, method: Method, target: &str, body: Option<(&str, String)>) -> Reply {
        let mut request = Request::builder().method(method).uri(target);
        if let Some((content_type, _)) = body {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        let body = body.map(|(_, body)| body).unwrap_or_default();
        let response = self.start(request.body(Full::from(body)).unwrap()).await;
        let (head, body) = response.into_parts();
        let body = body.collect().await.expect("the response was cut").to_bytes();
        Reply { status: head.status, headers: head.headers, body }
    }

    /// Sends a request and waits for the response head; cookies are sent and kept.
    pub async fn start(&self, mut request: Request<Full<Bytes>>) -> Response<Incoming> {
        if let Some(cookie) = self.cookie_header() {
            request.headers_mut().append(header::COOKIE, cookie);
        }
        for (name, value) in &self.headers {
            request.headers_mut().append(name, value.clone());
        }
        let host = HeaderValue::try_from(self.address.to_string()).unwrap();
        request.headers_mut().entry(header::HOST).or_insert(host);
        let stream = TcpStream::connect(self.address).await.expect("the gateway does not listen");
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection.with_upgrades());
        let response = sender.send_request(request).await.expect("the gateway did not answer");
        self.keep_cookies(response.headers());
        response
    }

    /// The value of a cookie that the browser holds.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.jar.lock().unwrap().get(name).map(|cookie| cookie.value().to_owned())
    }

    /// Puts a cookie into the browser.
    pub fn set_cookie(&self, name: &str, value: &str) {
        self.jar.lock().unwrap().add(Cookie::new(name.to_owned(), value.to_owned()));
    }

    fn cookie_header(&self) -> Option<HeaderValue> {
        let jar = self.jar.lock().unwrap();
        let pairs: Vec<String> =
            jar.iter().map(|cookie| format!("{}={}", cookie.name(), cookie.value())).collect();
        (!pairs.is_empty()).then(|| HeaderValue::try_from(pairs.join("; ")).unwrap())
    }

    fn keep_cookies(&self, headers: &HeaderMap) {
        let mut jar = self.jar.lock().unwrap();
        for value in headers.get_all(header::SET_COOKIE) {
            let cookie = Cookie::parse(value.to_str().unwrap().to_owned()).unwrap();
            let now = std::time::SystemTime::now();
            let is_over =
                cookie.expires_datetime().is_some_and(|at| std::time::SystemTime::from(at) <= now);
            if is_over {
                jar.force_remove(cookie.name());
            } else {
                jar.add(cookie.into_owned());
            }
        }
    }
}

impl Reply {
    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The value of a field that is there at most once.
    #[track_caller]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next().map(|value| value.to_str().unwrap());
        assert!(values.next().is_none(), "{name} was answered more than once");
        value
    }
}
