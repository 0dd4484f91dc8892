//! Telling of the sessions that the gateway itself writes.

use super::Sessions;
use super::changes::{Change, Changes, SessionDigest};
use super::id::SessionId;

/// Sessions whose rows are being written. It is told when this goes: after the commit, before the
/// answer, and also where a statement failed, for then nobody knows what became of it.
#[must_use = "what goes at once tells too early"]
#[derive(Debug)]
pub(crate) struct Writing {
    changes: Changes,
    written: Vec<SessionDigest>,
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.written.iter().for_each(|digest| self.changes.tell(&Change::Session(*digest)));
    }
}

impl Sessions {
    /// To be held by the work that writes the rows of `ids`, until they are committed.
    pub(crate) fn writing(&self, ids: &[SessionId]) -> Writing {
        let written = ids.iter().map(SessionDigest::of).collect();
        Writing { changes: self.changes.clone(), written }
    }
}
