//! What answers over https say besides, unless the upstream has said it in its own words.
//!
//! Never `Content-Security-Policy`: what a page may load, the page knows.

use http::header::{self, HeaderMap, HeaderValue};

const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");

/// What is due in the answer to one request.
#[derive(Debug)]
pub(super) struct OverHttps {
    /// Whether the browser speaks TLS, as far as is sure.
    pub(super) is_spoken: bool,
    /// `Strict-Transport-Security`
    pub(super) hsts: Option<HeaderValue>,
}

impl OverHttps {
    /// Adds what the upstream did not say.
    pub(super) fn add(self, headers: &mut HeaderMap) {
        if self.is_spoken {
            headers.entry(header::X_CONTENT_TYPE_OPTIONS).or_insert(NOSNIFF);
        }
        if let Some(value) = self.hsts {
            headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(value);
        }
    }
}
