//! The names and ways under which browsers know one application.

use std::net::SocketAddr;

use bytes::Bytes;
use cookie::CookieJar;
use http::{Request, header};
use http_body_util::Full;
use nextbnb_gateway::config::Config;
use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::stack::RunningGateway;
use nextbnb_tests::tls::{TestCertificate, TlsClient};
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::play::{Seen, add_cookies, by_http1, by_http2, keep_cookies};

/// A name of the site, and the way to it.
pub(crate) struct Front {
    pub(crate) name: &'static str,
    gateway: SocketAddr,
    /// How the browser's page is called.
    pub(crate) origin: String,
    /// What `Host` says, where that is not the origin's.
    host: Option<&'static str>,
    /// What a proxy in front adds.
    told: &'static [(&'static str, &'static str)],
    tls: Option<TlsClient>,
    is_http2: bool,
}

/// Gateways before one application, and every way to it.
pub(crate) struct Fronts {
    pub(crate) all: Vec<Front>,
    _gateways: Vec<RunningGateway>,
    _keep: ([TestDatabase; 2], Vec<TempDir>),
}

/// What a proxy that ends TLS for shop.example tells.
const TOLD: &[(&str, &str)] = &[
    ("x-forwarded-proto", "https"),
    ("x-forwarded-host", "shop.example"),
    ("x-forwarded-for", "192.0.2.7"),
];

impl Fronts {
    pub(crate) async fn open(next: SocketAddr) -> Self {
        let databases = [TestDatabase::sqlite().await, TestDatabase::sqlite().await];
        let plain = RunningGateway::start(databases[0].url(), next, |_| {}).await;
        let certificate = TestCertificate::of(&["shop.example", "localhost"]);
        let speak_tls = |config: &mut Config| config.tls = Some(certificate.tls());
        let secure = RunningGateway::start(databases[1].url(), next, speak_tls).await;
        let (named, kept) = serve(&["--public-url", "https://shop.example"], next).await;
        let (behind, kept_behind) = serve(&["--trusted-proxies", "loopback"], next).await;
        let (both, kept_both) =
            serve(&["--public-url", "https://shop.example", "--trusted-proxies", "loopback"], next)
                .await;
        let mut all = plain_fronts(plain.address());
        all.extend(tls_fronts(secure.address(), &certificate));
        all.extend([
            front("a public URL", named.address(), "https://shop.example").host("gateway:3000"),
            front("a trusted proxy", behind.address(), "https://shop.example")
                .host("gateway:3000")
                .told(TOLD),
            front("a trusted proxy that keeps Host", behind.address(), "https://shop.example")
                .told(&[("x-forwarded-proto", "https")]),
            front("a public URL behind a trusted proxy", both.address(), "https://shop.example")
                .host("gateway:3000")
                .told(TOLD),
        ]);
        let gateways = vec![plain, secure, named, behind, both];
        Self { all, _gateways: gateways, _keep: (databases, vec![kept, kept_behind, kept_both]) }
    }
}

fn plain_fronts(gateway: SocketAddr) -> Vec<Front> {
    let own = |host: &str| format!("http://{host}:{}", gateway.port());
    vec![
        front("localhost and a port", gateway, &own("localhost")),
        front("127.0.0.1 and a port", gateway, &own("127.0.0.1")),
        front("[::1] and a port", gateway, &own("[::1]")),
        front("a name", gateway, "http://shop.example"),
        front("a name and a port", gateway, "http://shop.example:8080"),
        front("HTTP/2 by prior knowledge", gateway, "http://shop.example").http2(),
        front("HTTP/2 by prior knowledge and a port", gateway, &own("localhost")).http2(),
    ]
}

fn tls_fronts(gateway: SocketAddr, certificate: &TestCertificate) -> Vec<Front> {
    let http1 = TlsClient::new(&[certificate], &["http/1.1"]);
    let http2 = TlsClient::new(&[certificate], &["h2"]);
    let own = format!("https://localhost:{}", gateway.port());
    vec![
        front("TLS", gateway, "https://shop.example").tls(&http1),
        front("TLS and a port", gateway, &own).tls(&http1),
        front("TLS and HTTP/2", gateway, "https://shop.example").tls(&http2).http2(),
        front("TLS, HTTP/2 and a port", gateway, &own).tls(&http2).http2(),
    ]
}

/// A gateway of the command line, and the folder of its state.
async fn serve(flags: &[&str], next: SocketAddr) -> (RunningGateway, TempDir) {
    let state = TempDir::new().unwrap();
    let folder = state.path().display().to_string();
    let flags: Vec<_> =
        ["--state-dir", &folder].iter().chain(flags).map(ToString::to_string).collect();
    (RunningGateway::serve(&flags, next).await, state)
}

fn front(name: &'static str, gateway: SocketAddr, origin: &str) -> Front {
    let origin = origin.to_owned();
    Front { name, gateway, origin, host: None, told: &[], tls: None, is_http2: false }
}

impl Front {
    fn host(self, host: &'static str) -> Self {
        Self { host: Some(host), ..self }
    }

    fn told(self, told: &'static [(&'static str, &'static str)]) -> Self {
        Self { told, ..self }
    }

    fn tls(self, client: &TlsClient) -> Self {
        Self { tls: Some(client.clone()), ..self }
    }

    fn http2(self) -> Self {
        Self { is_http2: true, ..self }
    }

    /// Whether whoever connects is believed about names.
    pub(crate) fn is_proxy(&self) -> bool {
        !self.told.is_empty()
    }

    /// Sends a request as the browser's, with its cookies.
    pub(crate) async fn send(&self, jar: &mut CookieJar, request: Request<Full<Bytes>>) -> Seen {
        let mut request = request;
        add_cookies(jar, request.headers_mut());
        for (name, value) in self.told {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        let authority = self.host.unwrap_or(self.origin.split_once("://").unwrap().1);
        let stream = TcpStream::connect(self.gateway).await.unwrap();
        let seen = if self.is_http2 {
            let scheme = if self.tls.is_some() { "https" } else { "http" };
            let target = format!("{scheme}://{authority}{}", request.uri());
            *request.uri_mut() = target.parse().unwrap();
            match &self.tls {
                Some(tls) => by_http2(tls.over(stream, self.server_name()).await, request).await,
                None => by_http2(stream, request).await,
            }
        } else {
            request.headers_mut().insert(header::HOST, authority.parse().unwrap());
            match &self.tls {
                Some(tls) => by_http1(tls.over(stream, self.server_name()).await, request).await,
                None => by_http1(stream, request).await,
            }
        };
        keep_cookies(jar, &seen.headers);
        seen
    }

    fn server_name(&self) -> &str {
        let authority = self.origin.split_once("://").unwrap().1;
        authority.split(':').next().unwrap()
    }
}
