//! How large a message is: refused where that could be read in two ways (RFC 9112 §6).
//!
//! hyper 1.12 reads the heads and bodies of requests, and refuses by itself what is malformed: bare CR,
//! folded lines, control bytes, space around a name, lengths that differ or are more than digits,
//! codings that do not end in `chunked` or come with HTTP/1.0. Where both kinds of length are there it
//! forgets the number and closes the connection afterwards; of equal lengths it keeps one. What it
//! lets through, and another server may read otherwise, is refused here; `it: framing` holds it to
//! all of that. Answers are read by `codec`.

use http::header::{self, HeaderMap};
use http::request::Parts;

use crate::error::RequestError;

/// Longest target, in bytes; RFC 9110 §4.1 asks for 8000 at least.
const LONGEST_TARGET: usize = 8 * 1024;

/// Most that the fields of a request may be, in bytes with their separators: what Node reads.
const LARGEST_FIELDS: usize = 16 * 1024;

/// What stands between a name and its value, and at the end of a line.
const SEPARATORS: usize = ": \r\n".len();

/// Refuses a request whose head is too large, or whose end could be found in two ways.
///
/// Only `chunked` alone passes: hyper takes `gzip, chunked` or `chunked, chunked` for it too, and
/// would forward what the other coding left.
pub fn check_request(head: &Parts) -> Result<(), RequestError> {
    if head.uri.path_and_query().is_some_and(|target| target.as_str().len() > LONGEST_TARGET) {
        return Err(RequestError::TargetTooLong);
    }
    if head.uri.path_and_query().is_some_and(|target| !target.as_str().is_ascii()) {
        return Err(RequestError::Ambiguous("the target is not ASCII")); // RFC 3986 §2; Node refuses it.
    }
    if size_of(&head.headers) > LARGEST_FIELDS {
        return Err(RequestError::FieldsTooLarge);
    }
    if !is_plain_coding(&head.headers) {
        return Err(RequestError::Ambiguous("a Transfer-Encoding other than chunked"));
    }
    Ok(())
}

fn is_plain_coding(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let first = codings.next();
    codings.next().is_none()
        && first.is_none_or(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"))
}

fn size_of(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + SEPARATORS).sum()
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn is_refused(fields: &[(&str, &str)]) -> bool {
        let request =
            fields.iter().fold(Request::get("/"), |r, (name, value)| r.header(*name, *value));
        check_request(&request.body(()).unwrap().into_parts().0).is_err()
    }

    #[test]
    fn only_chunked_alone_is_a_coding() {
        for plain in ["chunked", "Chunked"] {
            assert!(!is_refused(&[("transfer-encoding", plain)]));
        }
        for other in
            ["gzip, chunked", "chunked, chunked", "chunked,", "xchunked", "chunked;q=1", ""]
        {
            assert!(is_refused(&[("transfer-encoding", other)]), "{other:?}");
        }
        assert!(is_refused(&[("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")]));
    }

    #[test]
    fn a_head_has_a_limit_for_its_target_and_one_for_its_fields() {
        let target = |length: usize| {
            let request = Request::get(format!("/{}", "x".repeat(length - 1))).body(()).unwrap();
            check_request(&request.into_parts().0)
        };
        assert!(target(LONGEST_TARGET).is_ok());
        assert!(matches!(target(LONGEST_TARGET + 1), Err(RequestError::TargetTooLong)));
        let beyond = Request::get("/\u{e9}").body(()).unwrap().into_parts().0;
        assert!(matches!(check_request(&beyond), Err(RequestError::Ambiguous(_))));
        let value = "x".repeat(LARGEST_FIELDS - SEPARATORS - 1);
        assert!(!is_refused(&[("a", &value)]));
        assert!(is_refused(&[("ab", &value)]));
    }
}
