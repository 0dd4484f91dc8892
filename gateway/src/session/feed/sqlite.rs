//! SQLite: whether another process wrote to the file.

use std::time::Instant;

use tokio::time::{MissedTickBehavior, interval};

use super::super::changes::Change;
use super::FeedLimits;
use super::stats::Told;
use crate::database::{Database, cause};

/// Asks the connection that writes, for which its own writes are no news: those are told where they
/// are made.
pub(super) async fn watch(database: Database, limits: FeedLimits, told: Told) {
    let mut ticks = interval(limits.file_interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = None;
    loop {
        ticks.tick().await;
        let asked = Instant::now();
        match database.file_version().await {
            Ok(version) => {
                if last.replace(version).is_some_and(|last| last != version) {
                    told.tell(&Change::Everything);
                }
                told.proved(asked, limits.file_silence);
            }
            Err(error) => told.lost(&cause(&error)),
        }
    }
}
