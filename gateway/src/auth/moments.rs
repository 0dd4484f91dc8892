//! A moment for each of many keys, in bounded memory.

use std::sync::{Mutex, PoisonError};

/// Slots that a key may be in.
const WAYS: usize = 8;

/// Sets of slots: 16,384 keys in 280 KiB.
const SETS: usize = 2048;

/// A moment, in microseconds since whenever the caller began; that of an unknown key is zero.
pub(super) type Micros = u64;

/// Keeps moments, as many as fit; of the others those that come last.
///
/// So a flood of new keys pushes out what would be forgotten soonest, and not what somebody has
/// filled by trying for long.
#[derive(Debug)]
pub(super) struct Moments(Box<[Mutex<[Slot; WAYS]>]>);

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    key: u64,
    moment: Micros,
}

impl Moments {
    pub(super) fn new() -> Self {
        Self((0..SETS).map(|_| Mutex::default()).collect())
    }

    /// Changes the moment of `key`, which must be evenly spread.
    pub(super) fn change<T>(&self, key: u64, change: impl FnOnce(&mut Micros) -> T) -> Option<T> {
        let index = usize::try_from(key % SETS as u64).ok()?;
        let mut set = self.0.get(index)?.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = set.iter_mut().find(|slot| slot.key == key) {
            return Some(change(&mut slot.moment));
        }
        let mut moment = 0;
        let outcome = change(&mut moment);
        let first = set.iter_mut().min_by_key(|slot| slot.moment)?;
        if moment > first.moment {
            *first = Slot { key, moment };
        }
        Some(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_keys_take_no_more_memory_and_push_out_no_later_moment() {
        let moments = Moments::new();
        let spread = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        moments.change(spread(1), |moment| *moment = 1000);
        for number in 2..1_000_000 {
            moments.change(spread(number), |moment| *moment = 10);
        }
        assert_eq!(moments.change(spread(1), |moment| *moment), Some(1000));
        let kept =
            (2..1_000_000).filter(|number| moments.change(spread(*number), |m| *m) == Some(10));
        assert!(kept.count() <= SETS * WAYS);
        assert_eq!(size_of_val(&*moments.0), SETS * size_of::<Mutex<[Slot; WAYS]>>());
        assert!(size_of_val(&*moments.0) < 300 * 1024);
    }
}
