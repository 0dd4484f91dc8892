//! What a request shows of its client and of the site's origin, as far as it is believed.

use std::net::{IpAddr, SocketAddr};

use http::request::Parts;
use http::uri::Scheme;
use http::{HeaderMap, HeaderName, header};

use super::dev_hosts::DevHosts;
use super::forwarded_for;
use super::origin::Origin;
use super::peer::{Peer, Source};
use super::proxy_protocol::Header;
use super::public_url::PublicUrl;
use super::trusted_proxies::TrustedProxies;
use crate::error::RequestError;
use crate::proxy::forwarding::{X_FORWARDED_HOST, X_FORWARDED_PORT, X_FORWARDED_PROTO};
use crate::proxy::target::{host_and_port, public_host};

/// Whether connections begin with a header of the PROXY protocol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ProxyProtocol {
    /// None does.
    #[default]
    Off,
    /// Every one does, or is closed: a receiver must not guess (PROXY protocol, section 2).
    Required,
}

/// What the site is called, and who may tell of clients.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Front {
    /// `--public-url`
    pub public_url: Option<PublicUrl>,
    /// `--trusted-proxies`
    pub trusted: TrustedProxies,
    /// `--proxy-protocol`
    pub proxy_protocol: ProxyProtocol,
    /// In `dev`, the names that the site may be asked for under; else it is any.
    pub dev_hosts: Option<DevHosts>,
}

/// Why a connection is closed before its first request.
#[derive(Debug, thiserror::Error)]
#[error("{0} is none of --trusted-proxies and may send no PROXY header")]
pub struct NotTrusted(IpAddr);

impl Front {
    /// Whether a connection of `direct` is one of whom it introduces; from everybody else only a
    /// `LOCAL` header is taken, of this machine.
    pub fn is_introduced_by(&self, direct: Peer) -> bool {
        self.proxy_protocol == ProxyProtocol::Required && self.may_tell(direct)
    }

    fn may_tell(&self, direct: Peer) -> bool {
        self.trusted.is_empty() || direct.is_trusted
    }

    /// Who is at the other end of a connection that begins with `header`.
    ///
    /// Where proxies are named, only they may send one. A `LOCAL` one tells nothing, so that this
    /// machine's own health checks may always send it. Behind a proxy that does not know its client
    /// nobody is trusted.
    pub fn peer_behind(&self, direct: Peer, header: Header) -> Result<Peer, NotTrusted> {
        let may_tell = self.may_tell(direct);
        match header {
            Header::Local if may_tell || direct.address.is_loopback() => Ok(direct),
            Header::Client(address) if may_tell => Ok(self.trusted.peer(Source::Tcp(address))),
            Header::Unknown if may_tell => Ok(Peer { is_trusted: false, ..direct }),
            _ => Err(NotTrusted(direct.address)),
        }
    }

    /// The client's address: `peer`, unless it is trusted and names another.
    pub fn client(&self, headers: &HeaderMap, peer: Peer) -> IpAddr {
        if peer.is_trusted {
            forwarded_for::client(headers, peer.address, &self.trusted)
        } else {
            peer.address
        }
    }

    /// The origin that a request is for, of which it is told in `Host` from here on where the
    /// settings name it; a target in absolute form becomes a path. In `dev` every name that the
    /// request bears has to be one of the site's: its `Host`, and what a trusted proxy tells.
    ///
    /// Otherwise the origin is what the trusted proxy says of it that is well-formed, and for the
    /// rest `Host` and the connection's own `scheme`.
    pub fn receive(
        &self,
        head: &mut Parts,
        peer: Peer,
        scheme: &Scheme,
        local: Option<SocketAddr>,
    ) -> Result<Origin, RequestError> {
        if let Some(url) = &self.public_url {
            if let Some(path) = url.origin_form(&head.uri) {
                head.uri = path;
            }
            self.admit(public_host(head)?)?;
            head.headers.insert(header::HOST, url.field().clone());
            return Ok(url.origin());
        }
        let host = public_host(head)?;
        self.admit(host)?;
        let told = if peer.is_trusted { Told::of(&head.headers) } else { Told::default() };
        self.admit(told.host)?;
        let known = told.scheme.or_else(|| (*scheme == Scheme::HTTPS).then_some(Scheme::HTTPS));
        let host = match (told.host.or(host), local) {
            (Some(host), _) => host.to_owned(),
            (None, Some(local)) => local.to_string(),
            (None, None) => "localhost".to_owned(),
        };
        Ok(Origin::new(known, host, told.port))
    }

    /// Refuses a name that nobody works under.
    fn admit(&self, host: Option<&str>) -> Result<(), RequestError> {
        match (&self.dev_hosts, host) {
            (Some(hosts), Some(host)) if !hosts.admit(host) => {
                let name = host_and_port(host).map_or(host, |(name, _)| name);
                Err(RequestError::UnknownHost(name.to_owned()))
            }
            _ => Ok(()),
        }
    }
}

/// What a proxy tells of the origin that was asked for.
#[derive(Debug, Default)]
struct Told<'a> {
    scheme: Option<Scheme>,
    host: Option<&'a str>,
    port: Option<u16>,
}

impl<'a> Told<'a> {
    fn of(headers: &'a HeaderMap) -> Self {
        let scheme = last(headers, &X_FORWARDED_PROTO).and_then(scheme_of);
        let host = last(headers, &X_FORWARDED_HOST).filter(|host| host_and_port(host).is_some());
        let port = last(headers, &X_FORWARDED_PORT).filter(|port| !port.starts_with('+'));
        let port = port.and_then(|port| port.parse().ok()).filter(|port| *port != 0);
        Self { scheme, host, port }
    }
}

/// Traefik calls a WebSocket's scheme `ws` or `wss`.
fn scheme_of(value: &str) -> Option<Scheme> {
    let is = |name: &str| value.eq_ignore_ascii_case(name);
    if is("https") || is("wss") {
        Some(Scheme::HTTPS)
    } else if is("http") || is("ws") {
        Some(Scheme::HTTP)
    } else {
        None
    }
}

/// What the nearest proxy says: the last element of the last line.
fn last<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let line = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    line.rsplit(',').next().map(str::trim)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    const PEER: Peer =
        Peer { address: IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), is_trusted: true };

    #[track_caller]
    fn check(fields: &[(&str, &str)], expected: &str) {
        let mut request = Request::get("/").header("host", "inner:3000");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let (mut head, ()) = request.body(()).unwrap().into_parts();
        let front = Front::default();
        let origin = front.receive(&mut head, PEER, &Scheme::HTTP, None).unwrap();
        let scheme = origin.known_scheme().map_or("?", Scheme::as_str);
        assert_eq!(
            format!("{scheme}://{} {}", origin.host(), origin.port()),
            expected,
            "{fields:?}"
        );
    }

    #[test]
    fn the_nearest_trusted_proxy_tells_the_origin() {
        check(&[], "?://inner:3000 3000");
        let told = [("x-forwarded-proto", "https"), ("x-forwarded-host", "shop.example")];
        check(&told, "https://shop.example 443");
        let twice =
            [("x-forwarded-host", "evil.example, b"), ("x-forwarded-host", "c, shop.example")];
        check(&twice, "?://shop.example 80");
        check(&[("x-forwarded-proto", "http, HTTPS")], "https://inner:3000 3000");
        check(&[("x-forwarded-proto", "wss")], "https://inner:3000 3000");
        check(&[("x-forwarded-proto", "ws")], "http://inner:3000 3000");
        let port = [("x-forwarded-host", "shop.example"), ("x-forwarded-port", "1, 8443")];
        check(&port, "?://shop.example 8443");
    }

    #[test]
    fn what_a_trusted_proxy_says_badly_is_not_heard() {
        for host in ["", "a b", "a/b", "a@b", "a:x", "shop.example,", "[fe80::1%1]", "é"] {
            check(&[("x-forwarded-host", host)], "?://inner:3000 3000");
        }
        for proto in ["", "gopher", "https://", "https,", "httpss", "é"] {
            check(&[("x-forwarded-proto", proto)], "?://inner:3000 3000");
        }
        for port in ["", "0", "+443", "99999", "x", "443,", "-1"] {
            check(&[("x-forwarded-host", "a"), ("x-forwarded-port", port)], "?://a 80");
        }
    }

    #[test]
    fn in_dev_every_name_that_a_request_bears_has_to_be_known() {
        let url = |url| PublicUrl::parse(url).ok();
        let check = |public_url: Option<PublicUrl>, host: &str, told: &str, expected: bool| {
            let mut dev_hosts = DevHosts::default();
            dev_hosts.add("app.test").unwrap();
            let front = Front { public_url, dev_hosts: Some(dev_hosts), ..Front::default() };
            let request = Request::get("/").header("host", host).header("x-forwarded-host", told);
            let (mut head, ()) = request.body(()).unwrap().into_parts();
            let received = front.receive(&mut head, PEER, &Scheme::HTTP, None);
            assert_eq!(received.is_ok(), expected, "{host} {told} {received:?}");
        };
        check(None, "localhost:3000", "app.test", true);
        check(None, "evil.example", "localhost", false);
        check(None, "localhost:3000", "evil.example", false);
        check(url("https://app.test"), "app.test", "", true);
        check(url("https://app.test"), "evil.example", "", false);
    }

    #[test]
    fn over_tls_the_scheme_is_known() {
        let (mut head, ()) = Request::get("/").header("host", "a").body(()).unwrap().into_parts();
        let origin = Front::default().receive(&mut head, PEER, &Scheme::HTTPS, None).unwrap();
        assert_eq!((origin.known_scheme(), origin.port()), (Some(&Scheme::HTTPS), 443));
    }

    fn behind(trusted: &str, from: &str, header: Header) -> Option<(String, bool)> {
        let mut front = Front { proxy_protocol: ProxyProtocol::Required, ..Front::default() };
        for typed in trusted.split_whitespace() {
            front.trusted.add(typed).unwrap();
        }
        let direct = front.trusted.peer(Source::Tcp(from.parse().unwrap()));
        let peer = front.peer_behind(direct, header).ok()?;
        Some((peer.address.to_string(), peer.is_trusted))
    }

    #[test]
    fn where_proxies_are_named_only_they_tell_of_clients() {
        let client = Header::Client("203.0.113.7".parse().unwrap());
        assert_eq!(behind("", "1.2.3.4", client), Some(("203.0.113.7".to_owned(), false)));
        assert_eq!(
            behind("10.0.0.0/8", "10.0.0.1", client),
            Some(("203.0.113.7".to_owned(), false))
        );
        assert_eq!(behind("10.0.0.0/8", "1.2.3.4", client), None);
        assert_eq!(behind("10.0.0.0/8", "127.0.0.1", client), None);
        assert_eq!(behind("10.0.0.0/8", "127.0.0.1", Header::Unknown), None);
    }

    #[test]
    fn whoever_may_introduce_nobody_is_no_proxy_from_the_start() {
        let check = |trusted: &[&str], from: &str, is_introduced: bool| {
            let mut front = Front { proxy_protocol: ProxyProtocol::Required, ..Front::default() };
            for typed in trusted {
                front.trusted.add(typed).unwrap();
            }
            let direct = front.trusted.peer(Source::Tcp(from.parse().unwrap()));
            assert_eq!(front.is_introduced_by(direct), is_introduced, "{trusted:?} {from}");
            let off = Front { proxy_protocol: ProxyProtocol::Off, ..front };
            assert!(!off.is_introduced_by(direct));
        };
        check(&[], "203.0.113.7", true);
        check(&["198.51.100.1"], "198.51.100.1", true);
        check(&["198.51.100.1"], "203.0.113.7", false);
    }

    #[test]
    fn a_client_that_is_a_trusted_proxy_itself_is_believed_in_turn() {
        let inner = Header::Client("::ffff:10.0.0.2".parse().unwrap());
        assert_eq!(behind("10.0.0.0/8", "10.0.0.1", inner), Some(("10.0.0.2".to_owned(), true)));
    }

    #[test]
    fn a_connection_of_the_proxys_own_is_its_own_and_one_of_an_unknown_client_is_nobodys() {
        let own = behind("10.0.0.0/8", "10.0.0.1", Header::Local);
        assert_eq!(own, Some(("10.0.0.1".to_owned(), true)));
        let unknown = behind("10.0.0.0/8", "10.0.0.1", Header::Unknown);
        assert_eq!(unknown, Some(("10.0.0.1".to_owned(), false)));
        let health = behind("10.0.0.0/8", "127.0.0.1", Header::Local);
        assert_eq!(health, Some(("127.0.0.1".to_owned(), false)));
        assert_eq!(behind("10.0.0.0/8", "1.2.3.4", Header::Local), None);
    }
}
