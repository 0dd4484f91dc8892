//! Whether an upstream takes connections.

use std::time::Duration;

use tokio::sync::watch;

use super::connect::connect;
use super::upstream_address::UpstreamAddress;

/// Whether the upstream at `address` takes a connection at this moment, within `limit`; nothing is
/// sent on it. One that has no address yet does not.
pub async fn is_reachable(
    address: &watch::Receiver<Option<UpstreamAddress>>,
    limit: Duration,
) -> bool {
    let address = address.borrow().clone();
    match address {
        Some(address) => connect(&address, limit).await.is_ok(),
        None => false,
    }
}
