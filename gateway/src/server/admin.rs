//! The listener of `--admin`, apart from those of clients and on the main runtime: it answers when
//! workers are busy, and takes nothing from them.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tracing::debug;

use super::listener::Listener;
use super::listeners::Listeners;
use super::socket_file::SocketFile;
use super::worker::ACCEPT_PAUSE;
use crate::error::StartError;
use crate::ops::admin::Admin;
use crate::ops::drain::Drain;
use crate::proxy::socket::Socket;

/// Connections at once; more wait in the system's queue.
const CONNECTIONS: usize = 32;

/// Longest life of a connection, each of which is for one request.
const LIMIT: Duration = Duration::from_secs(15);

/// Longest head that is read, in bytes.
const HEAD: usize = 16 * 1024;

/// The running listener.
#[derive(Debug)]
pub struct AdminServer {
    addresses: Vec<SocketAddr>,
    /// Removed at the end.
    files: Vec<SocketFile>,
}

impl AdminServer {
    /// Answers on all `listeners` until the drain has ended; must be called on a runtime.
    pub fn start(listeners: Listeners, admin: Admin, drain: Drain) -> Result<Self, StartError> {
        let addresses = listeners.addresses().to_vec();
        let (sockets, files) = listeners.into_parts();
        let serving =
            Arc::new(Serving { admin, places: Arc::new(Semaphore::new(CONNECTIONS)), drain });
        for listener in sockets.into_iter().flatten() {
            let failed = |source| StartError::System { what: "a listener", source };
            let listener = Listener::watch(listener).map_err(failed)?;
            tokio::spawn(serving.clone().accept(listener));
        }
        Ok(Self { addresses, files })
    }

    /// Where connections are accepted.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The files at which connections are accepted.
    pub fn socket_paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(SocketFile::path)
    }
}

struct Serving {
    admin: Admin,
    places: Arc<Semaphore>,
    drain: Drain,
}

impl Serving {
    /// Goes on during the drain, of which somebody may want to know.
    async fn accept(self: Arc<Self>, listener: Listener) {
        loop {
            let accepting = async {
                let Ok(place) = self.places.clone().acquire_owned().await else { return None };
                Some((listener.accept().await, place))
            };
            let accepted = tokio::select! {
                accepted = accepting => accepted,
                () = self.drain.ended() => return,
            };
            match accepted {
                Some((Ok((socket, _)), place)) => {
                    tokio::spawn(self.clone().serve(socket, place));
                }
                Some((Err(error), _)) => {
                    debug!(cause = %error, "cannot accept a connection to --admin");
                    sleep(ACCEPT_PAUSE).await;
                }
                None => return,
            }
        }
    }

    async fn serve(self: Arc<Self>, socket: Socket, _place: OwnedSemaphorePermit) {
        let service = service_fn(async |request: Request<Incoming>| {
            Ok::<_, Infallible>(self.admin.answer(&request.into_parts().0).await)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .keep_alive(false)
            .max_buf_size(HEAD)
            .serve_connection(TokioIo::new(socket), service);
        match timeout(LIMIT, connection).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => debug!(cause = %error, "a connection to --admin ended"),
            Err(_) => debug!("a client of --admin let the gateway wait too long"),
        }
    }
}
