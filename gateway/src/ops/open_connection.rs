//! One client's connection: what runs on it, and whether the end of the process waits for it.

use std::sync::{Arc, Mutex, PoisonError};

use super::drain::{Drain, Hold};

/// An open connection.
///
/// It holds up the end of the process as long as somebody may still get an answer on it, and as
/// a long-lived one while it carries an upgrade or an event stream.
#[derive(Debug)]
pub struct OpenConnection {
    drain: Drain,
    uses: Mutex<Uses>,
}

#[derive(Debug)]
struct Uses {
    /// Whether anything was asked.
    is_fresh: bool,
    is_released: bool,
    long_lived: usize,
}

impl Uses {
    fn hold(&self) -> Option<Hold> {
        match (self.long_lived, self.is_released) {
            (0, true) => None,
            (0, false) => Some(Hold::Ordinary),
            _ => Some(Hold::LongLived),
        }
    }
}

impl OpenConnection {
    pub(super) fn new(drain: Drain) -> Arc<Self> {
        let uses = Uses { is_fresh: true, is_released: false, long_lived: 0 };
        drain.recount(None, uses.hold());
        Arc::new(Self { drain, uses: Mutex::new(uses) })
    }

    /// Notes a request's head: from here on the end waits for the answer.
    pub fn requested(&self) {
        self.change(|uses| (uses.is_fresh, uses.is_released) = (false, false));
    }

    /// Lets the end not wait for a connection on which nothing was asked, until something is.
    pub fn release_if_fresh(&self) {
        self.change(|uses| uses.is_released |= uses.is_fresh);
    }

    /// Counts the connection as long-lived until the guard is gone.
    pub fn long_lived(self: &Arc<Self>) -> LongLived {
        self.change(|uses| uses.long_lived += 1);
        LongLived(self.clone())
    }

    fn change(&self, change: impl FnOnce(&mut Uses)) {
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        let before = uses.hold();
        change(&mut uses);
        self.drain.recount(before, uses.hold());
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        let uses = self.uses.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.drain.recount(uses.hold(), None);
    }
}

/// Something on a connection that does not end by itself: an upgrade or an event stream.
#[derive(Debug)]
pub struct LongLived(Arc<OpenConnection>);

impl Drop for LongLived {
    fn drop(&mut self) {
        self.0.change(|uses| uses.long_lived -= 1);
    }
}
