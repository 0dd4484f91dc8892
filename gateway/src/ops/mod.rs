//! What operators see: logs, request ids, health, and the end of the process.

mod access_line;
pub mod access_log;
pub mod admin;
mod calm;
pub mod drain;
pub mod health;
mod log_queue;
mod log_stamp;
mod log_text;
pub mod logs;
pub mod metrics;
pub mod open_connection;
pub mod request_id;
pub mod request_span;
