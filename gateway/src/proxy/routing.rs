//! Which upstream a path goes to.

use std::fmt;

use http::Uri;
use http::uri::PathAndQuery;
use percent_encoding::percent_decode_str;

use super::pages::ErrorPages;
use crate::error::RequestError;

/// The beginning of the paths that go to an upstream of their own, compared byte by byte with the
/// path as the client wrote it.
///
/// `/api/` is what lies below that folder; `/api`, without the slash, is also the path itself, but
/// not `/apiary`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPrefix(String);

impl PathPrefix {
    /// Takes a prefix that can be read in one way only: no percent-encoding, no empty or dot
    /// segment, and more than `/`.
    pub fn new(prefix: &str) -> Option<Self> {
        let is_plain = |byte: u8| {
            byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;:@".contains(&byte) // RFC 3986 pchar
        };
        let segments = prefix.strip_prefix('/')?;
        let segments = segments.strip_suffix('/').unwrap_or(segments);
        let is_one_way = segments.split('/').all(|part| !matches!(part, "" | "." | ".."));
        (is_one_way && prefix.bytes().all(is_plain)).then(|| Self(prefix.to_owned()))
    }

    fn covers(&self, path: &str) -> bool {
        path.strip_prefix(&self.0)
            .is_some_and(|rest| self.0.ends_with('/') || rest.is_empty() || rest.starts_with('/'))
    }

    /// Whether a path lies below the prefix, and no server would read it as one that does not.
    pub(super) fn covers_plainly(&self, path: &str) -> bool {
        self.covers(path) && !has_other_readings(path)
    }

    /// Takes the prefix off a request's target, for an upstream that does not know of it; what the
    /// prefix does not cover is left as it is.
    pub fn strip(&self, target: &mut Uri) {
        let path = target.path_and_query().map_or("/", PathAndQuery::as_str);
        let rest = path.strip_prefix(self.without_slash());
        let stripped = rest.and_then(|rest| {
            let slash = if rest.starts_with('/') { "" } else { "/" };
            format!("{slash}{rest}").parse().ok()
        });
        if let Some(stripped) = stripped {
            *target = stripped;
        }
    }

    /// The prefix without a slash at its end, as `X-Forwarded-Prefix` names it.
    pub fn without_slash(&self) -> &str {
        self.0.strip_suffix('/').unwrap_or(&self.0)
    }
}

impl fmt::Display for PathPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An upstream, and what it is sent of the paths that lead to it.
#[derive(Debug, Clone)]
pub struct Target<U> {
    /// Where requests go.
    pub upstream: U,
    /// What is taken off the front of their paths.
    pub stripped: Option<PathPrefix>,
    /// What is answered when it does not.
    pub pages: ErrorPages,
}

impl<U> Target<U> {
    /// The same, its upstream known as `upstream`.
    pub fn to<V>(&self, upstream: V) -> Target<V> {
        Target { upstream, stripped: self.stripped.clone(), pages: self.pages.clone() }
    }
}

/// What each path leads to: the longest prefix decides, and what none covers is the rest.
#[derive(Debug, Clone)]
pub struct PathRoutes<T> {
    longest_first: Vec<(PathPrefix, T)>,
    rest: T,
}

impl<T> PathRoutes<T> {
    /// Puts `routes` before `rest`.
    pub fn new(mut routes: Vec<(PathPrefix, T)>, rest: T) -> Self {
        routes.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.0.len()));
        Self { longest_first: routes, rest }
    }

    /// Where every path leads that no prefix covers.
    pub fn rest(&self) -> &T {
        &self.rest
    }

    /// Every prefix and what it leads to; the rest, which has none, is the last.
    pub fn iter(&self) -> impl Iterator<Item = (Option<&PathPrefix>, &T)> {
        let routes = self.longest_first.iter().map(|(prefix, to)| (Some(prefix), to));
        routes.chain([(None, &self.rest)])
    }

    /// The same routes to what `map` makes of each end.
    pub fn map<'a, U>(&'a self, mut map: impl FnMut(&'a T) -> U) -> PathRoutes<U> {
        let routes = self.longest_first.iter().map(|(prefix, to)| (prefix.clone(), map(to)));
        PathRoutes { longest_first: routes.collect(), rest: map(&self.rest) }
    }

    /// Where `path` (without its query) leads, as its bytes are.
    ///
    /// Upstreams decode and normalise, each in its own way. A path that would lead elsewhere then
    /// is refused as [`RequestError::Ambiguous`]: one upstream must not be reached under the guise
    /// of another's path.
    pub fn of(&self, path: &str) -> Result<&T, RequestError> {
        let place = self.place(path);
        if !self.longest_first.is_empty()
            && has_other_readings(path)
            && other_readings(path).iter().any(|reading| self.place(reading) != place)
        {
            return Err(RequestError::Ambiguous("the path could belong to another upstream"));
        }
        let route = place.and_then(|place| self.longest_first.get(place));
        Ok(route.map_or(&self.rest, |(_, to)| to))
    }

    fn place(&self, path: &str) -> Option<usize> {
        self.longest_first.iter().position(|(prefix, _)| prefix.covers(path))
    }
}

fn has_other_readings(path: &str) -> bool {
    path.contains(['%', '\\']) || path.contains("//") || path.contains("/.")
}

/// What servers make of a path: decoded, or only its dots (as the WHATWG URL standard does), or not
/// at all; repeated slashes merged or not, dot segments resolved, a backslash taken for a slash.
fn other_readings(path: &str) -> [String; 6] {
    let decoded = percent_decode_str(path).decode_utf8_lossy().replace('\\', "/");
    let plain = path.replace('\\', "/");
    let dotted = plain.replace("%2e", ".").replace("%2E", ".");
    [
        resolve(&plain, false),
        resolve(&plain, true),
        resolve(&dotted, false),
        resolve(&dotted, true),
        resolve(&decoded, false),
        resolve(&decoded, true),
    ]
}

/// Removes dot segments (RFC 3986 §5.2.4), and empty ones where `merges`.
fn resolve(path: &str, merges: bool) -> String {
    let mut kept = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            "" if merges && !is_last => {}
            _ => {
                kept.push(segment);
                continue;
            }
        }
        if is_last {
            kept.push("");
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes() -> PathRoutes<&'static str> {
        let prefix = |prefix| PathPrefix::new(prefix).unwrap();
        let routes =
            vec![(prefix("/api/"), "api"), (prefix("/api/v2/"), "v2"), (prefix("/shop"), "shop")];
        PathRoutes::new(routes, "next")
    }

    #[track_caller]
    fn check(path: &str, expected: Option<&str>) {
        let routes = routes();
        assert_eq!(routes.of(path).ok().copied(), expected, "{path}");
    }

    #[test]
    fn the_longest_prefix_decides_byte_by_byte() {
        check("/", Some("next"));
        check("/api", Some("next"));
        check("/api/", Some("api"));
        check("/api/x", Some("api"));
        check("/api/v2/x", Some("v2"));
        check("/API/x", Some("next"));
        check("/apiary", Some("next"));
        check("/shop", Some("shop"));
        check("/shop/x", Some("shop"));
        check("/shopping", Some("next"));
    }

    #[test]
    fn a_path_that_leads_elsewhere_once_decoded_or_normalised_is_refused() {
        for path in [
            "/%61pi/x",
            "/api%2fx",
            "/x/../api/x",
            "/x/%2e%2e/api/x",
            "//api/x",
            "/\\api\\x",
            "/./api/x",
            "/api/../x",
            "/api/v2/../x",
            "/api/x/../v2/x",
            "/api/%76%32/x",
            "/shop/..",
            "/x//../api/x",
            "/api/v2/%2e%2e%2fx",
            "/%5capi%5cx",
            "/x/%2e%2e/api/%2E%2e%2fy",
            "/shop/%2e%2e/x%2f..%2fshop",
        ] {
            check(path, None);
        }
    }

    #[test]
    fn every_other_path_travels() {
        check("/a%20b/%C3%A9", Some("next"));
        check("/a//b/./c/../d", Some("next"));
        check("/api/a%2fb//c", Some("api"));
        check("/api/x/../y", Some("api"));
        check("/%ff", Some("next"));
        check("/shop/%2e", Some("shop"));
        check("/shop%2f..", Some("next"));
    }

    #[test]
    fn with_one_upstream_no_path_is_refused() {
        let routes = PathRoutes::new(Vec::new(), "next");
        assert_eq!(routes.of("/x/../%61pi").ok().copied(), Some("next"));
    }

    #[test]
    fn a_prefix_can_be_read_in_one_way_only() {
        for good in ["/api/", "/api", "/a-b/_c.d/"] {
            assert!(PathPrefix::new(good).is_some(), "{good}");
        }
        for bad in
            ["", "/", "api/", "//", "/a//b", "/a/../b", "/./", "/a%20b", "/a b", "/é", "/a?b"]
        {
            assert!(PathPrefix::new(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_stripped_target_keeps_its_query() {
        let check = |prefix: &str, target: &str, expected: &str| {
            let mut uri = target.parse().unwrap();
            PathPrefix::new(prefix).unwrap().strip(&mut uri);
            assert_eq!(uri, expected, "{prefix} {target}");
        };
        check("/api/", "/api/x?y=/api/", "/x?y=/api/");
        check("/api/", "/api/", "/");
        check("/api", "/api?x", "/?x");
        check("/api", "/api/x", "/x");
        check("/api/", "/api//x", "//x");
    }
}
