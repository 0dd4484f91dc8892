//! What a request asks of Next.js.

use http::header::ACCEPT;
use http::{HeaderMap, Method};

/// What a request asks of Next.js, by its path and the headers of Next.js' client router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestKind {
    /// A built file under `/_next/static/`, the same for everybody, so that no session is looked
    /// up, touched or renewed for it.
    ///
    /// That is safe because an asset is only ever *denied* an identity: should a path that looks
    /// like one reach a page after all, it is rendered for a guest. It is narrow on purpose:
    /// `/_next/image` takes any path of the application as its source and `/_next/data` is a page,
    /// files of `public/` and `/favicon.ico` cannot be told from pages, and under a `basePath`
    /// nothing is an asset; those cost a session lookup, which the cache answers. `next dev`
    /// serves its chunks and hot updates (Turbopack and webpack, 16.4) below `/_next/static/` too.
    Asset,
    /// A Server Action called by the client router (a form that works without JavaScript posts
    /// like any other and is [`RequestKind::Other`]).
    Action,
    /// Something fetched before anybody asked to see it, by the router or by the browser.
    Prefetch,
    /// A flight request: the RSC payload of a navigation.
    Flight,
    /// A document for a person to see.
    Page,
    /// Everything else: API calls, form posts, images, event streams, upgrades.
    Other,
}

impl RequestKind {
    /// Tells the kind of a request; `path` is without its query.
    pub fn of(method: &Method, path: &str, headers: &HeaderMap) -> Self {
        let reads = matches!(*method, Method::GET | Method::HEAD);
        if reads && is_asset(path) {
            Self::Asset
        } else if *method == Method::POST && headers.contains_key("next-action") {
            Self::Action
        } else if reads && is_prefetch(headers) {
            Self::Prefetch
        } else if reads && headers.contains_key("rsc") {
            Self::Flight
        } else if reads && accepts_html(headers) {
            Self::Page
        } else {
            Self::Other
        }
    }
}

/// A path that resolves to something else (`/_next/static/../account`) is not an asset, however
/// the upstream would read it.
fn is_asset(path: &str) -> bool {
    path.strip_prefix("/_next/static/").is_some_and(|file| {
        let file = file.to_ascii_lowercase().replace("%2e", ".");
        !file.contains("%2f")
            && !file.contains("%5c")
            && file.split(['/', '\\']).all(|segment| !matches!(segment, "" | "." | ".."))
    })
}

fn is_prefetch(headers: &HeaderMap) -> bool {
    let says_prefetch = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| value.contains("prefetch"))
    };
    ["next-router-prefetch", "next-router-segment-prefetch", "x-middleware-prefetch"]
        .iter()
        .any(|name| headers.contains_key(*name))
        || says_prefetch("sec-purpose")
        || says_prefetch("purpose")
}

fn accepts_html(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT).iter().any(|value| {
        value.to_str().is_ok_and(|value| value.to_ascii_lowercase().contains("text/html"))
    })
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    #[track_caller]
    fn check(request: &str, headers: &[(&'static str, &'static str)], expected: RequestKind) {
        let (method, path) = request.split_once(' ').unwrap();
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        let kind = RequestKind::of(&method.parse().unwrap(), path, &headers);
        assert_eq!(kind, expected, "{request}");
    }

    const HTML: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");

    #[test]
    fn built_files_are_assets() {
        check("GET /_next/static/chunks/app.js", &[], RequestKind::Asset);
        check("HEAD /_next/static/media/font.woff2", &[], RequestKind::Asset);
        check("GET /_next/static/chunks/pages/%5Bslug%5D-1f.js", &[], RequestKind::Asset);
        check(
            "GET /_next/static/webpack/633457081244afec.webpack.hot-update.json",
            &[],
            RequestKind::Asset,
        );
        check("GET /_next/static/chunks/%5Broot-of-the-server%5D__0a..js", &[], RequestKind::Asset);
    }

    #[test]
    fn a_path_that_leads_elsewhere_is_no_asset() {
        for path in [
            "/_next/static",
            "/_next/static/",
            "/_next/static/../data",
            "/_next/static/./a.js",
            "/_next/static/%2e%2E/account",
            "/_next/static/..%2faccount",
            "/_next/static/..%5Caccount",
            "/_next/static/..\\account",
            "/_next/static//account",
            "/_next/staticky/a.js",
            "/docs/_next/static/a.js",
            "/_next/image",
            "/favicon.ico",
        ] {
            check(&format!("GET {path}"), &[], RequestKind::Other);
        }
        check("POST /_next/static/a.js", &[], RequestKind::Other);
    }

    #[test]
    fn the_client_router_says_what_it_wants() {
        check("GET /trips", &[("rsc", "1")], RequestKind::Flight);
        check("GET /trips", &[("rsc", "1"), ("next-router-prefetch", "1")], RequestKind::Prefetch);
        check("POST /trips", &[("next-action", "7f"), HTML], RequestKind::Action);
        check("GET /trips", &[("next-action", "7f"), HTML], RequestKind::Page);
    }

    #[test]
    fn a_browser_may_prefetch_a_document() {
        check("GET /", &[HTML, ("sec-purpose", "prefetch;prerender")], RequestKind::Prefetch);
        check("GET /", &[HTML, ("purpose", "prefetch")], RequestKind::Prefetch);
        check("GET /", &[HTML, ("sec-purpose", "other")], RequestKind::Page);
    }

    #[test]
    fn a_page_is_read_by_somebody_who_takes_html() {
        check("GET /", &[HTML], RequestKind::Page);
        check("GET /", &[("accept", "*/*")], RequestKind::Other);
        check("POST /", &[HTML], RequestKind::Other);
    }
}
