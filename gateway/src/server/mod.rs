//! Accepting connections, and ending well.

mod accept_failures;
pub mod connection;
mod holder;
pub mod listeners;
pub mod worker;

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use self::listeners::Listeners;
use self::worker::WorkerSettings;
use crate::error::StartError;
use crate::ops::drain::Drain;

/// The running workers.
#[derive(Debug)]
pub struct Server {
    addresses: Vec<SocketAddr>,
    drain: Drain,
    workers: Vec<JoinHandle<()>>,
}

impl Server {
    /// Starts one worker for each set of `listeners`.
    pub fn start(
        listeners: Listeners,
        settings: WorkerSettings,
        drain: Drain,
    ) -> Result<Self, StartError> {
        let addresses = listeners.addresses().to_vec();
        let settings = Arc::new(settings);
        let mut workers = Vec::new();
        for (number, listeners) in listeners.into_workers().into_iter().enumerate() {
            workers.push(worker::start(number, listeners, settings.clone(), drain.clone())?);
        }
        Ok(Self { addresses, drain, workers })
    }

    /// Where connections are accepted.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Accepts nothing more, lets run what runs for at most `limit` (upgrades and event streams
    /// for at most `grace`), then cuts the rest.
    pub async fn stop(self, limit: Duration, grace: Duration) {
        self.drain.run(limit, grace).await;
        let joined = tokio::task::spawn_blocking(move || {
            for worker in self.workers {
                if worker.join().is_err() {
                    tracing::error!("a worker had panicked");
                }
            }
        });
        if let Err(error) = joined.await {
            tracing::error!(cause = %error, "the workers could not be waited for");
        }
    }
}
