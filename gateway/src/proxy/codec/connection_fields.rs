//! What an answer's fields say of its end, and of its connection's (RFC 9112 §6, §9).

use std::time::Duration;

use http::header::{CONNECTION, CONTENT_LENGTH, HeaderName, HeaderValue, TRANSFER_ENCODING};

use super::error::AnswerError;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");

/// Noted while the fields are read, so that none is looked up afterwards.
#[derive(Debug, Default)]
pub(super) struct ConnectionFields {
    codings: usize,
    other_codings: usize,
    lengths: usize,
    length: Option<Number>,
    pub(super) closes: bool,
    /// How long the upstream keeps a resting connection.
    pub(super) kept: Option<Duration>,
}

#[derive(Debug)]
enum Number {
    Of(u64),
    TooLarge,
    Malformed,
}

/// Where the body ends, as far as fields say.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    Length(u64),
    Chunked,
    Nothing,
}

impl ConnectionFields {
    /// Notes a field, where it is one of these; tells whether it says nothing else, so that nobody
    /// need read it again.
    pub(super) fn note(&mut self, name: &HeaderName, value: &HeaderValue) -> bool {
        match *name {
            CONTENT_LENGTH => {
                self.lengths += 1;
                self.length = Some(Number::of(value.as_bytes()));
                false
            }
            TRANSFER_ENCODING => {
                self.codings += 1;
                let is_chunked = value.as_bytes().eq_ignore_ascii_case(b"chunked");
                self.other_codings += usize::from(!is_chunked);
                false
            }
            CONNECTION if value == "keep-alive" => true,
            CONNECTION => {
                self.closes |= is_close(value);
                value == "close"
            }
            _ if *name == KEEP_ALIVE => {
                self.kept = self.kept.or(timeout_of(value));
                true
            }
            _ => false,
        }
    }

    /// Where the body ends; fails where that could be found in two ways.
    ///
    /// hyper's client is less strict, and `tests/codec/differences.rs` says where.
    pub(super) fn told(&self) -> Result<Told, AnswerError> {
        let refused = |reason| Err(AnswerError::Ambiguous(reason));
        if self.other_codings > 0 || self.codings > 1 {
            return refused("a Transfer-Encoding other than chunked");
        }
        if self.lengths > 0 && self.codings > 0 {
            return refused("both Content-Length and Transfer-Encoding");
        }
        match self.length {
            Some(Number::Malformed) => refused("a Content-Length that is not one number"),
            Some(_) if self.lengths > 1 => refused("a Content-Length that is not one number"),
            Some(Number::TooLarge) => refused("a Content-Length that is no length"),
            Some(Number::Of(length)) => Ok(Told::Length(length)),
            None if self.codings > 0 => Ok(Told::Chunked),
            None => Ok(Told::Nothing),
        }
    }
}

impl Number {
    /// Longest body that can be told, in bytes; hyper has another use for the two numbers behind it.
    const LARGEST: u64 = u64::MAX - 2;

    fn of(digits: &[u8]) -> Self {
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return Self::Malformed;
        }
        let number = digits.iter().try_fold(0_u64, |number, digit| {
            number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
        });
        number.filter(|number| *number <= Self::LARGEST).map_or(Self::TooLarge, Self::Of)
    }
}

fn is_close(value: &HeaderValue) -> bool {
    let is_close = |token: &str| token.trim().eq_ignore_ascii_case("close");
    value.to_str().is_ok_and(|value| value.split(',').any(is_close))
}

/// The `N` of `timeout=N`.
fn timeout_of(value: &HeaderValue) -> Option<Duration> {
    let mut parts = value.as_bytes().split(|byte| *byte == b',');
    let seconds = parts.find_map(|part| part.trim_ascii().strip_prefix(b"timeout="))?;
    match Number::of(seconds) {
        Number::Of(seconds) => Some(Duration::from_secs(seconds)),
        Number::TooLarge | Number::Malformed => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &[(&'static str, &'static str)]) -> ConnectionFields {
        let mut read = ConnectionFields::default();
        for (name, value) in fields {
            read.note(&HeaderName::from_static(name), &HeaderValue::from_static(value));
        }
        read
    }

    #[track_caller]
    fn check(fields: &[(&'static str, &'static str)], expected: Option<&Told>) {
        assert_eq!(read(fields).told().ok().as_ref(), expected, "{fields:?}");
    }

    #[test]
    fn an_answer_has_one_length() {
        check(&[("content-length", "5")], Some(&Told::Length(5)));
        check(&[("transfer-encoding", "Chunked")], Some(&Told::Chunked));
        check(&[], Some(&Told::Nothing));
        check(&[("content-length", "5"), ("transfer-encoding", "chunked")], None);
        check(&[("content-length", "5"), ("content-length", "5")], None);
        check(&[("content-length", "99999999999999999999")], None);
        for malformed in ["5, 5", "+5", "", "5 "] {
            check(&[("content-length", malformed)], None);
        }
        for other in ["gzip", "gzip, chunked", "chunked,", ""] {
            check(&[("transfer-encoding", other)], None);
        }
        check(&[("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")], None);
    }

    #[test]
    fn the_upstream_says_how_long_it_keeps_a_connection() {
        let check = |value, expected| {
            let read = read(&[("keep-alive", value)]).kept;
            assert_eq!(read.map(|kept| kept.as_secs()), expected, "{value}");
        };
        check("timeout=5", Some(5));
        check("max=100, timeout=70", Some(70));
        check("timeout=0", Some(0));
        check("timeout=soon", None);
        assert!(read(&[("connection", "x, Close")]).closes);
        assert!(!read(&[("connection", "closed"), ("connection", "keep-alive")]).closes);
    }
}
