//! All that is known of Next.js: its headers and request kinds.

pub mod request_headers;
pub mod request_kind;
