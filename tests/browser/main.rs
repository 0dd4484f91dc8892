//! The whole way: Chromium, the gateway, Next.js, Postgres.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failed set-up should stop the test"
)]

mod dev;
mod start;
