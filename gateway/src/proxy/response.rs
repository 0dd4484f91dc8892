//! What is changed in the upstream's response heads.

use std::fmt;

use http::header::{self, Entry, HeaderMap, HeaderName, HeaderValue};
use http::uri::{Authority, Scheme};

use super::hop_by_hop::remove_hop_by_hop;

const X_POWERED_BY: HeaderName = HeaderName::from_static("x-powered-by");

/// Fields in which shared caches are told what `Cache-Control` keeps from browsers (RFC 9213 §2, and
/// its elders); each vendor puts its name before `CDN-Cache-Control`.
const SURROGATE_CONTROL: &str = "surrogate-control";
const CDN_CACHE_CONTROL: &str = "cdn-cache-control";

/// Hosts by which a server calls itself in its own redirects: Next.js builds `request.url` from
/// where it listens, not from `Host` (16.4.5, `resolve-routes.js`).
const SELF_NAMES: [&str; 5] = ["localhost", "127.0.0.1", "0.0.0.0", "[::1]", "[::]"];

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

/// Removes what describes the upstream's connection or kind, and turns redirects to the
/// upstream's own origin into redirects to the public one.
pub fn clean_response(
    headers: &mut HeaderMap,
    upstream: Option<&Authority>,
    public: PublicOrigin<'_>,
) {
    remove_hop_by_hop(headers);
    headers.remove(X_POWERED_BY);
    headers.remove(header::SERVER);
    keep_first(headers, header::DATE);
    if let Some(upstream) = upstream
        && let Some(location) = headers.get(header::LOCATION)
        && let Some(path) = path_at(location, upstream)
        && let Ok(value) = HeaderValue::try_from(format!("{public}{path}"))
    {
        headers.insert(header::LOCATION, value);
    }
}

/// Leaves one value of a field that has one (RFC 9110 §5.3).
fn keep_first(headers: &mut HeaderMap, name: HeaderName) {
    if let Entry::Occupied(mut values) = headers.entry(name)
        && values.iter().nth(1).is_some()
    {
        let first = values.get().clone();
        values.insert(first);
    }
}

/// Whether a shared cache may keep a response and hand it to others (RFC 9111 §3): then no cookie
/// may be in it.
///
/// A lifetime without `private` is enough for that; `public` only widens it. A field for shared caches
/// alone may say so whatever `Cache-Control` says to browsers.
pub fn is_publicly_cacheable(headers: &HeaderMap) -> bool {
    let is_for_caches = |name: &&HeaderName| {
        name.as_str() == SURROGATE_CONTROL || name.as_str().ends_with(CDN_CACHE_CONTROL)
    };
    allows_sharing(headers, &header::CACHE_CONTROL, headers.contains_key(header::EXPIRES))
        || headers.keys().filter(is_for_caches).any(|name| allows_sharing(headers, name, false))
}

fn allows_sharing(headers: &HeaderMap, name: &HeaderName, expires: bool) -> bool {
    let values =
        headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let values = values.map(|value| value.to_ascii_lowercase()).collect::<Vec<_>>();
    let directives: Vec<&str> =
        values.iter().flat_map(|value| value.split(',')).map(str::trim).collect();
    let has = |wanted: &[&str]| directives.iter().any(|directive| wanted.contains(directive));
    if has(&["public", "immutable"]) || directives.iter().any(|d| d.starts_with("s-maxage")) {
        return true;
    }
    let lives = |d: &&str| d.strip_prefix("max-age=").is_some_and(|seconds| seconds != "0");
    let has_lifetime = directives.iter().any(lives) || expires;
    has_lifetime && !has(&["private", "no-store", "no-cache"])
}

/// The part of `location` behind its origin, when that origin is the upstream's.
fn path_at<'a>(location: &'a HeaderValue, upstream: &Authority) -> Option<&'a str> {
    let location = location.to_str().ok()?;
    let rest = location.strip_prefix("http://").or_else(|| location.strip_prefix("https://"))?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let authority: Authority = authority.parse().ok()?;
    let is_upstream_host = authority.host().eq_ignore_ascii_case(upstream.host())
        || SELF_NAMES.iter().any(|name| authority.host().eq_ignore_ascii_case(name));
    let port = |authority: &Authority| authority.port_u16().unwrap_or(80);
    (is_upstream_host && port(&authority) == port(upstream)).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_location(sent: &'static str, expected: &str) {
        let mut headers = HeaderMap::new();
        headers.insert(header::LOCATION, HeaderValue::from_static(sent));
        let public = PublicOrigin { scheme: &Scheme::HTTP, host: "site.example:8080", prefix: "" };
        clean_response(&mut headers, Some(&Authority::from_static("web:3001")), public);
        assert_eq!(headers[header::LOCATION], expected);
    }

    #[test]
    fn a_redirect_to_the_upstream_leads_to_the_public_origin() {
        check_location("http://web:3001/x?y#z", "http://site.example:8080/x?y#z");
        check_location("http://localhost:3001/x", "http://site.example:8080/x");
        check_location("https://localhost:3001/x", "http://site.example:8080/x");
        check_location("http://0.0.0.0:3001", "http://site.example:8080");
        check_location("http://[::1]:3001/", "http://site.example:8080/");
        check_location("/x", "/x");
        check_location("http://localhost:3002/x", "http://localhost:3002/x");
        check_location("http://localhost/x", "http://localhost/x");
        check_location("https://other.example/x", "https://other.example/x");
        check_location("http://web:3001@evil.example/x", "http://web:3001@evil.example/x");
    }

    #[test]
    fn what_a_shared_cache_may_keep_is_known() {
        let cacheable = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(value));
            is_publicly_cacheable(&headers)
        };
        assert!(cacheable("public, max-age=31536000, immutable"));
        assert!(cacheable("s-maxage=31536000"));
        assert!(cacheable("max-age=5, Public"));
        assert!(cacheable("max-age=3600"));
        assert!(!cacheable("private, max-age=3600"));
        assert!(!cacheable("max-age=0, must-revalidate"));
        assert!(!cacheable("no-cache, max-age=5"));
        assert!(!cacheable("private, no-cache, no-store, max-age=0, must-revalidate"));
        assert!(cacheable("PUBLIC") && cacheable("S-MaxAge=1") && cacheable("Immutable"));
        assert!(
            cacheable("private=\"x-a\", max-age=5")
                && cacheable("no-cache=\"set-cookie\", max-age=5")
        );
        assert!(!is_publicly_cacheable(&HeaderMap::new()));
    }

    #[test]
    fn what_only_shared_caches_are_told_counts_too() {
        let cacheable = |fields: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in fields {
                headers.append(*name, HeaderValue::from_static(value));
            }
            is_publicly_cacheable(&headers)
        };
        let private = ("cache-control", "private, no-store");
        assert!(cacheable(&[private, ("cache-control", "public")]));
        assert!(cacheable(&[("cache-control", "max-age=0"), ("cache-control", "s-maxage=5")]));
        for name in ["cdn-cache-control", "vercel-cdn-cache-control", "surrogate-control"] {
            assert!(cacheable(&[private, (name, "max-age=60")]), "{name}");
            assert!(cacheable(&[private, (name, "Public")]), "{name}");
            assert!(!cacheable(&[private, (name, "no-store")]), "{name}");
        }
        assert!(cacheable(&[("expires", "Thu, 01 Dec 2050 16:00:00 GMT")]));
        assert!(!cacheable(&[private, ("expires", "Thu, 01 Dec 2050 16:00:00 GMT")]));
    }

    #[track_caller]
    fn check_cleaned(sent: &[(&'static str, &'static str)], left: &[(&str, &str)]) {
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.append(*name, HeaderValue::from_static(value));
        }
        let public = PublicOrigin { scheme: &Scheme::HTTP, host: "a", prefix: "" };
        clean_response(&mut headers, None, public);
        let found = headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
        assert_eq!(found.collect::<Vec<_>>(), left);
    }

    #[test]
    fn what_kind_of_server_answers_is_not_told_and_the_time_once() {
        check_cleaned(
            &[("x-powered-by", "Next.js"), ("server", "x"), ("date", "a"), ("date", "b")],
            &[("date", "a")],
        );
    }
}
