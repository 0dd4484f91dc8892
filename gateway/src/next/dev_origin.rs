//! What `next dev` is told of the page that asks for what it guards.

use http::header::{ORIGIN, REFERER};
use http::{HeaderMap, HeaderValue, Uri};

/// The one host that it knows without settings.
const KNOWN: &str = "http://localhost";

/// Whether `next dev` asks who wants a path, without its query (16.4.5, `block-cross-site-dev.js`):
/// what is its own, hot reload and the readers of sources among it.
pub fn is_guarded(path: &str) -> bool {
    path.contains("/_next") || path.contains("/__nextjs")
}

/// Has a page of the site's own come from localhost.
///
/// `next dev` knows no other host but those in `allowedDevOrigins` of the application's settings, and
/// refuses scripts and hot reload to pages of the rest, so that they stay dead. Only for a page that
/// is known to be the site's own.
pub fn come_from_localhost(headers: &mut HeaderMap) {
    if headers.contains_key(ORIGIN) {
        headers.insert(ORIGIN, HeaderValue::from_static(KNOWN));
    }
    let referer = headers.get(REFERER).and_then(|value| Uri::try_from(value.as_bytes()).ok());
    if let Some(page) = referer {
        let path = page.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        if let Ok(value) = HeaderValue::try_from(format!("{KNOWN}{path}")) {
            headers.insert(REFERER, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_next_s_own_is_guarded() {
        for path in ["/_next/hmr", "/docs/_next/static/a.js", "/__nextjs_source-map"] {
            assert!(is_guarded(path), "{path}");
        }
        for path in ["/", "/api/users", "/next/hmr"] {
            assert!(!is_guarded(path), "{path}");
        }
    }

    #[test]
    fn a_page_comes_from_localhost_and_names_no_more_than_it_did() {
        let mut headers = HeaderMap::new();
        come_from_localhost(&mut headers);
        assert!(headers.is_empty());
        headers.insert(ORIGIN, HeaderValue::from_static("http://192.168.1.20:3000"));
        headers.insert(REFERER, HeaderValue::from_static("http://192.168.1.20:3000/a?b=c"));
        come_from_localhost(&mut headers);
        assert_eq!(headers[ORIGIN], "http://localhost");
        assert_eq!(headers[REFERER], "http://localhost/a?b=c");
    }
}
