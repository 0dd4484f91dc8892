//! Counts that drain.

use std::time::Duration;

use super::moments::{Micros, Moments};

/// Buckets of one size, each known by the moment at which it will have drained (the generic cell
/// rate algorithm, ITU-T I.371).
#[derive(Debug)]
pub(super) struct Buckets {
    moments: Moments,
    /// What one attempt adds.
    each: Micros,
    /// What a bucket holds.
    all: Micros,
}

impl Buckets {
    pub(super) fn new(attempts: u32, window: Duration) -> Self {
        let each = (micros(window) / u64::from(attempts.max(1))).max(1);
        Self { moments: Moments::new(), each, all: each.saturating_mul(attempts.into()) }
    }

    /// Adds an attempt, or tells how long to wait until there is room for one.
    pub(super) fn take(&self, key: u64, now: Micros) -> Result<(), Duration> {
        let add = |drained: &mut Micros| {
            let after = (*drained).max(now).saturating_add(self.each);
            match after.saturating_sub(now).checked_sub(self.all) {
                None | Some(0) => {
                    *drained = after;
                    Ok(())
                }
                Some(wait) => Err(Duration::from_micros(wait)),
            }
        };
        self.moments.change(key, add).unwrap_or(Ok(()))
    }

    pub(super) fn give_back(&self, key: u64) {
        self.moments.change(key, |drained| *drained = drained.saturating_sub(self.each));
    }

    pub(super) fn empty(&self, key: u64) {
        self.moments.change(key, |drained| *drained = 0);
    }
}

pub(super) fn micros(duration: Duration) -> Micros {
    Micros::try_from(duration.as_micros()).unwrap_or(Micros::MAX)
}
