//! Removes rows whose time is over.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::DbErr;
use tokio::time::{MissedTickBehavior, timeout};
use tracing::{info, warn};

use super::clock::Clock;
use super::store::SessionTable;
use crate::database::{self, Database, DatabaseError, dialect};

/// Rows removed in one transaction: few enough that nobody waits for the locks on them.
const BATCH: u64 = 1000;

/// Longest wait for one transaction, which may wait for a lock that somebody else holds.
const BATCH_LIMIT: Duration = Duration::from_mins(1);

/// Sweeps once in every `interval`, and at once, until the runtime ends.
pub(super) async fn sweep_for_ever(
    database: Database,
    table: SessionTable,
    interval: Duration,
    clock: Clock,
) {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match sweep(&database, &table, clock.now()).await {
            Ok(0) => {}
            Ok(sessions) => info!(sessions, "expired sessions removed"),
            Err(error) => warn!(cause = database::cause(&error), "cannot remove expired sessions"),
        }
    }
}

/// Removes every row that ended before `now`, in batches, and tells how many.
///
/// Stops when another replica is at it.
pub(super) async fn sweep(
    database: &Database,
    table: &SessionTable,
    now: DateTime<Utc>,
) -> Result<u64, DatabaseError> {
    let mut removed = 0;
    loop {
        let late = |_| Err(DbErr::Custom(format!("no answer within {BATCH_LIMIT:?}")).into());
        let swept = timeout(BATCH_LIMIT, sweep_batch(database, table, now)).await;
        let Some(batch) = swept.unwrap_or_else(late)? else { return Ok(removed) };
        removed += batch;
        if batch < BATCH {
            return Ok(removed);
        }
    }
}

/// How many rows went; `None` when another replica is at it.
async fn sweep_batch(
    database: &Database,
    table: &SessionTable,
    now: DateTime<Utc>,
) -> Result<Option<u64>, DatabaseError> {
    let transaction = database.begin_write().await?;
    if !dialect::try_lock(&transaction, dialect::Lock::Sweep, BATCH_LIMIT).await? {
        return Ok(None);
    }
    let batch = table.delete_expired(&transaction, now, BATCH).await?;
    transaction.commit().await?;
    Ok(Some(batch))
}
