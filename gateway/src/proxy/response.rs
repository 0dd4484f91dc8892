//! What is changed in the upstream's response heads.

use http::header::{self, Entry, HeaderMap, HeaderName, HeaderValue};
use http::uri::Authority;

use super::hop_by_hop::remove_hop_by_hop_and;
use super::location::{LEADING, PublicOrigin, lead_to_public};

const X_POWERED_BY: HeaderName = HeaderName::from_static("x-powered-by");

/// Fields in which shared caches are told what `Cache-Control` keeps from browsers (RFC 9213 §2, and
/// its elders); each vendor puts its name before `CDN-Cache-Control`.
const SURROGATE_CONTROL: &str = "surrogate-control";
const CDN_CACHE_CONTROL: &str = "cdn-cache-control";

/// Removes what describes the upstream's connection or kind, and makes what leads to the
/// upstream's own origin lead to the public one.
pub fn clean_response(
    headers: &mut HeaderMap,
    upstream: impl FnOnce() -> Option<Authority>,
    public: PublicOrigin<'_>,
) {
    remove_inner(headers);
    let leads_somewhere = |name: &HeaderName| LEADING.contains(name);
    if headers.keys().any(leads_somewhere)
        && let Some(upstream) = upstream()
    {
        lead_to_public(headers, &upstream, public);
    }
}

/// Removes what describes the upstream's connection or kind.
pub fn remove_inner(headers: &mut HeaderMap) {
    remove_hop_by_hop_and(headers, |name| *name == header::SERVER || *name == X_POWERED_BY);
    if headers.len() > headers.keys_len() {
        keep_first(headers, header::DATE); // Only then there may be two of one name.
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

/// Whether a field speaks to shared caches alone.
pub fn is_for_caches(name: &HeaderName) -> bool {
    name.as_str() == SURROGATE_CONTROL || name.as_str().ends_with(CDN_CACHE_CONTROL)
}

/// Whether a shared cache may keep a response and hand it to others (RFC 9111 §3): then no cookie
/// may be in it.
///
/// A lifetime without `private` is enough for that; `public` only widens it. A field for shared caches
/// alone may say so whatever `Cache-Control` says to browsers.
pub fn is_publicly_cacheable(headers: &HeaderMap) -> bool {
    allows_sharing(headers, &header::CACHE_CONTROL, headers.contains_key(header::EXPIRES))
        || headers
            .keys()
            .filter(|name| is_for_caches(name))
            .any(|name| allows_sharing(headers, name, false))
}

fn allows_sharing(headers: &HeaderMap, name: &HeaderName, expires: bool) -> bool {
    let (mut is_shared, mut has_lifetime, mut is_kept_back) = (false, expires, false);
    let values = headers.get_all(name).iter().map(HeaderValue::as_bytes);
    for directive in values.flat_map(|value| value.split(|byte| *byte == b',')) {
        let directive = directive.trim_ascii();
        let is = |wanted: &str| directive.eq_ignore_ascii_case(wanted.as_bytes());
        let behind = |name: &str| {
            let (begun, rest) = directive.split_at_checked(name.len())?;
            begun.eq_ignore_ascii_case(name.as_bytes()).then_some(rest)
        };
        // By its first letter, so that each is compared with one or two names.
        match directive.first().map(u8::to_ascii_lowercase) {
            Some(b'p') => {
                is_shared |= is("public");
                is_kept_back |= is("private");
            }
            Some(b'i') => is_shared |= is("immutable"),
            Some(b's') => is_shared |= behind("s-maxage").is_some(),
            Some(b'm') => has_lifetime |= behind("max-age=").is_some_and(|seconds| seconds != b"0"),
            Some(b'n') => is_kept_back |= is("no-store") || is("no-cache"),
            _ => {}
        }
    }
    is_shared || has_lifetime && !is_kept_back
}

#[cfg(test)]
mod tests {
    use http::header::HeaderValue;
    use http::uri::Scheme;

    use super::*;

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
        clean_response(&mut headers, || None, public);
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
