//! Accepting connections, and ending well.

mod accept_failures;
pub mod admin;
mod arrival;
pub mod certificates;
pub mod client_stream;
pub mod connection;
pub mod descriptors;
mod end_watch;
mod first_bytes;
pub(crate) mod holder;
mod http1;
pub mod http2;
mod in_time;
pub mod listen_at;
mod listener;
pub mod listeners;
mod redirect;
mod socket_file;
mod tcp_sockets;
pub mod tls;
mod tls_reload;
mod turned_away;
pub mod worker;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tracing::info;

use self::listeners::Listeners;
use self::redirect::Redirect;
use self::socket_file::SocketFile;
use self::tls::Tls;
use self::tls_reload::keep_fresh;
use self::worker::WorkerSettings;
use crate::downstream::crowd::Crowd;
use crate::downstream::front::Front;
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

    /// Sends browsers that come in plain HTTP to `listeners` to the first address of this server,
    /// or to the site's own, where `front` knows it; each connection has its place in `crowd`, and may
    /// last `limit`.
    pub fn redirect_from(
        &self,
        listeners: Listeners,
        front: Arc<Front>,
        crowd: Arc<Crowd>,
        limit: Duration,
    ) -> Result<(), StartError> {
        let https_port = self.addresses.first().map_or(443, SocketAddr::port);
        for address in listeners.addresses() {
            info!("sending browsers from http://{address} to port {https_port}");
        }
        Redirect::new(front, crowd, https_port, self.drain.clone(), limit).start(listeners)
    }

    /// Reads the certificates of `tls` again when their files have changed, looking each `pause`,
    /// and on SIGHUP.
    pub fn keep_certificates_fresh(
        &self,
        tls: Arc<Tls>,
        pause: Duration,
    ) -> Result<(), StartError> {
        let hang_up = signal(SignalKind::hangup())
            .map_err(|source| StartError::System { what: "signal handling", source })?;
        let drain = self.drain.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = keep_fresh(tls, pause, hang_up) => {}
                () = drain.ended() => {}
            }
        });
        Ok(())
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
