//! Connections to the upstream that rest between two requests.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::codec::connection::Connection;
use super::losses::Losses;

/// The resting connections of one worker, the most recently used last.
///
/// Last in, first out: the connection taken is the one least likely to be closed by the upstream
/// in the same moment. The lock is not contended but by a scrape, since a worker is one thread.
#[derive(Debug)]
pub(super) struct Pool {
    resting: Mutex<Vec<Resting>>,
    /// Notes each connection that the upstream ended while it rested.
    losses: Losses,
}

#[derive(Debug)]
struct Resting {
    connection: Connection,
    since: Instant,
    /// How long this connection may rest; the upstream's `Keep-Alive` may shorten it.
    limit: Duration,
}

impl Resting {
    fn has_rested_less_than(&self, limit: Duration, now: Instant) -> bool {
        now.saturating_duration_since(self.since) < limit.min(self.limit)
    }
}

impl Pool {
    /// Without a connection; those that the upstream ends before their time are noted in `losses`.
    pub(super) fn new(losses: Losses) -> Self {
        Self { resting: Mutex::default(), losses }
    }

    /// Takes a connection that has rested for less than `limit` and is open and silent, if any.
    pub(super) fn take(&self, limit: Duration, now: Instant) -> Option<Connection> {
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        while resting.last()?.has_rested_less_than(limit, now) {
            let connection = resting.pop()?.connection;
            if self.is_kept(&connection) {
                return Some(connection);
            }
        }
        None
    }

    /// Whether the upstream has kept a resting connection, as it had promised.
    fn is_kept(&self, connection: &Connection) -> bool {
        let is_kept = connection.is_quiet();
        if !is_kept {
            self.losses.note();
        }
        is_kept
    }

    /// How many connections rest.
    pub(super) fn len(&self) -> usize {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Closes the connections that are closed by the upstream or have rested too long.
    pub(super) fn expire(&self, now: Instant) {
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.retain(|entry| {
            entry.has_rested_less_than(Duration::MAX, now) && self.is_kept(&entry.connection)
        });
    }
}

/// A connection in use, or a share in one, to be given back.
#[derive(Debug)]
pub(super) struct Lease {
    pool: Arc<Pool>,
    pub(super) connection: Connection,
    limit: Duration,
}

impl Lease {
    /// A lease of `connection`, which may rest in `pool` for at most `limit`.
    pub(super) fn new(pool: Arc<Pool>, connection: Connection, limit: Duration) -> Self {
        Self { pool, connection, limit }
    }

    /// A lease of another share in the connection.
    pub(super) fn share(&self) -> Self {
        Self::new(self.pool.clone(), self.connection.share(), self.limit)
    }

    /// Lets the connection rest until the next request, when nobody else has a share any more.
    pub(super) fn give_back(self) {
        if self.limit.is_zero() || !self.connection.is_unshared() {
            return;
        }
        let Self { pool, connection, limit } = self;
        let resting = Resting { connection, since: Instant::now(), limit };
        pool.resting.lock().unwrap_or_else(PoisonError::into_inner).push(resting);
    }
}
