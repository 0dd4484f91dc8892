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
        if let Ok(value) = HeaderValue::try_from(self.to_string()) {
            headers.insert(X_REQUEST_ID, value);
        }
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}
