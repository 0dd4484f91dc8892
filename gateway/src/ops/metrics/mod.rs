//! Numbers for Prometheus. Families are declared in [`families`]; whoever has numbers registers a
//! source, which is asked at each scrape, so that nobody pays for what is not read.

mod encode;
pub mod families;
mod histogram;
pub mod labels;
mod process;
mod samples;
mod status;
pub mod worker;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use self::encode::Exposition;
pub use self::samples::Samples;
use self::worker::WorkerMetrics;

type Source = Box<dyn Fn(&mut Samples) + Send + Sync>;

/// All that is counted in this process. Clones are the same.
#[derive(Clone, Default)]
pub struct Metrics(Arc<Shared>);

#[derive(Default)]
struct Shared {
    workers: Mutex<Vec<Arc<WorkerMetrics>>>,
    sources: Mutex<Vec<Source>>,
}

impl Metrics {
    /// Nothing is counted yet but what this process is and uses.
    pub fn of_process() -> Self {
        process::started();
        let metrics = Self::default();
        metrics.add_source(process::add);
        metrics
    }

    /// The counters of one more worker.
    pub fn worker(&self) -> Arc<WorkerMetrics> {
        let worker = Arc::new(WorkerMetrics::new());
        lock(&self.0.workers).push(worker.clone());
        worker
    }

    /// Asks `source` at each scrape; it must not wait. What several say of the same labels is added
    /// up.
    pub fn add_source(&self, source: impl Fn(&mut Samples) + Send + Sync + 'static) {
        lock(&self.0.sources).push(Box::new(source));
    }

    /// Asks everybody. Reads files of the system's, so it is not for a runtime's thread.
    pub fn scrape(&self) -> Samples {
        let mut samples = Samples::default();
        for worker in &*lock(&self.0.workers) {
            worker.add(&mut samples);
        }
        for source in &*lock(&self.0.sources) {
            source(&mut samples);
        }
        samples
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
