//! Which answers may be kept.

use http::StatusCode;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::codings::Codings;
use crate::proxy::response::is_for_caches;

/// Fields of an answer that is not the same for everybody, or not at every time.
const PERSONAL: [HeaderName; 9] = [
    header::SET_COOKIE,
    header::CONTENT_RANGE,
    header::WWW_AUTHENTICATE,
    header::TRAILER,
    // Another cache's word on how old it is.
    header::AGE,
    // Name the origin that was asked.
    header::LOCATION,
    header::CONTENT_LOCATION,
    header::REFRESH,
    HeaderName::from_static("clear-site-data"),
];

/// The validator of an answer that may be kept for everybody who accepts `codings`, and given away as
/// long as the upstream stands by it; `None` for any other.
///
/// Its upstream must say that it never changes and is for the public: what `next dev` answers, and any
/// page, is not.
pub fn keepable(status: StatusCode, headers: &HeaderMap, codings: Codings) -> Option<&HeaderValue> {
    let mut encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    let is_coded_as_accepted =
        encodings.next().is_none_or(|coding| codings.contain(coding.as_bytes()))
            && encodings.next().is_none();
    let is_whole = status == StatusCode::OK && is_coded_as_accepted;
    only_etag(headers).filter(|_| is_whole && is_for_ever(headers) && is_for_everybody(headers))
}

/// Whether an answer says that the file with this validator is still what it was.
pub(super) fn confirms(status: StatusCode, headers: &HeaderMap, etag: &HeaderValue) -> bool {
    let is_same = only_etag(headers).is_some_and(|other| opaque(other) == opaque(etag));
    status == StatusCode::NOT_MODIFIED
        && is_same
        && is_for_ever(headers)
        && is_for_everybody(headers)
}

/// The one validator that there is, if it is one.
fn only_etag(headers: &HeaderMap) -> Option<&HeaderValue> {
    let mut all = headers.get_all(header::ETAG).iter();
    let etag = all.next().filter(|etag| {
        let tag = opaque(etag);
        tag.len() >= 2 && tag.starts_with(b"\"") && tag.ends_with(b"\"")
    });
    etag.filter(|_| all.next().is_none())
}

/// A validator without its mark of weakness, as both are compared for GET (RFC 9110 §8.8.3.2).
pub(super) fn opaque(etag: &HeaderValue) -> &[u8] {
    let bytes = etag.as_bytes();
    bytes.strip_prefix(b"W/").unwrap_or(bytes)
}

/// Whether `Cache-Control` is `public`, `immutable` and of some age, and takes nothing of it back.
fn is_for_ever(headers: &HeaderMap) -> bool {
    let (mut is_public, mut is_immutable, mut has_age, mut is_kept_back) =
        (false, false, false, false);
    let values = headers.get_all(header::CACHE_CONTROL).iter().map(HeaderValue::as_bytes);
    for directive in values.flat_map(|value| value.split(|byte| *byte == b',')) {
        let directive = directive.trim_ascii().to_ascii_lowercase();
        match directive.as_slice() {
            b"public" => is_public = true,
            b"immutable" => is_immutable = true,
            b"max-age=0" | b"s-maxage=0" => is_kept_back = true,
            other => {
                has_age |= other.starts_with(b"max-age=");
                let kept_back: [&[u8]; 3] = [b"private", b"no-store", b"no-cache"];
                is_kept_back |= kept_back.iter().any(|word| other.starts_with(word));
            }
        }
    }
    is_public && is_immutable && has_age && !is_kept_back
}

/// Whether it differs by nothing but the codings that a client accepts.
fn is_for_everybody(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::VARY).iter().map(HeaderValue::as_bytes);
    let mut members = values.flat_map(|value| value.split(|byte| *byte == b','));
    members.all(|member| member.trim_ascii().eq_ignore_ascii_case(b"accept-encoding"))
        && !PERSONAL.iter().any(|name| headers.contains_key(name))
        && !headers.keys().any(is_for_caches)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEXT: [(&str, &str); 4] = [
        ("cache-control", "public, max-age=31536000, immutable"),
        ("etag", "W/\"1f-19\""),
        ("vary", "Accept-Encoding"),
        ("content-type", "application/javascript; charset=UTF-8"),
    ];

    fn fields(more: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in NEXT.into_iter().chain(more.iter().copied()) {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers
    }

    fn is_kept(status: u16, headers: &HeaderMap) -> bool {
        let gzip = Codings::accepted(&HeaderValue::from_static("gzip")).unwrap();
        keepable(StatusCode::from_u16(status).unwrap(), headers, gzip).is_some()
    }

    #[test]
    fn what_next_says_of_a_built_file_is_kept() {
        assert!(is_kept(200, &fields(&[])));
        assert!(is_kept(200, &fields(&[("content-encoding", "gzip")])));
        assert!(is_kept(200, &fields(&[("vary", "accept-encoding,Accept-Encoding")])));
    }

    #[test]
    fn what_is_not_the_same_for_everybody_is_not_kept() {
        for more in [
            ("set-cookie", "a=b"),
            ("vary", "Cookie"),
            ("vary", "*"),
            ("vary", "Accept-Encoding, Origin"),
            ("content-encoding", "br"),
            ("content-encoding", "gzip, gzip"),
            ("content-range", "bytes 0-1/2"),
            ("cache-control", "private"),
            ("cache-control", "no-store"),
            ("cache-control", "no-cache=\"x\""),
            ("cache-control", "s-maxage=0"),
            ("age", "5"),
            ("location", "/"),
            ("cdn-cache-control", "max-age=60"),
            ("etag", "\"another\""),
        ] {
            assert!(!is_kept(200, &fields(&[more])), "{more:?}");
        }
        for status in [203, 204, 206, 304, 404, 500] {
            assert!(!is_kept(status, &fields(&[])), "{status}");
        }
    }

    #[test]
    fn what_may_change_is_not_kept() {
        for control in [
            "public, max-age=0",
            "public, max-age=31536000",
            "max-age=31536000, immutable",
            "public, immutable",
            "no-cache, must-revalidate",
            "public, max-age=31536000, immutable, no-store",
        ] {
            let mut headers = fields(&[]);
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(control));
            assert!(!is_kept(200, &headers), "{control}");
        }
        for etag in ["", "abc", "W/", "\""] {
            let mut headers = fields(&[]);
            headers.insert(header::ETAG, HeaderValue::from_static(etag));
            assert!(!is_kept(200, &headers), "{etag}");
        }
    }

    #[test]
    fn a_file_is_confirmed_by_its_own_validator_alone() {
        let (known, strong) =
            (HeaderValue::from_static("W/\"1f-19\""), HeaderValue::from_static("\"1f-19\""));
        let told = |status, headers: &HeaderMap, etag| confirms(status, headers, etag);
        assert!(told(StatusCode::NOT_MODIFIED, &fields(&[]), &known));
        assert!(told(StatusCode::NOT_MODIFIED, &fields(&[]), &strong));
        let other = HeaderValue::from_static("W/\"20-19\"");
        assert!(!told(StatusCode::NOT_MODIFIED, &fields(&[]), &other));
        assert!(!told(StatusCode::OK, &fields(&[]), &known));
        assert!(!told(StatusCode::NOT_MODIFIED, &fields(&[("set-cookie", "a=b")]), &known));
        assert!(!told(StatusCode::NOT_MODIFIED, &HeaderMap::new(), &known));
    }
}
