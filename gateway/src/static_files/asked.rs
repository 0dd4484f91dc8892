//! Which requests may be answered from memory.

use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Method, Uri};

use super::codings::Codings;

/// Longest target that a file is kept by, in bytes. Next.js's have some 100.
const LONGEST_TARGET: usize = 512;

/// Longest id of a deployment in a query, in bytes.
const LONGEST_DEPLOYMENT: usize = 64;

/// What of a request for a built file its answer depends on.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The codings that it may come in.
    pub codings: Codings,
    pub(super) if_none_match: Option<&'a HeaderValue>,
    pub(super) if_modified_since: Option<&'a HeaderValue>,
}

impl<'a> Asked<'a> {
    /// `None` where the upstream shall answer: for a part of a file, a condition that only it can
    /// judge, credentials, a client that wants nothing that was kept, or a target that Next.js names no
    /// file by. `has_body` is the request's.
    pub fn of(head: &'a Parts, has_body: bool) -> Option<Self> {
        let reads = matches!(head.method, Method::GET | Method::HEAD);
        if !reads || has_body || !is_of_file(&head.uri) {
            return None;
        }
        Self::of_fields(&head.headers)
    }

    fn of_fields(headers: &'a HeaderMap) -> Option<Self> {
        let (mut codings, mut if_none_match, mut if_modified_since) = (None, None, None);
        for (name, value) in headers {
            let repeated = match *name {
                header::ACCEPT_ENCODING => codings.replace(Codings::accepted(value)?).is_some(),
                header::IF_NONE_MATCH => if_none_match.replace(value).is_some(),
                header::IF_MODIFIED_SINCE => if_modified_since.replace(value).is_some(),
                header::AUTHORIZATION
                | header::CACHE_CONTROL
                | header::EXPECT
                | header::IF_MATCH
                | header::IF_RANGE
                | header::IF_UNMODIFIED_SINCE
                | header::PRAGMA
                | header::RANGE
                | header::UPGRADE => true,
                _ => false,
            };
            if repeated {
                return None;
            }
        }
        Some(Self { codings: codings.unwrap_or_default(), if_none_match, if_modified_since })
    }

    /// Whether the client asks for the file itself, and not whether it has changed.
    pub fn is_unconditional(&self) -> bool {
        self.if_none_match.is_none() && self.if_modified_since.is_none()
    }
}

/// Whether a target is short, and has no query but a deployment's id (`?dpl=`), by which old pages ask
/// for old files. Whoever makes up queries fills no memory.
fn is_of_file(target: &Uri) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_deployment = |query: &str| {
        query.strip_prefix("dpl=").is_some_and(|id| {
            (1..=LONGEST_DEPLOYMENT).contains(&id.len()) && id.bytes().all(is_plain)
        })
    };
    target.path().len() <= LONGEST_TARGET && target.query().is_none_or(is_deployment)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[track_caller]
    fn check(request: &str, fields: &[(&str, &str)], expected: bool) {
        let (method, target) = request.split_once(' ').unwrap();
        let mut builder = Request::builder().method(method).uri(target);
        for (name, value) in fields {
            builder = builder.header(*name, *value);
        }
        let head = builder.body(()).unwrap().into_parts().0;
        assert_eq!(Asked::of(&head, false).is_some(), expected, "{request} {fields:?}");
        assert!(Asked::of(&head, true).is_none(), "a body is for the upstream");
    }

    const FILE: &str = "GET /_next/static/chunks/app.js";

    #[test]
    fn a_file_is_asked_for_as_browsers_do() {
        check(FILE, &[], true);
        check(FILE, &[("cookie", "a=b"), ("accept-encoding", "gzip, br"), ("accept", "*/*")], true);
        check(FILE, &[("if-none-match", "\"a\""), ("if-modified-since", "x")], true);
        check("HEAD /_next/static/chunks/app.js?dpl=dpl_3xY-9.z", &[], true);
    }

    #[test]
    fn the_upstream_answers_what_only_it_can_judge() {
        for name in [
            "authorization",
            "cache-control",
            "expect",
            "if-match",
            "if-range",
            "if-unmodified-since",
            "pragma",
            "range",
            "upgrade",
        ] {
            check(FILE, &[(name, "x")], false);
        }
        check(FILE, &[("accept-encoding", "gzip;q=0.5")], false);
        check(FILE, &[("accept-encoding", "gzip"), ("accept-encoding", "br")], false);
        check(FILE, &[("if-none-match", "\"a\""), ("if-none-match", "\"b\"")], false);
        check("POST /_next/static/chunks/app.js", &[], false);
    }

    #[test]
    fn a_query_that_somebody_makes_up_keeps_nothing() {
        for query in ["", "x", "dpl=", "dpl=a&x=b", "dpl=a/b", "dpl=%41", "x=1&dpl=a"] {
            check(&format!("{FILE}?{query}"), &[], false);
        }
        check(&format!("{FILE}?dpl={}", "a".repeat(64)), &[], true);
        check(&format!("{FILE}?dpl={}", "a".repeat(65)), &[], false);
        check(&format!("GET /_next/static/{}", "a".repeat(512)), &[], false);
    }
}
