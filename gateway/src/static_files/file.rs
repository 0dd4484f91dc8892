//! A built file in memory, and the answers that it gives.

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;

use super::asked::Asked;
use super::rules::opaque;
use crate::ops::request_id::X_REQUEST_ID;

/// Fields of 304 (RFC 9110 §15.4.5), and two that Next.js has there too, beside those that every
/// answer has.
const OF_NOT_MODIFIED: [HeaderName; 7] = [
    header::CACHE_CONTROL,
    header::DATE,
    header::ETAG,
    header::EXPIRES,
    header::VARY,
    header::LAST_MODIFIED,
    header::ACCEPT_RANGES,
];

/// Bytes that a field takes beside its text.
const FIELD_BYTES: usize = 96;

/// A file in one coding, with the fields that every answer of it has.
#[derive(Debug)]
pub struct File {
    headers: HeaderMap,
    etag: HeaderValue,
    body: Bytes,
}

impl File {
    /// The file with these fields, which are cleaned, and this validator.
    pub(super) fn new(mut headers: HeaderMap, etag: HeaderValue, body: Bytes) -> Self {
        // Places for what differs from answer to answer, so that no copy has to grow.
        for name in [header::AGE, X_REQUEST_ID] {
            headers.insert(name, HeaderValue::from_static(""));
        }
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        Self { headers, etag, body }
    }

    /// The same, of which the upstream said at this `date` that it is still what it was.
    pub(super) fn confirmed(&self, date: Option<&HeaderValue>) -> Self {
        let mut headers = self.headers.clone();
        if let Some(date) = date {
            headers.insert(header::DATE, date.clone());
        }
        Self { headers, etag: self.etag.clone(), body: self.body.clone() }
    }

    /// What tells it from another of the same name.
    pub fn etag(&self) -> &HeaderValue {
        &self.etag
    }

    /// Bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        let fields = self.headers.iter();
        let fields = fields.map(|(name, value)| name.as_str().len() + value.len() + FIELD_BYTES);
        self.body.len() + fields.sum::<usize>()
    }

    /// The answer, `age_secs` after the upstream vouched for the file; `None` where only the upstream
    /// can tell whether the client has it. To HEAD it is the same, without the body.
    pub fn answer(&self, asked: &Asked<'_>, age_secs: u64) -> Option<Response<Full<Bytes>>> {
        let mut response = if self.is_known_to(asked)? {
            let mut response = Response::new(Full::default());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            for name in OF_NOT_MODIFIED {
                if let Some(value) = self.headers.get(&name) {
                    response.headers_mut().insert(name, value.clone());
                }
            }
            response
        } else {
            let mut response = Response::new(Full::new(self.body.clone()));
            *response.headers_mut() = self.headers.clone();
            response
        };
        response.headers_mut().insert(header::AGE, HeaderValue::from(age_secs)); // RFC 9111 §5.1
        Some(response)
    }

    /// Whether the client has it already (RFC 9110 §13.1.2, §13.1.3).
    fn is_known_to(&self, asked: &Asked<'_>) -> Option<bool> {
        if let Some(tags) = asked.if_none_match {
            let mut tags = tags.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
            let own = opaque(&self.etag);
            return Some(
                tags.any(|tag| tag == b"*" || tag.strip_prefix(b"W/").unwrap_or(tag) == own),
            );
        }
        match asked.if_modified_since {
            None => Some(false),
            // Every browser sends back what it was sent; other times are left to the upstream.
            Some(since) => (self.headers.get(header::LAST_MODIFIED)? == since).then_some(true),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::Request;
    use http_body_util::BodyExt;

    use super::*;

    const DATE: &str = "Tue, 24 Nov 2026 18:00:00 GMT";

    fn file() -> File {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/css"));
        headers.insert(header::LAST_MODIFIED, HeaderValue::from_static(DATE));
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        let etag = HeaderValue::from_static("W/\"5-a\"");
        headers.insert(header::ETAG, etag.clone());
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        File::new(headers, etag, Bytes::from_static(b"hello"))
    }

    #[track_caller]
    fn check(name: &str, value: &str, expected: Option<u16>) {
        let request = Request::get("/_next/static/a.css").header(name, value);
        let head = request.body(()).unwrap().into_parts().0;
        let response = file().answer(&Asked::of(&head, false).unwrap(), 3);
        let status = response.map(|response| response.status().as_u16());
        assert_eq!(status, expected, "{name}: {value}");
    }

    #[test]
    fn who_has_the_file_is_told_so() {
        check("if-none-match", "W/\"5-a\"", Some(304));
        check("if-none-match", "\"5-a\"", Some(304));
        check("if-none-match", "\"x\", W/\"5-a\"", Some(304));
        check("if-none-match", "*", Some(304));
        check("if-none-match", "\"5\"", Some(200));
        check("if-none-match", "5-a", Some(200));
        check("if-modified-since", DATE, Some(304));
        check("if-modified-since", "Tue, 24 Nov 2026 18:00:01 GMT", None);
    }

    #[test]
    fn a_validator_counts_and_not_a_time_beside_it() {
        let request = Request::get("/_next/static/a.css").header("if-none-match", "\"x\"");
        let head = request.header("if-modified-since", DATE).body(()).unwrap().into_parts().0;
        let response = file().answer(&Asked::of(&head, false).unwrap(), 0).unwrap();
        assert_eq!(response.status(), 200);
    }

    #[tokio::test]
    async fn a_file_is_answered_whole_and_304_without_what_describes_a_body() {
        let ask = |etag| {
            let request = Request::get("/_next/static/a.css").header("if-none-match", etag);
            request.body(()).unwrap().into_parts().0
        };
        let whole = file().answer(&Asked::of(&ask("\"x\""), false).unwrap(), 3).unwrap();
        let told = |name: &str| whole.headers().get(name).map(|value| value.to_str().unwrap());
        assert_eq!((told("content-length"), told("age")), (Some("5"), Some("3")));
        assert_eq!(
            (told("content-encoding"), told("vary")),
            (Some("gzip"), Some("Accept-Encoding"))
        );
        assert_eq!(whole.into_body().collect().await.unwrap().to_bytes(), "hello");
        let known = file().answer(&Asked::of(&ask("\"5-a\""), false).unwrap(), 3).unwrap();
        let mut names: Vec<_> = known.headers().keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["age", "etag", "last-modified", "vary"]);
    }
}
