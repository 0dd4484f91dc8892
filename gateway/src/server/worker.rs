//! A worker: one thread, one runtime, its own listeners and its own pool of upstream connections,
//! so that a request never changes threads.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use http::uri::Scheme;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tracing::{debug, warn};

use super::accept_failures::AcceptFailures;
use super::arrival::{self, Refusals, Refused};
use super::connection::{self, ConnectionLimits};
use super::descriptors::{CURE_OF_SHORTAGE, Spare, is_short};
use super::in_time::in_time;
use super::listener::{Listener, Unwatched, prepare};
use super::tls::Tls;
use super::turned_away::TurnedAway;
use crate::downstream::crowd::{Crowd, Crowded};
use crate::downstream::front::{Front, ProxyProtocol};
use crate::downstream::peer::Source;
use crate::error::StartError;
use crate::gateway::{Downstream, Gateway, Services};
use crate::ops::access_log::head_refused;
use crate::ops::drain::Drain;
use crate::ops::metrics::Metrics;
use crate::ops::metrics::worker::WorkerMetrics;
use crate::ops::open_connection::OpenConnection;
use crate::proxy::losses::LossesByAddress;
use crate::proxy::routing::{PathRoutes, Target};
use crate::proxy::socket::Socket;
use crate::proxy::upstream::{Upstream, UpstreamLimits};
use crate::proxy::upstream_address::UpstreamAddress;

/// Rest after a failed accept: the system is out of file descriptors or memory, and asking again
/// at once would only burn the processor.
pub(super) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

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
    /// What TLS is spoken with, if it is.
    pub tls: Option<Arc<Tls>>,
    /// Where each worker counts.
    pub metrics: Metrics,
    /// How often each upstream went away.
    pub losses: LossesByAddress,
}

/// Where an upstream answers; `None` before it does.
pub type Address = watch::Receiver<Option<UpstreamAddress>>;

/// Starts a worker's thread.
pub(super) fn start(
    number: usize,
    listeners: Vec<Unwatched>,
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

fn register(runtime: &Runtime, listeners: Vec<Unwatched>) -> Result<Vec<Listener>, StartError> {
    let _entered = runtime.enter();
    let registered: io::Result<_> = listeners.into_iter().map(Listener::watch).collect();
    registered.map_err(|source| StartError::System { what: "a listener", source })
}

/// Serves until the drain has ended; what is unfinished then is dropped with the runtime.
async fn work(
    listeners: Vec<Listener>,
    settings: Arc<WorkerSettings>,
    drain: Drain,
    queued: Arc<OpenConnection>,
) {
    let metrics = settings.metrics.worker();
    let routes = upstreams(&settings, &drain, &metrics);
    let gateway = Gateway::new(settings.services.clone(), routes, metrics.clone());
    let worker = Arc::new(Worker {
        gateway,
        metrics,
        front: settings.services.front.clone(),
        crowd: settings.services.crowds.connections.clone(),
        away: TurnedAway::default(),
        refused: Refusals::default(),
        tls: settings.tls.clone(),
        drain: drain.clone(),
        limits: settings.connection_limits,
    });
    for listener in listeners {
        tokio::spawn(accept(worker.clone(), listener, queued.clone()));
    }
    drop(queued);
    drain.ended().await;
}

/// One [`Upstream`] for each address, however many routes lead to it.
fn upstreams(
    settings: &WorkerSettings,
    drain: &Drain,
    metrics: &Arc<WorkerMetrics>,
) -> PathRoutes<Target<Arc<Upstream>>> {
    let mut made: Vec<(&Address, Arc<Upstream>)> = Vec::new();
    settings.routes.map(|target| {
        let address = &target.upstream;
        let known = made.iter().find(|(other, _)| other.same_channel(address));
        let upstream = known.map_or_else(
            || {
                let (address, limits) = (address.clone(), settings.upstream_limits);
                let (losses, drain) = (settings.losses.of(&address), drain.clone());
                let upstream = Upstream::new(address, limits, drain, losses, metrics.clone());
                let upstream = Arc::new(upstream);
                let watched = Arc::downgrade(&upstream);
                settings.metrics.add_source(move |samples| {
                    if let Some(upstream) = watched.upgrade() {
                        upstream.add(samples);
                    }
                });
                upstream
            },
            |(_, upstream)| upstream.clone(),
        );
        made.push((address, upstream.clone()));
        target.to(upstream)
    })
}

struct Worker {
    gateway: Gateway,
    metrics: Arc<WorkerMetrics>,
    front: Arc<Front>,
    crowd: Arc<Crowd>,
    away: TurnedAway,
    refused: Refusals,
    tls: Option<Arc<Tls>>,
    drain: Drain,
    limits: ConnectionLimits,
}

/// Accepts connections until the drain begins, and then those that the system has queued, for which
/// `_queued` stands in the count of what is open; then the listener closes.
async fn accept(worker: Arc<Worker>, listener: Listener, _queued: Arc<OpenConnection>) {
    let (mut failures, mut spare) = (AcceptFailures::default(), Spare::new());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = worker.drain.begun() => break,
        };
        match accepted {
            Ok((socket, source)) => worker.serve(socket, source),
            Err(error) => {
                if let Some(failures) = failures.note(Instant::now()) {
                    let cure = if is_short(&error) { CURE_OF_SHORTAGE } else { "" };
                    warn!(cause = %error, failures, "cannot accept connections{cure}");
                }
                if is_short(&error) {
                    spare.turn_away(&listener, &worker.scheme());
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
    fn serve(self: &Arc<Self>, socket: Socket, source: Source) {
        let peer = self.front.trusted.peer(source);
        let place = match arrival::place_of(peer, &self.front, &self.crowd) {
            Ok(place) => Arc::new(place),
            Err(crowded) => return self.turn_away(socket, &self.scheme(), crowded),
        };
        self.metrics.accepted();
        // Counted from here on, and not from when the task first runs.
        let connection = self.drain.connection();
        match prepare(&socket) {
            Ok(local) => {
                let scheme = self.scheme();
                let downstream = Downstream { peer, scheme, local, connection, place };
                tokio::spawn(self.clone().serve_one(socket, downstream));
            }
            Err(error) => debug!(cause = %error, "a client was gone before it was served"),
        }
    }

    /// What is spoken at every listener.
    fn scheme(&self) -> Scheme {
        if self.tls.is_some() { Scheme::HTTPS } else { Scheme::HTTP }
    }

    fn turn_away(&self, socket: Socket, scheme: &Scheme, crowded: Crowded) {
        self.refused.tell(&crowded.into());
        self.away.tell(socket, scheme);
    }

    async fn serve_one(self: Arc<Self>, mut socket: Socket, mut downstream: Downstream) {
        let (open, drain) = (downstream.connection.clone(), self.drain.clone());
        if self.front.proxy_protocol == ProxyProtocol::Required {
            let arriving = arrival::peer_behind(&mut socket, downstream.peer, &self.front);
            let limit = self.limits.request_head;
            let arrived = in_time(arriving, &open, &drain, limit).await;
            match arrived.unwrap_or(Err(Refused::Silent(limit))) {
                Ok(peer) => downstream.peer = peer,
                Err(refused) => return self.refused.tell(&refused),
            }
            let client = self.front.counted(downstream.peer.address, downstream.peer);
            if let Err(crowded) = downstream.place.claim(client) {
                return self.turn_away(socket, &downstream.scheme, crowded);
            }
        }
        let (tls, limits) = (self.tls.clone(), self.limits);
        let client = Arc::new((self, downstream));
        let handle = |request, running| {
            let client = client.clone();
            async move { client.0.gateway.handle(request, running, &client.1).await }
        };
        match connection::serve(socket, tls.as_deref(), open, drain, limits, handle).await {
            Ok(()) => {}
            // Nothing that is read later is a head, and what a body holds its own line tells.
            Err(error) if error.is_parse() => head_refused(client.1.peer.address, &error),
            Err(error) => debug!(cause = %error, "a connection ended"),
        }
    }

    /// Serves what waits in the system's queue, which closing the listener would reset.
    fn accept_queued(self: &Arc<Self>, listener: Listener) -> io::Result<()> {
        let listener = listener.unwatch()?; // Asks the system itself, and not what tokio last saw.
        loop {
            match listener.accept() {
                Ok((socket, source)) => self.serve(socket, source),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => return Err(error),
            }
        }
    }
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
        let error = register(&runtime, vec![Unwatched::Tcp(listener)]).unwrap_err().to_string();
        assert!(error.contains("a listener"), "{error}");
    }
}
