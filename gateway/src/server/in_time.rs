//! A bound on the beginning of a connection.

use std::time::Duration;

use tokio::time::timeout;

use crate::ops::drain::Drain;
use crate::ops::open_connection::OpenConnection;

/// Waits for what a connection begins with, at most for `limit`; the end of the process does not.
pub(super) async fn in_time<T>(
    beginning: impl Future<Output = T>,
    open: &OpenConnection,
    drain: &Drain,
    limit: Duration,
) -> Option<T> {
    let mut beginning = std::pin::pin!(timeout(limit, beginning));
    let begun = tokio::select! {
        biased; // What has come is read before the end is looked at.
        begun = beginning.as_mut() => begun,
        () = drain.begun() => tokio::select! {
            biased; // After a yield the runtime has asked the system what has come.
            begun = beginning.as_mut() => begun,
            () = tokio::task::yield_now() => {
                open.release_if_fresh();
                beginning.await
            }
        },
    };
    begun.ok()
}
