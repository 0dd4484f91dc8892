//! One id per request, in the log line and towards both sides.

use std::fmt;

use http::header::{HeaderMap, HeaderName, HeaderValue};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Whether a field, its name folded, is the one that only the gateway may set.
pub fn is_request_id(folded: &str) -> bool {
    X_REQUEST_ID == *folded
}

/// A random id by which a request is found in every log that it passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestId(u128);

impl RequestId {
    /// A new id.
    pub fn generate() -> Self {
        Self(rand::random())
    }

    /// Sets `X-Request-Id`, in place of what anybody else put there.
    pub fn set(self, headers: &mut HeaderMap) {
        if let Ok(value) = HeaderValue::from_bytes(&self.to_hex()) {
            headers.insert(X_REQUEST_ID, value);
        }
    }

    /// As it is written everywhere: 32 hexadecimal digits.
    pub(super) fn to_hex(self) -> [u8; 32] {
        let digit = |half: u8| if half < 10 { b'0' + half } else { b'a' + half - 10 };
        let mut hex = [0; 32];
        for (pair, byte) in hex.chunks_exact_mut(2).zip(self.0.to_be_bytes()) {
            pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 0xf)]);
        }
        hex
    }

    #[cfg(test)]
    pub(super) const fn of(number: u128) -> Self {
        Self(number)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}
