//! One id per request, in the log line and towards both sides.

use std::fmt;

use http::header::{HeaderMap, HeaderName, HeaderValue};

/// The field that carries it.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Whether a field, its name folded, is the one that only the gateway may set.
pub fn is_request_id(folded: &str) -> bool {
    X_REQUEST_ID == *folded
}

/// A random id by which a request is found in every log that it passed: 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RequestId([u8; 32]);

impl RequestId {
    /// A new id.
    pub fn generate() -> Self {
        Self::of(rand::random())
    }

    /// Sets `X-Request-Id`, in place of what anybody else put there.
    pub fn set(self, headers: &mut HeaderMap) {
        if let Ok(value) = HeaderValue::from_bytes(&self.0) {
            headers.insert(X_REQUEST_ID, value);
        }
    }

    /// As it is written everywhere.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default() // They are digits, by `of`.
    }

    /// The one that is this number.
    pub(super) fn of(number: u128) -> Self {
        let digit = |half: u8| if half < 10 { b'0' + half } else { b'a' + half - 10 };
        let mut hex = [0; 32];
        for (pair, byte) in hex.chunks_exact_mut(2).zip(number.to_be_bytes()) {
            pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 0xf)]);
        }
        Self(hex)
    }

    /// The one with these digits.
    #[cfg(test)]
    pub(super) const fn written(digits: [u8; 32]) -> Self {
        Self(digits)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestId({self})")
    }
}
