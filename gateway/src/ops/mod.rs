//! What operators see: logs, request ids, health, and the end of the process.

pub mod access_log;
pub mod drain;
pub mod health;
pub mod logs;
pub mod open_connection;
pub mod request_id;
