//! All that is known of Next.js: its application folder, its headers and assets, and
//! `next dev` as a supervised child.

pub mod advisories;
pub mod asset;
mod child_group;
pub mod config_file;
pub mod dev_news;
pub mod dev_only;
pub mod dev_origin;
mod dev_script;
pub mod dev_server;
pub mod installation;
pub mod last_lines;
mod leftover;
pub mod legacy_session;
mod lifeline;
pub(crate) mod manifest;
pub mod node;
mod output;
pub(crate) mod package_manager;
mod process_start;
pub mod project;
mod ready_probe;
pub mod release;
pub mod request_headers;
mod restart_pause;
