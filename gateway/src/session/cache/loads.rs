//! Sessions that are being read: whoever wants one of them waits for it, and asks nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};

use super::news::SoFar;
use crate::database::DatabaseError;
use crate::session::changes::SessionDigest;
use crate::session::stored::StoredSession;

type Loaded = Result<Option<Arc<StoredSession>>, DatabaseError>;
type Load = BoxFuture<'static, Loaded>;

/// The loads under way. Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Loads(Arc<Mutex<HashMap<SessionDigest, UnderWay>>>);

struct UnderWay {
    so_far: SoFar,
    /// It belongs to those who wait: where all have gone it is over.
    load: WeakShared<Load>,
}

/// Who began a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    First,
    Joined,
}

impl Loads {
    /// The load under way of a session, if nothing was told since it began; else a new one.
    pub(super) fn join(
        &self,
        digest: SessionDigest,
        so_far: SoFar,
        begin: impl FnOnce() -> Load,
    ) -> (Shared<Load>, Part) {
        let mut all = self.lock();
        let known = all.get(&digest).filter(|known| known.so_far == so_far);
        if let Some(load) = known.and_then(|known| known.load.upgrade()) {
            return (load, Part::Joined);
        }
        let (end, loading) = (End { loads: self.clone(), digest, so_far }, begin());
        let load = async move {
            let _end = end;
            loading.await
        };
        let load = load.boxed().shared();
        if let Some(load) = load.downgrade() {
            all.insert(digest, UnderWay { so_far, load });
        }
        (load, Part::First)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionDigest, UnderWay>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a load off the list when it is over, or given up; not a later one of the same session.
struct End {
    loads: Loads,
    digest: SessionDigest,
    so_far: SoFar,
}

impl Drop for End {
    fn drop(&mut self) {
        let mut all = self.loads.lock();
        if all.get(&self.digest).is_some_and(|known| known.so_far == self.so_far) {
            all.remove(&self.digest);
        }
    }
}
