//! What is no longer as it was read: the news that caches and open sockets live by.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::id::SessionId;

/// What stands for a session in the news: the first half of its id's SHA-256. Notices can be read
/// by everybody who may connect to the database, and the id itself is worth the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionDigest(pub [u8; 16]);

impl SessionDigest {
    /// That of an id.
    pub fn of(id: &SessionId) -> Self {
        let mut half = [0; 16];
        half.iter_mut().zip(Sha256::digest(id.as_str())).for_each(|(to, from)| *to = from);
        Self(half)
    }
}

/// One piece of news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A session's row was written or removed, by whomever.
    Session(SessionDigest),
    /// The account with this id was written or removed.
    Account(Box<str>),
    /// Anything may have changed: too much to tell one by one, or for a while nothing was heard.
    Everything,
}

type Listener = Arc<dyn Fn(&Change) + Send + Sync>;

/// Passes the news on, and knows until when it is whole. Clones are the same.
#[derive(Clone)]
pub struct Changes(Arc<Shared>);

struct Shared {
    began: Instant,
    /// Milliseconds after `began`, until which no change is missed; zero is not at all.
    whole_until: AtomicU64,
    listeners: RwLock<Vec<Listener>>,
}

impl Changes {
    /// Nobody listens, and nobody vouches for anything.
    pub fn new() -> Self {
        let (whole_until, listeners) = (AtomicU64::new(0), RwLock::default());
        Self(Arc::new(Shared { began: Instant::now(), whole_until, listeners }))
    }

    /// Calls `listener` at each piece of news, on the thread that tells it; it must not wait.
    pub fn subscribe(&self, listener: impl Fn(&Change) + Send + Sync + 'static) {
        let mut listeners = self.0.listeners.write().unwrap_or_else(PoisonError::into_inner);
        listeners.push(Arc::new(listener));
    }

    /// Tells everybody; returns when all know.
    pub fn tell(&self, change: &Change) {
        let listeners = self.0.listeners.read().unwrap_or_else(PoisonError::into_inner);
        listeners.iter().for_each(|listener| listener(change));
    }

    /// Promises that whatever is committed before `until` is told before it is over. Whoever
    /// vouches must have told [`Change::Everything`] after the last time when it could not.
    pub fn vouch_until(&self, until: Instant) {
        self.0.whole_until.store(self.milliseconds(until), Ordering::Release);
    }

    /// Takes the promise back.
    pub fn stop_vouching(&self) {
        self.0.whole_until.store(0, Ordering::Release);
    }

    /// Whether what was read and not told of is still so at `now`.
    pub fn are_whole(&self, now: Instant) -> bool {
        self.milliseconds(now) < self.0.whole_until.load(Ordering::Acquire)
    }

    fn milliseconds(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.0.began).as_millis();
        u64::try_from(since).unwrap_or(u64::MAX)
    }
}

impl Default for Changes {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let until = Duration::from_millis(self.0.whole_until.load(Ordering::Relaxed));
        f.debug_struct("Changes").field("whole_until", &until).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn everybody_is_told_everything_in_order() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let changes = Changes::new();
        for name in ["a", "b"] {
            let heard = heard.clone();
            changes
                .clone()
                .subscribe(move |change| heard.lock().unwrap().push((name, change.clone())));
        }
        let account = Change::Account("7".into());
        changes.tell(&account);
        changes.tell(&Change::Everything);
        let expected = [("a", account.clone()), ("b", account)].into_iter();
        let expected = expected.chain([("a", Change::Everything), ("b", Change::Everything)]);
        assert_eq!(*heard.lock().unwrap(), expected.collect::<Vec<_>>());
    }

    #[test]
    fn what_was_read_is_so_only_while_somebody_vouches() {
        let (changes, now) = (Changes::new(), Instant::now());
        assert!(!changes.are_whole(now));
        changes.vouch_until(now + Duration::from_secs(2));
        assert!(changes.clone().are_whole(now + Duration::from_secs(1)));
        assert!(!changes.are_whole(now + Duration::from_secs(2)));
        changes.stop_vouching();
        assert!(!changes.are_whole(now));
    }

    /// As `left(encode(sha256(convert_to(sid, 'UTF8')), 'hex'), 32)` is in Postgres.
    #[test]
    fn a_digest_is_the_first_half_of_sha256() {
        let digest = SessionDigest::of(&SessionId::signed("abc").unwrap());
        assert_eq!(digest.0[..4], [0xba, 0x78, 0x16, 0xbf]);
        assert_eq!(digest.0[12..], [0x5d, 0xae, 0x22, 0x23]);
    }
}
