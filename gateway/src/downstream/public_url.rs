//! The one public origin that the operator names (`--public-url`).

use std::net::Ipv6Addr;

use http::uri::{PathAndQuery, Scheme};
use http::{HeaderValue, Uri};

use super::origin::{Origin, default_port, is_same_host};
use crate::proxy::target::host_and_port;

const WANTED: &str = "want https://host or http://host, perhaps with a port";

/// An origin as browsers write it: small letters, no default port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    scheme: Scheme,
    host: String,
    field: HeaderValue,
}

impl PublicUrl {
    /// Reads `https://shop.example` or `http://shop.example:8080`; fails with what would be right.
    pub fn parse(url: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = url.split_once("://").ok_or(WANTED)?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::HTTP,
            "https" => Scheme::HTTPS,
            _ => return Err(WANTED),
        };
        let host = rest.strip_suffix('/').unwrap_or(rest);
        if host.contains('@') {
            return Err("want no user name or password");
        }
        if host.contains(['/', '?', '#']) {
            return Err("want an origin without a path, as in https://shop.example");
        }
        if host.contains('*') {
            return Err("want one host, without a star");
        }
        if !host.is_ascii() {
            return Err("want the host as DNS has it, as in https://xn--bcher-kva.example");
        }
        let (name, port) = host_and_port(host).ok_or(WANTED)?;
        if port == Some(0) {
            return Err("want a port from 1 to 65535");
        }
        let mut host = match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
            Some(address) => format!("[{}]", address.parse::<Ipv6Addr>().map_err(|_| WANTED)?),
            None => name.to_ascii_lowercase(),
        };
        if let Some(port) = port.filter(|port| *port != default_port(&scheme)) {
            host = format!("{host}:{port}");
        }
        let field = HeaderValue::try_from(&host).map_err(|_| WANTED)?;
        Ok(Self { scheme, host, field })
    }

    /// The same for every request.
    pub fn origin(&self) -> Origin {
        Origin::new(Some(self.scheme.clone()), self.host.clone(), None)
    }

    /// What stands in `Host`.
    pub fn field(&self) -> &HeaderValue {
        &self.field
    }

    /// A target in absolute form that is of this origin, in origin form (RFC 9112 §3.2.1).
    pub fn origin_form(&self, target: &Uri) -> Option<Uri> {
        let (scheme, authority) = (target.scheme()?, target.authority()?);
        if *scheme != self.scheme || !is_same_host(authority.as_str(), &self.host, scheme) {
            return None;
        }
        Some(target.path_and_query().cloned().map_or_else(Uri::default, from_path))
    }
}

fn from_path(path: PathAndQuery) -> Uri {
    path.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, expected: Result<&str, &str>) {
        let parsed = PublicUrl::parse(url);
        match expected {
            Ok(expected) => {
                let PublicUrl { scheme, host, field } = parsed.unwrap();
                assert_eq!(format!("{scheme}://{host}"), expected);
                assert_eq!(field, *host);
            }
            Err(part) => assert!(parsed.as_ref().is_err_and(|e| e.contains(part)), "{parsed:?}"),
        }
    }

    #[test]
    fn a_public_url_is_an_origin_as_browsers_write_it() {
        check("https://shop.example", Ok("https://shop.example"));
        check("HTTPS://Shop.Example/", Ok("https://shop.example"));
        check("https://shop.example:443", Ok("https://shop.example"));
        check("http://shop.example:443", Ok("http://shop.example:443"));
        check("http://localhost:3000", Ok("http://localhost:3000"));
        check("http://[0:0::1]:80", Ok("http://[::1]"));
    }

    #[test]
    fn anything_more_or_less_is_refused_with_what_would_be_right() {
        for bad in [
            "",
            "shop.example",
            "https://",
            "ftp://a",
            "https:/a",
            "https://a b",
            "https://a:",
            "https://a:x",
            "https://a:99999",
            "https://[fe80::1%25eth0]",
            "https://::1",
            " https://a",
        ] {
            check(bad, Err("want https://"));
        }
        check("https://a/app", Err("without a path"));
        check("https://a//", Err("without a path"));
        check("https://a?b", Err("without a path"));
        check("https://a#b", Err("without a path"));
        check("https://u:p@a", Err("no user name"));
        check("https://*.a", Err("without a star"));
        check("https://a:0", Err("from 1 to 65535"));
        check("https://bücher.example", Err("as DNS has it"));
    }

    #[track_caller]
    fn check_target(target: &str, expected: Option<&str>) {
        let url = PublicUrl::parse("https://shop.example").unwrap();
        let form = url.origin_form(&target.parse().unwrap());
        assert_eq!(form.map(|uri| uri.to_string()).as_deref(), expected, "{target}");
    }

    #[test]
    fn a_target_of_the_public_origin_is_its_path_alone() {
        check_target("https://shop.example/a//b?c=%2F", Some("/a//b?c=%2F"));
        check_target("https://SHOP.example:443", Some("/"));
        check_target("https://shop.example?x", Some("/?x"));
        check_target("http://shop.example/", None);
        check_target("https://shop.example:444/", None);
        check_target("https://evil.example/", None);
        check_target("https://shop.example@evil.example/", None);
        check_target("https://u@shop.example/", None);
        check_target("shop.example:443", None);
        check_target("/path", None);
    }
}
