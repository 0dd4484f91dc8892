//! Whether a request comes from a page of this site.

use http::header::ORIGIN;
use http::{HeaderMap, HeaderName};

use crate::downstream::origin::Origin;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether the browser says that the page that sent this is of this site, or no browser sent it.
///
/// `SameSite=Lax` does not keep another site from signing its visitors in here, under an account
/// of its own choice, nor a sibling subdomain from anything. `Origin: null` says nothing: a page
/// that sends no `Referer` posts its forms with it.
pub(crate) fn is_own(headers: &HeaderMap, own: &Origin) -> bool {
    let site = only(headers, SEC_FETCH_SITE);
    match only(headers, ORIGIN) {
        Some(origin) => site == Some("same-origin") || own.is_named_by(origin),
        None => site.is_none_or(|site| site == "same-origin"),
    }
}

/// The value of a header that may come once; one that comes twice or is no text says nothing good.
fn only(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    let text = first.to_str().unwrap_or_default();
    Some(if values.next().is_some() { "" } else { text })
}

/// Origins whose pages may open WebSockets here, beside this site's own.
#[derive(Debug, Clone, Default)]
pub struct AllowedOrigins(Vec<Origin>);

impl AllowedOrigins {
    /// Allows `origins`.
    pub fn new(origins: Vec<Origin>) -> Self {
        Self(origins)
    }

    /// Whether the page that sent this is of this site or of an allowed origin, or no browser
    /// sent it.
    pub(crate) fn admit(&self, headers: &HeaderMap, own: &Origin) -> bool {
        let is_allowed = |origin| self.0.iter().any(|allowed| allowed.is_named_by(origin));
        is_own(headers, own) || only(headers, ORIGIN).is_some_and(is_allowed)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::uri::Scheme;

    use super::*;

    #[track_caller]
    fn check(sent: &[(&'static str, &'static str)], expected: bool) {
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.append(*name, HeaderValue::from_static(value));
        }
        let own = Origin::new(None, "a.com".to_owned(), None);
        assert_eq!(is_own(&headers, &own), expected, "{sent:?}");
    }

    #[test]
    fn a_page_is_own_when_its_origin_is() {
        check(&[("origin", "http://a.com")], true);
        check(&[("origin", "https://a.com")], true);
        check(&[("origin", "https://b.com")], false);
        check(&[("origin", "null")], false);
    }

    #[test]
    fn a_header_that_comes_twice_is_not_believed() {
        check(&[("origin", "http://a.com"), ("origin", "http://a.com")], false);
        check(&[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")], false);
    }

    #[test]
    fn the_browser_may_vouch_for_the_page() {
        check(&[("origin", "https://b.com"), ("sec-fetch-site", "same-origin")], true);
        for site in ["cross-site", "same-site", "none"] {
            check(&[("sec-fetch-site", site)], false);
        }
        // From a form in a page with `Referrer-Policy: no-referrer`; a sandboxed page is cross-site.
        check(&[("origin", "null"), ("sec-fetch-site", "same-origin")], true);
        check(&[("origin", "null"), ("sec-fetch-site", "cross-site")], false);
    }

    #[test]
    fn an_allowed_origin_is_the_one_that_was_named() {
        let app = Origin::new(Some(Scheme::HTTPS), "app.example.com".to_owned(), None);
        let own = Origin::new(None, "a.com".to_owned(), None);
        let allowed = AllowedOrigins::new(vec![app]);
        let admits = |origin: &'static str| {
            let headers = [(ORIGIN, HeaderValue::from_static(origin))].into_iter().collect();
            allowed.admit(&headers, &own)
        };
        assert!(admits("https://app.example.com") && admits("https://app.example.com:443"));
        assert!(admits("http://a.com"));
        for other in [
            "http://app.example.com",
            "https://app.example.com:8443",
            "https://app.example.com.evil.example",
            "https://example.com",
            "null",
        ] {
            assert!(!admits(other), "{other}");
        }
    }

    #[test]
    fn what_is_no_browser_is_allowed() {
        check(&[], true);
    }
}
