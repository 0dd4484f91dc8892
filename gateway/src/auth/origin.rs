//! Whether a request comes from a page of this site.

use http::header::{HOST, ORIGIN};
use http::request::Parts;
use http::uri::{Authority, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether the browser says that the page that sent this is of this site, or no browser sent it.
///
/// `SameSite=Lax` does not keep another site from signing its visitors in here, under an account
/// of its own choice, nor a sibling subdomain from anything. The scheme is compared where `known`.
/// `Origin: null` says nothing: a page that sends no `Referer` posts its forms with it.
pub(crate) fn is_own(head: &Parts, known: Option<&Scheme>) -> bool {
    let site = only(&head.headers, SEC_FETCH_SITE);
    match only(&head.headers, ORIGIN) {
        Some(origin) => site == Some("same-origin") || is_origin_of(origin, head, known),
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

fn is_origin_of(origin: &str, head: &Parts, known: Option<&Scheme>) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let scheme = match scheme {
        "http" => Scheme::HTTP,
        "https" => Scheme::HTTPS,
        _ => return false,
    };
    if known.is_some_and(|known| *known != scheme) {
        return false;
    }
    let origin = host_and_port(authority, &scheme);
    origin.is_some() && origin == host_of(head).and_then(|host| host_and_port(host, &scheme))
}

fn host_of(head: &Parts) -> Option<&str> {
    let host = head.headers.get(HOST).map(HeaderValue::to_str);
    host.map_or_else(|| head.uri.authority().map(Authority::as_str), Result::ok)
}

/// In small letters, and with the port that the scheme implies.
fn host_and_port(authority: &str, scheme: &Scheme) -> Option<(String, u16)> {
    let authority: Authority = authority.parse().ok()?;
    let default = if *scheme == Scheme::HTTPS { 443 } else { 80 };
    let port = match authority.port() {
        Some(port) => port.as_str().parse().ok()?,
        None => default,
    };
    let is_plain = !authority.as_str().contains('@');
    is_plain.then(|| (authority.host().to_ascii_lowercase(), port))
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[track_caller]
    fn check_known(known: Option<&Scheme>, headers: &[(&str, &str)], own: bool) {
        let mut request = Request::post("/api/auth/login");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        assert_eq!(is_own(&head, known), own, "{headers:?}");
    }

    #[track_caller]
    fn check(host: &str, origin: &str, own: bool) {
        check_known(None, &[("host", host), ("origin", origin)], own);
    }

    #[test]
    fn an_origin_is_own_when_host_and_port_are() {
        check("a.com", "http://a.com", true);
        check("A.com", "https://a.COM", true);
        check("a.com:3000", "http://a.com:3000", true);
        check("[::1]:3000", "http://[::1]:3000", true);
        check("a.com", "http://b.com", false);
        check("a.com", "http://sub.a.com", false);
        check("a.com:3000", "http://a.com:3001", false);
        check("a.com:3000", "http://a.com", false);
    }

    #[test]
    fn a_default_port_may_be_left_out() {
        check("a.com:443", "https://a.com", true);
        check("a.com", "https://a.com:443", true);
        check("a.com", "http://a.com:80", true);
        check("a.com:80", "https://a.com", false);
        check("a.com", "http://a.com:443", false);
    }

    #[test]
    fn the_scheme_counts_where_it_is_known() {
        let headers = [("host", "a.com"), ("origin", "http://a.com")];
        check_known(Some(&Scheme::HTTP), &headers, true);
        check_known(Some(&Scheme::HTTPS), &headers, false);
    }

    #[test]
    fn what_is_no_origin_is_not_own() {
        for origin in
            ["null", "", "a.com", "http://", "http://a.com/", "http://x@a.com", "ftp://a.com"]
        {
            check("a.com", origin, false);
        }
        check("a.com", "http://a.com http://a.com", false);
        check("x@a.com", "http://a.com", false);
        check_known(None, &[("origin", "http://a.com")], false);
    }

    #[test]
    fn a_header_that_comes_twice_is_not_believed() {
        let twice = [("host", "a.com"), ("origin", "http://a.com"), ("origin", "http://a.com")];
        check_known(None, &twice, false);
        let twice = [("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")];
        check_known(None, &twice, false);
    }

    #[test]
    fn the_browser_may_vouch_for_the_page() {
        let rewritten = [("host", "inner:3000"), ("origin", "https://a.com")];
        check_known(None, &rewritten, false);
        let vouched = [rewritten.as_slice(), &[("sec-fetch-site", "same-origin")]].concat();
        check_known(None, &vouched, true);
        for site in ["cross-site", "same-site", "none"] {
            check_known(None, &[("host", "a.com"), ("sec-fetch-site", site)], false);
        }
        // From a form in a page with `Referrer-Policy: no-referrer`; a sandboxed page is cross-site.
        check_known(None, &[("origin", "null"), ("sec-fetch-site", "same-origin")], true);
        check_known(None, &[("origin", "null"), ("sec-fetch-site", "cross-site")], false);
    }

    #[test]
    fn what_is_no_browser_is_allowed() {
        check_known(None, &[("host", "a.com")], true);
        check_known(None, &[], true);
    }
}
