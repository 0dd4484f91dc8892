//! How often an upstream went away.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::upstream_address::UpstreamAddress;

/// How often an upstream took no connection, or ended one that it had promised to keep. Clones are the
/// same.
///
/// Each may be a restart, after which another build answers. The opposite is not promised: a restart
/// while there was no connection is not noticed.
#[derive(Debug, Clone, Default)]
pub struct Losses(Arc<AtomicU64>);

impl Losses {
    pub(super) fn note(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    /// So many until now.
    pub fn count(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

type Address = watch::Receiver<Option<UpstreamAddress>>;

/// The losses of each upstream, noted by every worker. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct LossesByAddress(Arc<Mutex<Vec<(Address, Losses)>>>);

impl LossesByAddress {
    /// Those of the upstream at `address`.
    pub fn of(&self, address: &Address) -> Losses {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, losses)) = known.iter().find(|(other, _)| other.same_channel(address)) {
            return losses.clone();
        }
        let losses = Losses::default();
        known.push((address.clone(), losses.clone()));
        losses
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_worker_notes_of_an_upstream_every_other_knows() {
        let (all, addresses) =
            (LossesByAddress::default(), [(); 2].map(|()| watch::channel(None).1));
        let [next, other] = &addresses;
        all.of(next).note();
        assert_eq!((all.of(&next.clone()).count(), all.of(other).count()), (1, 0));
    }
}
