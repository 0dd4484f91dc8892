//! Locks that somebody else has: to be asked for again, and no connection held meanwhile.

use std::time::Duration;

use rand::random_range;
use tokio::time::{Instant, sleep};

use super::DatabaseError;

/// Longest time that a lock is asked for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Pauses before it is asked for again: between half and all of one that doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(320);

/// An error that a database's may be the cause of.
pub(crate) trait MayBeOfDatabase {
    /// The database's.
    fn of_database(&self) -> Option<&DatabaseError>;
}

impl MayBeOfDatabase for DatabaseError {
    fn of_database(&self) -> Option<&DatabaseError> {
        Some(self)
    }
}

/// Does `work` anew while somebody else's lock is in its way, for two seconds at most.
///
/// What waits in the server for a lock waits with one of the pool's few connections, and a single row
/// that is locked would take all of them. So work says how briefly it waits
/// ([`super::dialect::waits_briefly`]), and leaves nothing behind when it was in vain.
pub(crate) async fn past_locks<T, E, F>(mut work: impl FnMut() -> F) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
    E: MayBeOfDatabase,
{
    let (began, mut pause) = (Instant::now(), FIRST_PAUSE);
    loop {
        let outcome = work().await;
        let error = outcome.as_ref().err().and_then(MayBeOfDatabase::of_database);
        if !error.is_some_and(DatabaseError::is_of_lock) || began.elapsed() + pause > PATIENCE {
            return outcome;
        }
        sleep(pause.mul_f64(random_range(0.5..=1.0))).await;
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}
