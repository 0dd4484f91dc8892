//! Fields of a response that lead somewhere: from the upstream's own origin to the public one.

use std::fmt;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::uri::{Authority, Scheme};

use super::target::host_and_port;

/// Hosts by which a server calls itself in its own redirects: Next.js builds `request.url` from
/// where it listens, not from `Host` (16.4.5, `resolve-routes.js`).
const SELF_NAMES: [&str; 5] = ["localhost", "127.0.0.1", "0.0.0.0", "[::1]", "[::]"];

/// Fields that hold a URL.
pub(super) const LEADING: [HeaderName; 3] =
    [header::LOCATION, header::CONTENT_LOCATION, header::REFRESH];

/// The origin that the browser sees.
#[derive(Debug, Clone, Copy)]
pub struct PublicOrigin<'a> {
    /// How the browser speaks to the gateway.
    pub scheme: &'a Scheme,
    /// The host as the browser wrote it, with its port.
    pub host: &'a str,
    /// What the upstream's paths begin with in the browser, without a slash at the end.
    pub prefix: &'a str,
}

impl fmt::Display for PublicOrigin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.host, self.prefix)
    }
}

/// Makes the fields that hold a URL lead to the `public` origin where they led to the upstream's own:
/// `Location`, `Content-Location` (RFC 9110 §10.2.2, §8.7) and `Refresh`, which Next.js sends beside a
/// permanent redirect (16.4.5, `router-server.js`).
pub(super) fn lead_to_public(
    headers: &mut HeaderMap,
    upstream: &Authority,
    public: PublicOrigin<'_>,
) {
    for name in LEADING {
        if let Some(value) = public_value(&name, headers, upstream, public) {
            headers.insert(name, value);
        }
    }
}

fn public_value(
    name: &HeaderName,
    headers: &HeaderMap,
    upstream: &Authority,
    public: PublicOrigin<'_>,
) -> Option<HeaderValue> {
    let value = headers.get(name)?.to_str().ok()?;
    let (before, url, after) = match *name {
        header::REFRESH => url_of_refresh(value)?,
        _ => ("", value, ""),
    };
    let path = path_at(url, upstream)?;
    HeaderValue::try_from(format!("{before}{public}{path}{after}")).ok()
}

/// The URL in `5; url=http://a/b`, which may be quoted, and what stands around it (HTML, "shared
/// declarative refresh steps").
fn url_of_refresh(value: &str) -> Option<(&str, &str, &str)> {
    let (_, rest) = value.split_once([';', ','])?;
    let rest = rest.trim_start();
    let (name, rest) = rest.split_at_checked("url".len())?;
    let rest = rest.trim_start().strip_prefix('=').filter(|_| name.eq_ignore_ascii_case("url"))?;
    let rest = rest.trim_start();
    let url = match rest.chars().next().filter(|quote| ['"', '\''].contains(quote)) {
        Some(quote) => rest.get(1..)?.split(quote).next()?,
        None => rest.trim_end(),
    };
    let start = url.as_ptr().addr() - value.as_ptr().addr();
    Some((value.get(..start)?, url, value.get(start + url.len()..)?))
}

/// The part of `url` behind its origin, when that origin is the upstream's.
fn path_at<'a>(url: &'a str, upstream: &Authority) -> Option<&'a str> {
    // Of a scheme's letters the case means nothing (RFC 3986 §3.1).
    let begins_with =
        |start: &&str| url.get(..start.len()).is_some_and(|s| s.eq_ignore_ascii_case(start));
    let start = ["http://", "https://", "//"].into_iter().find(begins_with)?;
    let rest = url.get(start.len()..)?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let authority: Authority = authority.parse().ok()?; // Takes `[::1]x` for `[::1]`.
    let (host, port) = authority.as_str().rsplit('@').next().and_then(host_and_port)?;
    let is_upstream_host = host.eq_ignore_ascii_case(upstream.host())
        || SELF_NAMES.iter().any(|name| host.eq_ignore_ascii_case(name));
    let own_port = upstream.port_u16().unwrap_or(80);
    (is_upstream_host && port.unwrap_or(80) == own_port).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: HeaderName, sent: &'static str, expected: &str) {
        let mut headers = HeaderMap::new();
        headers.insert(name.clone(), HeaderValue::from_static(sent));
        let public = PublicOrigin { scheme: &Scheme::HTTP, host: "site.example:8080", prefix: "" };
        lead_to_public(&mut headers, &Authority::from_static("web:3001"), public);
        assert_eq!(headers[name], expected);
    }

    #[track_caller]
    fn check_location(sent: &'static str, expected: &str) {
        check(header::LOCATION, sent, expected);
        check(header::CONTENT_LOCATION, sent, expected);
    }

    #[test]
    fn a_redirect_to_the_upstream_leads_to_the_public_origin() {
        check_location("http://web:3001/x?y#z", "http://site.example:8080/x?y#z");
        check_location("http://localhost:3001/x", "http://site.example:8080/x");
        check_location("https://localhost:3001/x", "http://site.example:8080/x");
        check_location("HTTP://Web:3001/X", "http://site.example:8080/X");
        check_location("http://0.0.0.0:3001", "http://site.example:8080");
        check_location("http://[::1]:3001/", "http://site.example:8080/");
        check_location("http://[::]1:3001/", "http://[::]1:3001/");
        check_location("//web:3001/x", "http://site.example:8080/x");
        check_location("/x", "/x");
        check_location("//x", "//x");
        check_location("http://localhost:3002/x", "http://localhost:3002/x");
        check_location("http://localhost/x", "http://localhost/x");
        check_location("https://other.example/x", "https://other.example/x");
        check_location("http://web:3001@evil.example/x", "http://web:3001@evil.example/x");
    }

    #[test]
    fn a_refresh_leads_to_the_public_origin_and_keeps_what_stands_around() {
        let refresh = |sent, expected: &str| check(header::REFRESH, sent, expected);
        refresh("0;url=http://web:3001/x", "0;url=http://site.example:8080/x");
        refresh("5; URL = 'http://web:3001/x' ", "5; URL = 'http://site.example:8080/x' ");
        refresh("5, url=\"https://localhost:3001/x", "5, url=\"http://site.example:8080/x");
        for other in [
            "0;url=/x",
            "5",
            "5;",
            "5;u",
            "5; http://web:3001/",
            "0;url=http://a/",
            "0;x=http://web:3001/",
        ] {
            refresh(other, other);
        }
    }
}
