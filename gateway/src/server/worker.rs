//! A worker: one thread, one runtime, its own listeners and its own pool of upstream connections,
//! so that a request never changes threads.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use http::uri::Authority;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tracing::{debug, warn};

use super::accept_failures::AcceptFailures;
use super::connection::{self, ConnectionLimits};
use crate::error::StartError;
use crate::gateway::{Downstream, Gateway, Services};
use crate::ops::drain::Drain;
use crate::ops::open_connection::OpenConnection;
use crate::proxy::routing::{PathRoutes, Target};
use crate::proxy::upstream::{Upstream, UpstreamLimits};

/// Rest after a failed accept: the system is out of file descriptors or memory, and asking again
/// at once would only burn the processor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What every worker is made from.
#[derive(Debug)]
pub struct WorkerSettings {
    /// The rooms behind the gateway, shared by all workers.
    pub services: Services,
    /// Where Next.js and the other upstreams answer.
    pub routes: PathRoutes<Target<Address>>,
    /// Bounds on waiting for them.
    pub upstream_limits: UpstreamLimits,
    /// Bounds on waiting for clients.
    pub connection_limits: ConnectionLimits,
}

/// Where an upstream answers; `None` before it does.
pub type Address = watch::Receiver<Option<Authority>>;

/// Starts a worker's thread.
pub(super) fn start(
    number: usize,
    listeners: Vec<std::net::TcpListener>,
    settings: Arc<WorkerSettings>,
    drain: Drain,
) -> Result<JoinHandle<()>, StartError> {
    let failed = |source| StartError::System { what: "a worker", source };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let listeners = register(&runtime, listeners)?;
    let queued = drain.connection();
    let work = move || {
        runtime.block_on(work(listeners, settings, drain, queued));
        runtime.shutdown_background(); // A name look-up cannot be cut, so it is not waited for.
    };
    thread::Builder::new().name(format!("worker-{number}")).spawn(work).map_err(failed)
}

fn register(
    runtime: &Runtime,
    listeners: Vec<std::net::TcpListener>,
) -> Result<Vec<TcpListener>, StartError> {
    let _entered = runtime.enter();
    let registered: io::Result<_> = listeners.into_iter().map(TcpListener::from_std).collect();
    registered.map_err(|source| StartError::System { what: "a listener", source })
}

/// Serves until the drain has ended; what is unfinished then is dropped with the runtime.
async fn work(
    listeners: Vec<TcpListener>,
    settings: Arc<WorkerSettings>,
    drain: Drain,
    queued: Arc<OpenConnection>,
) {
    let routes = upstreams(&settings);
    let gateway = Gateway::new(settings.services.clone(), routes);
    let worker =
        Arc::new(Worker { gateway, drain: drain.clone(), limits: settings.connection_limits });
    for listener in listeners {
        tokio::spawn(accept(worker.clone(), listener, queued.clone()));
    }
    drop(queued);
    drain.ended().await;
}

/// One [`Upstream`] for each address, however many routes lead to it.
fn upstreams(settings: &WorkerSettings) -> PathRoutes<Target<Arc<Upstream>>> {
    let mut made: Vec<(&Address, Arc<Upstream>)> = Vec::new();
    settings.routes.map(|target| {
        let address = &target.upstream;
        let known = made.iter().find(|(other, _)| other.same_channel(address));
        let upstream = known.map_or_else(
            || Arc::new(Upstream::new(address.clone(), settings.upstream_limits)),
            |(_, upstream)| upstream.clone(),
        );
        made.push((address, upstream.clone()));
        target.to(upstream)
    })
}

struct Worker {
    gateway: Gateway,
    drain: Drain,
    limits: ConnectionLimits,
}

/// Accepts connections until the drain begins, and then those that the system has queued, for which
/// `_queued` stands in the count of what is open; then the listener closes.
async fn accept(worker: Arc<Worker>, listener: TcpListener, _queued: Arc<OpenConnection>) {
    let mut failures = AcceptFailures::default();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = worker.drain.begun() => break,
        };
        match accepted {
            Ok((stream, client)) => worker.serve(stream, client),
            Err(error) => {
                if let Some(failures) = failures.note(Instant::now()) {
                    warn!(cause = %error, failures, "cannot accept connections");
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    if let Err(error) = worker.accept_queued(listener) {
        warn!(cause = %error, "cannot accept the last connections");
    }
}

impl Worker {
    /// Serves a connection in a task of its own.
    fn serve(self: &Arc<Self>, stream: TcpStream, client: SocketAddr) {
        // Counted from here on, and not from when the task first runs.
        let connection = self.drain.connection();
        match prepare(&stream) {
            Ok(local) => {
                let downstream = Downstream { client, local, connection };
                tokio::spawn(self.clone().serve_one(stream, downstream));
            }
            Err(error) => debug!(cause = %error, "a client was gone before it was served"),
        }
    }

    async fn serve_one(self: Arc<Self>, stream: TcpStream, downstream: Downstream) {
        let (open, drain) = (downstream.connection.clone(), self.drain.clone());
        let handle = |request, running| self.gateway.handle(request, running, &downstream);
        connection::serve(stream, open, drain, self.limits, handle).await;
    }

    /// Serves what waits in the system's queue, which closing the listener would reset.
    fn accept_queued(self: &Arc<Self>, listener: TcpListener) -> io::Result<()> {
        let listener = listener.into_std()?; // Asks the system itself, and not what tokio last saw.
        loop {
            match listener.accept() {
                Ok((stream, client)) => {
                    stream.set_nonblocking(true)?;
                    self.serve(TcpStream::from_std(stream)?, client);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn prepare(stream: &TcpStream) -> io::Result<SocketAddr> {
    stream.set_nodelay(true)?; // Stream pieces are small and must not wait for more.
    stream.local_addr()
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;

    use super::*;

    #[test]
    fn a_worker_does_not_start_with_a_listener_that_cannot_be_watched() {
        // No system watches plain files.
        let file = OwnedFd::from(tempfile::tempfile().unwrap());
        let listener = std::net::TcpListener::from(file);
        listener.set_nonblocking(true).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let error = register(&runtime, vec![listener]).unwrap_err().to_string();
        assert!(error.contains("a listener"), "{error}");
    }
}
