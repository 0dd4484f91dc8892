//! Who reads an answer of the gateway's own.

use http::header::{self, HeaderMap, HeaderName};
use http::{Method, Uri};

const HTML: &str = "text/html";

/// Whether a field is one that Next.js's router, actions and prefetches of browsers have: no answer of
/// theirs is shown as a page, although the `Accept` of some allows one.
fn is_of_no_page(field: &HeaderName) -> bool {
    matches!(
        field.as_str(),
        "rsc" | "next-action" | "next-router-prefetch" | "purpose" | "sec-purpose"
    )
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For a browser that shows it as a page.
    Html,
    /// For a program.
    Json,
}

impl Format {
    /// What a request wants: a page only where one will be shown.
    pub fn of(request: &HeaderMap, uri: &Uri) -> Self {
        // Navigations begin with it, and need no search.
        let accepts_pages = |value: &str| value.starts_with(HTML) || value.contains(HTML);
        let mut accepts = request.get_all(header::ACCEPT).iter().filter_map(|v| v.to_str().ok());
        if accepts.any(accepts_pages)
            && !request.keys().any(is_of_no_page)
            && !uri.query().is_some_and(is_of_the_router)
        {
            Self::Html
        } else {
            Self::Json
        }
    }
}

/// Whether a query has the `_rsc` by which caches tell flight requests from pages.
fn is_of_the_router(query: &str) -> bool {
    query.split('&').any(|pair| pair == "_rsc" || pair.starts_with("_rsc="))
}

/// Where somebody sits, as far as is sure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nearness {
    /// At this machine, in a browser that means it.
    Here,
    /// Perhaps anywhere.
    Elsewhere,
}

/// Who reads an answer, as far as that decides what it says.
#[derive(Debug, Clone)]
pub struct Asker {
    /// How it is written.
    pub format: Format,
    /// Whether what Next.js says may be shown.
    pub nearness: Nearness,
    /// What was asked to be done.
    pub method: Method,
}

impl Asker {
    /// Whether a page that reloads itself serves as well as a long wait.
    pub fn may_come_back(&self) -> bool {
        self.format == Format::Html && self.method == Method::GET
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(fields: &[(&'static str, &'static str)], target: &'static str, expected: Format) {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        assert_eq!(
            Format::of(&headers, &Uri::from_static(target)),
            expected,
            "{fields:?} {target}"
        );
    }

    #[test]
    fn a_page_is_for_whoever_shows_it() {
        const PAGE: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        check(&[PAGE], "/trips", Format::Html);
        check(&[("accept", "*/*"), PAGE], "/trips?x_rsc=1", Format::Html);
        check(&[("accept", "*/*")], "/trips", Format::Json);
        check(&[], "/trips", Format::Json);
        check(&[PAGE], "/trips?a=1&_rsc=abc", Format::Json);
        check(&[PAGE], "/trips?_rsc", Format::Json);
        for name in ["rsc", "next-action", "next-router-prefetch"] {
            check(&[PAGE, (name, "1")], "/trips", Format::Json);
        }
        check(&[PAGE, ("sec-purpose", "prefetch;prerender")], "/trips", Format::Json);
        check(&[PAGE, ("purpose", "prefetch")], "/trips", Format::Json);
    }
}
