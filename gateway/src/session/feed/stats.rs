//! What the feed has done, for whoever watches it, and for the log.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::{info, warn};

use super::super::changes::{Change, Changes};

/// How a feed is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedStats {
    /// Whether news comes.
    pub is_up: bool,
    /// How long ago the last proof of that was sent; `None` before the first.
    pub last_proof: Option<Duration>,
    /// Changes told so far, of which [`Change::Everything`] is one.
    pub changes: u64,
    /// Why it is down, where it is and that is known.
    pub cause: Option<String>,
    /// How often news came again after it had stopped.
    pub reconnects: u64,
}

/// Tells how a feed is doing, and after its end how it was.
#[derive(Debug, Clone)]
pub struct FeedReports(Told);

impl FeedReports {
    pub(super) fn of(told: &Told) -> Self {
        Self(told.clone())
    }

    /// How it is doing.
    pub fn stats(&self) -> FeedStats {
        self.0.stats()
    }
}

/// Tells, and notes that it did. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Told {
    changes: Changes,
    noted: Arc<Mutex<Noted>>,
}

#[derive(Debug, Default)]
struct Noted {
    is_up: bool,
    was_up: bool,
    last_proof: Option<Instant>,
    changes: u64,
    reconnects: u64,
    /// Why it is down, as last written to the log.
    cause: Option<String>,
}

impl Told {
    pub(super) fn new(changes: Changes) -> Self {
        Self { changes, noted: Arc::default() }
    }

    fn noted<T>(&self, note: impl FnOnce(&mut Noted) -> T) -> T {
        note(&mut self.noted.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn tell(&self, change: &Change) {
        self.changes.tell(change);
        self.noted(|noted| noted.changes += 1);
    }

    /// What was sent at `sent` came back: vouches for `silence` from then on.
    ///
    /// After a time without news anything may have changed, and that is told first.
    pub(super) fn proved(&self, sent: Instant, silence: Duration) {
        let comes_up = self.noted(|noted| {
            noted.last_proof = Some(sent);
            noted.cause = None;
            let comes_up = !noted.is_up;
            noted.is_up = true;
            if comes_up && noted.was_up {
                noted.reconnects += 1;
            }
            noted.was_up = true;
            comes_up
        });
        if comes_up {
            self.tell(&Change::Everything);
            info!("the change feed is up: what others change in the database is seen at once");
        }
        self.changes.vouch_until(sent + silence);
    }

    /// Nothing comes, and why; said once.
    pub(super) fn lost(&self, cause: &str) {
        self.changes.stop_vouching();
        let is_new = self.noted(|noted| {
            noted.is_up = false;
            let is_new = noted.cause.as_deref() != Some(cause);
            noted.cause = Some(cause.to_owned());
            is_new
        });
        if is_new {
            warn!(cause, "the change feed is down: sessions are read from the database each time");
        }
    }

    pub(super) fn stats(&self) -> FeedStats {
        self.noted(|noted| FeedStats {
            is_up: noted.is_up,
            last_proof: noted.last_proof.map(|sent| sent.elapsed()),
            cause: noted.cause.clone(),
            changes: noted.changes,
            reconnects: noted.reconnects,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_told_before_the_first_promise_after_a_gap() {
        let (changes, now) = (Changes::new(), Instant::now());
        let silence = Duration::from_secs(3);
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (to, asked) = (heard.clone(), changes.clone());
        changes.subscribe(move |change| {
            to.lock().unwrap().push((change.clone(), asked.are_whole(now)));
        });
        let told = Told::new(changes.clone());
        told.proved(now, silence);
        told.proved(now, silence);
        assert_eq!(
            heard.lock().unwrap().drain(..).collect::<Vec<_>>(),
            [(Change::Everything, false)]
        );
        assert!(changes.are_whole(now));
        told.lost("pulled");
        assert!(!changes.are_whole(now));
        told.proved(now, silence);
        assert_eq!(*heard.lock().unwrap(), [(Change::Everything, false)]);
        let FeedStats { is_up, changes, reconnects, .. } = told.stats();
        assert_eq!((is_up, changes, reconnects), (true, 2, 1));
    }
}
