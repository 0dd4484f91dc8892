//! Attempts whose outcome is not known yet.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// How many attempts are under way for each key; as large as they are many.
#[derive(Debug, Default)]
pub(super) struct InFlight(Mutex<HashMap<u64, u32>>);

impl InFlight {
    pub(super) fn begin(&self, key: u64) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(key).or_default() += 1;
    }

    pub(super) fn end(&self, key: u64) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&key);
            }
        }
    }

    pub(super) fn has_any(&self, key: u64) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&key)
    }
}
