//! What `next dev` is told of the page that asks for what it guards.

use http::header::{HeaderName, ORIGIN, REFERER};
use http::{HeaderMap, HeaderValue, Uri};

/// Whether `next dev` asks who wants a path, without its query (16.4.5, `block-cross-site-dev.js`):
/// what is its own, hot reload and the readers of sources among it.
pub fn is_guarded(path: &str) -> bool {
    path.contains("/_next") || path.contains("/__nextjs")
}

/// Has a page of the site's own come from localhost, by the same scheme and port.
///
/// `next dev` knows no other host but those in `allowedDevOrigins` of the application's settings, and
/// refuses scripts and hot reload to pages of the rest, so that they stay dead. Only for a page that
/// is known to be the site's own.
pub fn come_from_localhost(headers: &mut HeaderMap) {
    for name in [ORIGIN, REFERER] {
        if let Some(value) = headers.get(&name).and_then(|value| at_localhost(&name, value)) {
            headers.insert(name, value);
        }
    }
}

/// `None` for what is known as it is, or is no address of a page.
fn at_localhost(name: &HeaderName, value: &HeaderValue) -> Option<HeaderValue> {
    let page = Uri::try_from(value.as_bytes()).ok()?;
    let (scheme, authority) = (page.scheme_str()?, page.authority()?);
    if is_known(authority.host()) {
        return None;
    }
    let port = authority.port().map(|port| format!(":{port}")).unwrap_or_default();
    let path = if name == ORIGIN { "" } else { page.path_and_query()?.as_str() };
    HeaderValue::try_from(format!("{scheme}://localhost{port}{path}")).ok()
}

fn is_known(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost")
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

    #[track_caller]
    fn check(name: HeaderName, sent: &'static str, told: &str) {
        let mut headers = HeaderMap::new();
        headers.insert(name.clone(), HeaderValue::from_static(sent));
        come_from_localhost(&mut headers);
        assert_eq!(headers.len(), 1);
        assert_eq!(headers[name], told);
    }

    #[test]
    fn a_page_comes_from_localhost_and_names_no_more_than_it_did() {
        check(ORIGIN, "http://192.168.1.20:3000", "http://localhost:3000");
        check(ORIGIN, "https://shop.test", "https://localhost");
        check(ORIGIN, "http://[::1]:3000", "http://localhost:3000");
        check(REFERER, "http://192.168.1.20:3000/a?b=c", "http://localhost:3000/a?b=c");
        check(REFERER, "https://shop.test/", "https://localhost/");
        let mut headers = HeaderMap::new();
        come_from_localhost(&mut headers);
        assert!(headers.is_empty());
    }

    #[test]
    fn what_is_known_or_no_page_stays_as_it_is() {
        for same in ["http://localhost:3000", "https://app.localhost", "null", ""] {
            check(ORIGIN, same, same);
            check(REFERER, same, same);
        }
    }
}
