//! What was told so far, counted: whether more was told since is seen without a look at any entry.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::session::changes::{Change, SessionDigest};

/// Fewest and most counters of a kind. With too few, news of one session makes others be read again.
const COUNTERS: (u64, u64) = (256, 65_536);

/// Counts changes; sessions, and accounts, that share a counter only seem to change together.
pub(super) struct News {
    everything: AtomicU64,
    any_account: AtomicU64,
    sessions: Counters,
    accounts: Counters,
    hasher: RandomState,
}

/// What was told of everything, of a session and of all accounts before it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SoFar {
    everything: u64,
    any_account: u64,
    session: Count,
}

/// What was told of everything, of a session and of its account when it was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stamp {
    everything: u64,
    session: Count,
    account: Option<Count>,
}

/// What a counter said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Count {
    place: usize,
    count: u32,
}

impl News {
    /// Counters in about so many bytes.
    pub(super) fn in_bytes(bytes: u64) -> Self {
        let (fewest, most) = COUNTERS;
        let per_kind = bytes / 2 / size_of::<AtomicU32>() as u64;
        let count = per_kind.clamp(fewest, most).next_power_of_two();
        Self {
            everything: AtomicU64::new(0),
            any_account: AtomicU64::new(0),
            sessions: Counters::new(count),
            accounts: Counters::new(count),
            hasher: RandomState::new(),
        }
    }

    /// Bytes of the counters.
    pub(super) fn bytes(&self) -> usize {
        (self.sessions.0.len() + self.accounts.0.len()) * size_of::<AtomicU32>()
    }

    /// Counts a piece of news.
    pub(super) fn hear(&self, change: &Change) {
        match change {
            Change::Session(digest) => self.sessions.add(Self::hash_of(*digest)),
            Change::Account(id) => {
                // In this order: see `stamp`.
                self.any_account.fetch_add(1, Ordering::SeqCst);
                self.accounts.add(self.hasher.hash_one(&**id));
            }
            Change::Everything => {
                self.everything.fetch_add(1, Ordering::SeqCst);
            }
        }
    }

    /// To be asked before the database is, about a session.
    pub(super) fn so_far(&self, digest: SessionDigest) -> SoFar {
        SoFar {
            everything: self.everything.load(Ordering::SeqCst),
            any_account: self.any_account.load(Ordering::SeqCst),
            session: self.sessions.count(Self::hash_of(digest)),
        }
    }

    /// To be asked after the database was, when the session's account is known; `None` where more
    /// was told than `so_far`.
    ///
    /// The account's counter is read before that of all accounts, which is moved before it: so it
    /// has not been moved either since `so_far`.
    pub(super) fn stamp(
        &self,
        digest: SessionDigest,
        so_far: SoFar,
        account: Option<&str>,
    ) -> Option<Stamp> {
        let account = account.map(|id| self.accounts.count(self.hasher.hash_one(id)));
        let SoFar { everything, session, .. } = so_far;
        (self.so_far(digest) == so_far).then_some(Stamp { everything, session, account })
    }

    /// Whether nothing more was told of what has this stamp.
    pub(super) fn is_all(&self, stamp: &Stamp) -> bool {
        stamp.everything == self.everything.load(Ordering::SeqCst)
            && self.sessions.says(stamp.session)
            && stamp.account.is_none_or(|account| self.accounts.says(account))
    }

    /// The digest is one already.
    fn hash_of(SessionDigest(digest): SessionDigest) -> u64 {
        digest.first_chunk().map_or(0, |chunk| u64::from_le_bytes(*chunk))
    }
}

/// A power of two of them.
struct Counters(Box<[AtomicU32]>);

impl Counters {
    fn new(count: u64) -> Self {
        Self((0..count).map(|_| AtomicU32::new(0)).collect())
    }

    fn place(&self, hash: u64) -> usize {
        usize::try_from(hash & (self.0.len() as u64 - 1)).unwrap_or_default()
    }

    fn at(&self, place: usize) -> u32 {
        self.0.get(place).map_or(0, |counter| counter.load(Ordering::SeqCst))
    }

    fn count(&self, hash: u64) -> Count {
        let place = self.place(hash);
        Count { place, count: self.at(place) }
    }

    fn says(&self, Count { place, count }: Count) -> bool {
        self.at(place) == count
    }

    fn add(&self, hash: u64) {
        if let Some(counter) = self.0.get(self.place(hash)) {
            counter.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: SessionDigest = SessionDigest([1; 16]);
    const OTHER: SessionDigest = SessionDigest([2; 16]);

    fn news() -> News {
        News::in_bytes(1 << 16)
    }

    /// Whether a session of account 7 that is read now is as it was read after `change`.
    fn lasts(change: &Change) -> bool {
        let news = news();
        let stamp = news.stamp(ONE, news.so_far(ONE), Some("7")).unwrap();
        news.hear(change);
        news.is_all(&stamp)
    }

    #[test]
    fn what_is_told_of_a_session_its_account_or_everything_is_seen_and_nothing_else() {
        assert!(!lasts(&Change::Session(ONE)) && !lasts(&Change::Account("7".into())));
        assert!(!lasts(&Change::Everything));
        assert!(lasts(&Change::Session(OTHER)) && lasts(&Change::Account("8".into())));
    }

    /// Whether a session of account 7 has a stamp that `change` was told of while it was read.
    fn has_stamp(change: &Change) -> bool {
        let news = news();
        let so_far = news.so_far(ONE);
        news.hear(change);
        news.stamp(ONE, so_far, Some("7")).is_some()
    }

    #[test]
    fn a_change_while_a_session_is_read_leaves_it_without_a_stamp() {
        assert!(!has_stamp(&Change::Session(ONE)) && !has_stamp(&Change::Everything));
        assert!(has_stamp(&Change::Session(OTHER)));
    }

    /// Whose it is was not known when the reading began.
    #[test]
    fn any_account_may_be_that_of_a_session_that_is_read() {
        assert!(!has_stamp(&Change::Account("7".into())));
        assert!(!has_stamp(&Change::Account("8".into())));
    }

    #[test]
    fn a_guest_has_no_account_that_could_change() {
        let news = news();
        let stamp = news.stamp(ONE, news.so_far(ONE), None).unwrap();
        news.hear(&Change::Account("7".into()));
        assert!(news.is_all(&stamp));
    }

    #[test]
    fn counters_take_the_bytes_that_they_are_given() {
        assert_eq!(News::in_bytes(1 << 19).bytes(), 1 << 19);
        assert_eq!(News::in_bytes(8192).bytes(), 8192);
        assert_eq!(News::in_bytes(0).bytes(), 2048);
        assert_eq!(News::in_bytes(u64::MAX).bytes(), 1 << 19);
    }
}
