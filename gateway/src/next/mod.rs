//! All that is known of Next.js: its application folder, its headers and request kinds.

mod dev_script;
mod manifest;
pub mod node;
pub mod project;
pub mod request_headers;
pub mod request_kind;
