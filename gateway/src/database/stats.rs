//! What the database was asked, counted.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sea_orm::{DatabaseConnection, DbBackend};

/// What a database was asked so far, and its pool at this moment.
#[derive(Debug, Clone, Copy)]
pub struct DatabaseStats {
    /// Which kind it is.
    pub kind: &'static str,
    /// Statements that it did.
    pub done: u64,
    /// Statements that failed, whosever fault that was.
    pub failed: u64,
    /// The time that all took, added up.
    pub took: Duration,
    /// How long ago the last one failed.
    pub last_failure: Option<Duration>,
    /// Connections that are open and used by nobody.
    pub idle: u64,
    /// Connections that are in use.
    pub used: u64,
    /// How many connections there may be.
    pub most: u64,
}

/// Counts statements. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Statements(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    done: AtomicU64,
    failed: AtomicU64,
    micros: AtomicU64,
    last_failure: Mutex<Option<Instant>>,
}

impl Statements {
    /// Counts those of `connection`, and of transactions on it, from now on.
    pub(super) fn count(&self, connection: &mut DatabaseConnection) {
        let counters = self.0.clone();
        connection.set_metric_callback(move |info| counters.note(info.elapsed, info.failed));
    }

    pub(super) fn stats(&self, connection: &DatabaseConnection) -> DatabaseStats {
        let counters = &self.0;
        let last_failure = *counters.last_failure.lock().unwrap_or_else(PoisonError::into_inner);
        let is_postgres = connection.get_database_backend() == DbBackend::Postgres;
        let (kind, (size, idle, most)) = if is_postgres {
            let pool = connection.get_postgres_connection_pool();
            ("postgres", (pool.size(), pool.num_idle(), pool.options().get_max_connections()))
        } else {
            let pool = connection.get_sqlite_connection_pool();
            ("sqlite", (pool.size(), pool.num_idle(), pool.options().get_max_connections()))
        };
        DatabaseStats {
            kind,
            done: counters.done.load(Relaxed),
            failed: counters.failed.load(Relaxed),
            took: Duration::from_micros(counters.micros.load(Relaxed)),
            last_failure: last_failure.map(|at| at.elapsed()),
            idle: idle as u64,
            used: u64::from(size).saturating_sub(idle as u64),
            most: most.into(),
        }
    }
}

impl Counters {
    fn note(&self, took: Duration, failed: bool) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.micros.fetch_add(micros, Relaxed);
        if failed {
            self.failed.fetch_add(1, Relaxed);
            let mut last = self.last_failure.lock().unwrap_or_else(PoisonError::into_inner);
            *last = Some(Instant::now());
        } else {
            self.done.fetch_add(1, Relaxed);
        }
    }
}
