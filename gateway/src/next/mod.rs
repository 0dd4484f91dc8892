//! All that is known of Next.js: its application folder, its headers and request kinds, and the
//! child processes that it needs.

mod child_group;
mod dev_script;
pub mod installation;
mod lifeline;
mod manifest;
pub mod node;
mod package_manager;
pub mod project;
pub mod request_headers;
pub mod request_kind;
