//! The beginning of a connection that a proxy introduces (`--proxy-protocol`).

use std::io::{self, ErrorKind};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::{debug, warn};

use super::accept_failures::AcceptFailures;
use crate::downstream::crowd::Crowded;
use crate::downstream::front::{Front, NotTrusted};
use crate::downstream::peer::Peer;
use crate::downstream::proxy_protocol;
use crate::gateway::Downstream;
use crate::proxy::socket::Socket;

/// Why a connection is closed before its first request.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    /// It ended at once, as those of a probe do.
    #[error("it ended before its PROXY header")]
    Ended,
    #[error("no PROXY header within {0:?}")]
    Silent(Duration),
    #[error("{0}; --proxy-protocol wants one from everybody")]
    NoHeader(io::Error),
    #[error(transparent)]
    NotTrusted(#[from] NotTrusted),
    #[error(transparent)]
    Crowded(#[from] Crowded),
}

/// Who is behind the connection, as the header at its beginning says.
pub(super) async fn peer_behind(
    socket: &mut Socket,
    downstream: &Downstream,
    front: &Front,
) -> Result<Peer, Refused> {
    let header = proxy_protocol::read(socket).await.map_err(|error| match error.kind() {
        ErrorKind::InvalidData => Refused::NoHeader(error),
        _ => Refused::Ended,
    })?;
    Ok(front.peer_behind(downstream.peer, header)?)
}

/// Connections that were closed so, told without flooding the log.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<AcceptFailures>);

impl Refusals {
    pub(super) fn tell(&self, refused: &Refused) {
        if let Refused::Ended = refused {
            return debug!(cause = %refused, "a connection was closed");
        }
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connections) = failures.note(Instant::now()) {
            warn!(cause = %refused, connections, "connections were closed unserved");
        }
    }
}
