//! Accepting connections, and ending well.

mod accept_failures;
mod arrival;
pub mod connection;
mod holder;
pub mod listen_at;
mod listener;
pub mod listeners;
mod socket_file;
mod tcp_sockets;
pub mod worker;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use self::listeners::Listeners;
use self::socket_file::SocketFile;
use self::worker::WorkerSettings;
use crate::error::StartError;
use crate::ops::drain::Drain;

/// The running workers.
#[derive(Debug)]
pub struct Server {
    addresses: Vec<SocketAddr>,
    /// Removed at the end.
    files: Vec<SocketFile>,
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
        let (sockets, files) = listeners.into_parts();
        for (number, listeners) in sockets.into_iter().enumerate() {
            workers.push(worker::start(number, listeners, settings.clone(), drain.clone())?);
        }
        Ok(Self { addresses, files, drain, workers })
    }

    /// Where connections are accepted.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The files at which connections are accepted.
    pub fn socket_paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(SocketFile::path)
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
