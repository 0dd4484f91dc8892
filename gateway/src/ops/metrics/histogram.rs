//! Durations by how long they were.

use std::array;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// What a duration is at most to be counted in a bucket, in seconds: few, since each is a series.
pub(super) const BOUNDS: [f64; 8] = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0, f64::INFINITY];

/// The same in microseconds, the last apart.
const BOUNDS_MICROS: [u64; 7] = [1_000, 5_000, 25_000, 100_000, 500_000, 2_500_000, 10_000_000];

/// Counts durations.
#[derive(Debug)]
pub(super) struct Histogram {
    /// Each without those before it.
    buckets: [AtomicU64; BOUNDS.len()],
    sum_micros: AtomicU64,
}

/// What was counted.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) buckets: [u64; BOUNDS.len()],
    pub(super) sum_micros: u64,
}

impl Histogram {
    pub(super) fn new() -> Self {
        Self { buckets: array::from_fn(|_| AtomicU64::new(0)), sum_micros: AtomicU64::new(0) }
    }

    pub(super) fn note(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_MICROS.iter().take_while(|bound| micros > **bound).count();
        if let Some(bucket) = self.buckets.get(bucket) {
            bucket.fetch_add(1, Relaxed);
        }
        self.sum_micros.fetch_add(micros, Relaxed);
    }

    pub(super) fn counts(&self) -> Counts {
        let buckets = array::from_fn(|at| self.buckets.get(at).map_or(0, |n| n.load(Relaxed)));
        Counts { buckets, sum_micros: self.sum_micros.load(Relaxed) }
    }
}

impl Counts {
    pub(super) fn add(&mut self, other: &Self) {
        self.buckets.iter_mut().zip(other.buckets).for_each(|(all, more)| *all += more);
        self.sum_micros += other.sum_micros;
    }

    pub(super) fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    pub(super) fn sum_seconds(&self) -> f64 {
        Duration::from_micros(self.sum_micros).as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_in_the_first_bucket_that_it_does_not_exceed() {
        let histogram = Histogram::new();
        for micros in [0, 1_000, 1_001, 9_999_999, 10_000_000, 10_000_001] {
            histogram.note(Duration::from_micros(micros));
        }
        let counts = histogram.counts();
        assert_eq!(counts.buckets, [2, 1, 0, 0, 0, 0, 2, 1]);
        assert_eq!((counts.count(), counts.sum_micros), (6, 30_002_001));
        for (bound, micros) in BOUNDS.into_iter().zip(BOUNDS_MICROS) {
            assert_eq!(Duration::from_micros(micros), Duration::from_secs_f64(bound));
        }
    }
}
