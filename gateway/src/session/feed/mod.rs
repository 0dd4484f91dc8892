//! The change feed: what others change in the database, told to whoever keeps a copy of it.
//!
//! On Postgres triggers tell it on a connection of its own; on SQLite the file is asked whether
//! somebody else wrote to it. Either way the news is vouched for only while it is proved to come.

mod postgres;
mod sqlite;
mod stats;

use std::time::Duration;

use nextbnb_migrations::TableNames;
use sea_orm::DbBackend;
use tokio::task::AbortHandle;

use self::stats::Told;
pub use self::stats::{FeedReports, FeedStats};
use super::changes::Changes;
use crate::database::Database;
use crate::database::listener::DirectUrl;

/// How often the feed proves itself, and how long a proof counts.
#[derive(Debug, Clone, Copy)]
pub struct FeedLimits {
    /// How often the feed of a Postgres has itself sent a notice.
    pub proof_interval: Duration,
    /// How long after such a notice was sent that came back the news is vouched for: what changes
    /// while the way to the server is dead, and says nothing of it, is served for so long at most.
    /// Without another by then the connection is given up.
    pub silence: Duration,
    /// About how long it waits to connect again where nothing but somebody's hand helps, as where
    /// triggers are missing; after any other failure it tries sooner.
    pub by_hand: Duration,
    /// How often an SQLite file is asked whether another process wrote to it.
    pub file_interval: Duration,
    /// How long after the file was asked the news is vouched for.
    pub file_silence: Duration,
}

impl Default for FeedLimits {
    fn default() -> Self {
        Self {
            proof_interval: Duration::from_secs(1),
            silence: Duration::from_secs(3),
            by_hand: Duration::from_secs(30),
            file_interval: Duration::from_millis(50),
            file_silence: Duration::from_millis(100),
        }
    }
}

/// A running feed; it ends when this is dropped, and vouches for nothing from then on.
#[derive(Debug)]
pub struct Feed {
    told: Told,
    task: AbortHandle,
    changes: Changes,
}

impl Feed {
    /// Starts telling `changes`, on the database's runtime.
    ///
    /// `direct` is the way around a pooler that lends connections for a transaction each: such a
    /// one passes no notices on.
    pub fn start(
        database: &Database,
        names: &TableNames,
        direct: Option<&DirectUrl>,
        limits: FeedLimits,
        changes: &Changes,
    ) -> Self {
        let told = Told::new(changes.clone());
        let task = match database.backend() {
            DbBackend::Postgres => {
                let names = names.clone();
                let feed = postgres::PostgresFeed::new(database, names, direct, limits, &told);
                database.start(feed.run())
            }
            _ => database.start(sqlite::watch(database.clone(), limits, told.clone())),
        };
        Self { told, task, changes: changes.clone() }
    }

    /// For whoever asks from time to time.
    pub fn reports(&self) -> FeedReports {
        FeedReports::of(&self.told)
    }

    /// How it is doing.
    pub fn stats(&self) -> FeedStats {
        self.told.stats()
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.task.abort();
        self.changes.stop_vouching();
    }
}
