//! Connections to the upstream that rest between two requests.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::client::conn::http1::SendRequest;

use super::request_body::RequestBody;

/// The sending half of one connection to the upstream.
pub(super) type Sender = SendRequest<RequestBody>;

/// The resting connections of one worker, the most recently used last.
///
/// Last in, first out: the connection taken is the one least likely to be closed by the upstream
/// in the same moment. The lock is never contended, since a worker is one thread.
#[derive(Debug, Default)]
pub(super) struct Pool {
    resting: Mutex<Vec<Resting>>,
}

#[derive(Debug)]
struct Resting {
    sender: Sender,
    since: Instant,
    /// How long this connection may rest; the upstream's `Keep-Alive` may shorten it.
    limit: Duration,
}

impl Pool {
    /// Takes a connection that has rested for less than `limit` and is open and ready, if any.
    pub(super) fn take(&self, limit: Duration, now: Instant) -> Option<Sender> {
        self.expire(now);
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = |entry: &Resting| now.saturating_duration_since(entry.since) < limit;
        let at = resting.iter().rposition(|entry| entry.sender.is_ready() && fresh(entry))?;
        Some(resting.remove(at).sender)
    }

    /// Closes the connections that are closed by the upstream or have rested too long.
    pub(super) fn expire(&self, now: Instant) {
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.retain(|entry| {
            !entry.sender.is_closed() && now.saturating_duration_since(entry.since) < entry.limit
        });
    }
}

/// A connection in use, to be given back.
#[derive(Debug)]
pub(super) struct Lease {
    pool: Arc<Pool>,
    sender: Sender,
    limit: Duration,
}

impl Lease {
    /// A lease of `sender`, which may rest in `pool` for at most `limit`.
    pub(super) fn new(pool: Arc<Pool>, sender: Sender, limit: Duration) -> Self {
        Self { pool, sender, limit }
    }

    /// Lets the connection rest until the next request.
    pub(super) fn give_back(self) {
        if self.limit.is_zero() || self.sender.is_closed() {
            return;
        }
        let resting = Resting { sender: self.sender, since: Instant::now(), limit: self.limit };
        self.pool.resting.lock().unwrap_or_else(PoisonError::into_inner).push(resting);
    }
}
