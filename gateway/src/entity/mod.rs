//! The rows that the gateway shares with Sequelize.

pub mod session;
pub mod user_id;
