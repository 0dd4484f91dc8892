//! Sessions that were read lately, until somebody tells that they changed.
//!
//! Nothing is looked for to be removed: an entry keeps what was told so far when it was read
//! (`news`), and is of no use once more was told. What is of no use is pushed out by what is.

mod loads;
mod news;
pub mod stats;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use foldhash::fast::RandomState;
use futures_util::FutureExt;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::changes::{Changes, SessionDigest};
use super::id::SessionId;
use super::owner::Owner;
use super::stored::StoredSession;
use crate::database::DatabaseError;
use loads::{Loads, Part};
use news::{News, SoFar, Stamp};
use stats::{CacheStats, Counts, Evictions};

/// How long an id without a live row is remembered: long enough for a page's many requests.
const MISSING_FOR: Duration = Duration::from_secs(1);

/// Bytes of an id without a row, with what finds it.
const MISSING_BYTES: usize = 128;

/// More ids than are asked for within that second.
const MOST_MISSING: usize = 4096;

/// Bytes of what finds an entry, of counts of who shares its parts, and of room that is not used.
const AROUND_BYTES: usize = 256;

/// About what a session of somebody with a short address takes.
const USUAL_BYTES: u64 = 1024;

/// How much is kept, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheSettings {
    /// `--cache-size`: bytes; zero is no cache.
    pub size: u64,
    /// `--cache-max-stale`: how old an entry may be while nobody tells of changes.
    pub max_stale: Duration,
    /// How old one may be though somebody does: there are ways to write past every trigger, as
    /// logical replication does (SECURITY.md).
    pub max_age: Duration,
}

impl CacheSettings {
    /// Smallest cache that there is, in bytes.
    pub const LEAST: u64 = 1 << 20;
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self { size: 64 << 20, max_stale: Duration::ZERO, max_age: Duration::from_mins(5) }
    }
}

/// Live sessions by the cookie that leads to them, and ids that lead nowhere.
///
/// The key is the cookie's value as it came, whose signature was verified before it was let in. So
/// whoever presents an equal value presents a signed one, and no signature is computed for a hit.
/// Nobody can find a value by the time that comparing takes: which entry a guess is compared with,
/// if any, is told by a hash whose key nobody knows, another one for every guess, and a guess that
/// shares its beginning with a real value is no nearer to it by that hash.
pub(super) struct SessionCache {
    changes: Changes,
    news: Arc<News>,
    entries: Cache<Box<[u8]>, Entry, Bytes, RandomState, Evictions>,
    /// Apart from the entries, so that a flood of old cookies pushes none of them out.
    missing: Cache<SessionDigest, Missing>,
    loads: Loads,
    max_stale: Duration,
    max_age: Duration,
    counts: Counts,
    evictions: Evictions,
}

#[derive(Clone)]
struct Entry {
    session: Arc<StoredSession>,
    stamp: Stamp,
    read_at: Instant,
}

#[derive(Clone, Copy)]
struct Missing {
    stamp: Stamp,
    until: Instant,
}

#[derive(Clone)]
struct Bytes;

impl Weighter<Box<[u8]>, Entry> for Bytes {
    fn weight(&self, value: &Box<[u8]>, entry: &Entry) -> u64 {
        let place = size_of::<(Box<[u8]>, Entry)>() + AROUND_BYTES;
        (value.len() + entry.session.bytes() + place) as u64
    }
}

/// A signed cookie that is not in the cache, and when it came.
pub(super) struct Presented<'a> {
    pub(super) id: &'a SessionId,
    /// As it came, where no other of its name did: one of several is never let in.
    pub(super) value: Option<&'a [u8]>,
    pub(super) now: DateTime<Utc>,
    pub(super) at: Instant,
}

impl SessionCache {
    /// `None` where nothing is to be kept.
    pub(super) fn new(settings: CacheSettings, changes: &Changes) -> Option<Arc<Self>> {
        let CacheSettings { size, max_stale, max_age } = settings;
        if size == 0 {
            return None;
        }
        let news = Arc::new(News::in_bytes(size / 128));
        let heard = news.clone();
        changes.subscribe(move |change| heard.hear(change));
        let missing = usize::try_from(size / 128).unwrap_or(usize::MAX) / MISSING_BYTES;
        let (size, evictions) = (size - size / 64, Evictions::default());
        let count = usize::try_from(size / USUAL_BYTES).unwrap_or(usize::MAX);
        let hasher = RandomState::default(); // Keyed: clients choose what is looked for.
        let entries = Cache::with(count, size, Bytes, hasher, evictions.clone());
        Some(Arc::new(Self {
            changes: changes.clone(),
            news,
            entries,
            missing: Cache::new(missing.min(MOST_MISSING)),
            loads: Loads::default(),
            max_stale,
            max_age,
            counts: Counts::default(),
            evictions,
        }))
    }

    /// The live session that a cookie's value leads to, if it was read and nobody has told of a
    /// change since. Allocates nothing, and waits for nobody.
    pub(super) fn find(
        &self,
        value: &[u8],
        now: DateTime<Utc>,
        at: Instant,
    ) -> Option<Arc<StoredSession>> {
        // First: whoever vouches again has told before that everything may have changed.
        let is_whole = self.changes.are_whole(at);
        let Entry { session, stamp, read_at } = self.entries.get(value)?;
        let age = at.saturating_duration_since(read_at);
        if !self.news.is_all(&stamp) || !session.is_live(now) || age >= self.max_age {
            self.entries.remove(value);
            return None;
        }
        if !is_whole && age >= self.max_stale {
            return None;
        }
        self.counts.hits.add();
        Some(session)
    }

    /// What `read` finds in the database; it is asked once for all who want the same at once.
    ///
    /// Whoever asks after a change was told gets nothing that was begun to be read before, and
    /// what was begun to be read before is not kept.
    pub(super) async fn load<R>(
        self: &Arc<Self>,
        presented: Presented<'_>,
        read: R,
    ) -> Result<Option<Arc<StoredSession>>, DatabaseError>
    where
        R: Future<Output = Result<Option<StoredSession>, DatabaseError>> + Send + 'static,
    {
        let Presented { id, value, now, at } = presented;
        let is_whole = self.changes.are_whole(at);
        if !is_whole && self.max_stale.is_zero() {
            return Ok(read.await?.map(Arc::new));
        }
        let digest = SessionDigest::of(id);
        let so_far = self.news.so_far(digest);
        if is_whole && self.is_missing(digest, at) {
            self.counts.hits.add();
            return Ok(None);
        }
        let begin = || {
            let (this, value) = (self.clone(), value.map(Box::from));
            let reading = async move {
                let session = read.await?.map(Arc::new);
                this.keep(digest, value, (so_far, at), session.as_ref());
                Ok(session)
            };
            reading.boxed()
        };
        let (loading, part) = self.loads.join(digest, so_far, begin);
        match part {
            Part::First => self.counts.misses.add(),
            Part::Joined => self.counts.coalesced.add(),
        }
        let session = loading.await?;
        Ok(session.filter(|session| session.is_live(now)))
    }

    fn is_missing(&self, digest: SessionDigest, at: Instant) -> bool {
        let missing = self.missing.get(&digest);
        missing.is_some_and(|missing| at < missing.until && self.news.is_all(&missing.stamp))
    }

    /// Keeps what was read for a value, unless more was told than when that began.
    ///
    /// A session whose account is gone, or is named in a way that is not read, is not kept: an
    /// account that appears may be the one, and nobody tells under which name.
    fn keep(
        &self,
        digest: SessionDigest,
        value: Option<Box<[u8]>>,
        (so_far, at): (SoFar, Instant),
        session: Option<&Arc<StoredSession>>,
    ) {
        let account = match session.map(|session| &session.owner) {
            Some(Owner::Known(identity)) => Some(identity.id.to_string()),
            Some(Owner::Nobody) | None => None,
            Some(Owner::Unread | Owner::Gone) => return,
        };
        let Some(stamp) = self.news.stamp(digest, so_far, account.as_deref()) else { return };
        match (session, value) {
            (None, _) => self.missing.insert(digest, Missing { stamp, until: at + MISSING_FOR }),
            (Some(session), Some(value)) => {
                self.entries.insert(value, Entry { session: session.clone(), stamp, read_at: at });
            }
            (Some(_), None) => {}
        }
    }

    /// How much is in it, and how it was used since the start.
    pub(super) fn stats(&self) -> CacheStats {
        let fixed = self.news.bytes() + self.missing.len() * MISSING_BYTES;
        CacheStats {
            hits: self.counts.hits.get(),
            misses: self.counts.misses.get(),
            coalesced: self.counts.coalesced.get(),
            evictions: self.evictions.get(),
            entries: self.entries.len(),
            bytes: self.entries.weight() + fixed as u64,
        }
    }
}

impl fmt::Debug for SessionCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionCache").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
