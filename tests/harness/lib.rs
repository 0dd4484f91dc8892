//! What the tests stand on: a gateway in this process, real databases, visitors, and upstreams
//! that stand in for Next.js.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a failed set-up should stop the test"
)]

pub mod binary;
pub mod browser;
pub mod chaos;
pub mod database;
pub mod exposition;
pub mod frames;
pub mod http2;
pub mod load;
pub mod next;
pub mod next_app;
pub mod pgbouncer;
pub mod postgres;
pub mod properties;
pub mod stack;
pub mod tls;
pub mod upstream;
pub mod visitor;
pub mod websocket;
pub mod wire;

use std::time::Duration;

/// Longest wait for anything that a test waits for; ample on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// Waits until `condition` holds; fails after a minute, naming `what` did not come.
pub async fn wait_until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, wait).await.is_ok(), "never: {what}");
}
