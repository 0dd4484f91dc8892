//! How the cache is used.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::Lifecycle;

/// How much is in the cache, and how it was used since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheStats {
    /// Requests that asked the database nothing.
    pub hits: u64,
    /// Requests that asked it.
    pub misses: u64,
    /// Requests that waited for what another one asked.
    pub coalesced: u64,
    /// Sessions that others pushed out.
    pub evictions: u64,
    /// Sessions in it, of use or not.
    pub entries: usize,
    /// Bytes that it takes.
    pub bytes: u64,
}

#[derive(Default)]
pub(super) struct Counts {
    pub(super) hits: Counter,
    pub(super) misses: Counter,
    pub(super) coalesced: Counter,
}

#[derive(Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counts what the cache pushes out. Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Evictions(Arc<Counter>);

impl Evictions {
    pub(super) fn get(&self) -> u64 {
        self.0.get()
    }
}

impl<K, V> Lifecycle<K, V> for Evictions {
    type RequestState = Vec<(K, V)>;

    /// Given back to be dropped when no lock is held.
    fn on_evict(&self, evicted: &mut Self::RequestState, key: K, value: V) {
        self.0.add();
        evicted.push((key, value));
    }
}
