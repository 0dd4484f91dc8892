//! The beginning of a connection: its place, and who is behind it (`--proxy-protocol`).

use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::{debug, warn};

use super::accept_failures::AcceptFailures;
use crate::downstream::crowd::{Crowd, Crowded, Place};
use crate::downstream::front::{Front, NotTrusted};
use crate::downstream::peer::Peer;
use crate::downstream::proxy_protocol;
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

/// A place for who has connected. Whose a connection is that a proxy introduces is claimed when its
/// beginning has come.
pub(super) fn place_of(peer: Peer, front: &Front, crowd: &Arc<Crowd>) -> Result<Place, Crowded> {
    let client = front.counted(peer.address, peer);
    let place = crowd.enter(client)?;
    if !front.is_introduced_by(peer) {
        place.claim(client)?;
    }
    Ok(place)
}

/// Who is behind the connection of `direct`, as the header at its beginning says.
pub(super) async fn peer_behind(
    socket: &mut Socket,
    direct: Peer,
    front: &Front,
) -> Result<Peer, Refused> {
    let header = proxy_protocol::read(socket).await.map_err(|error| match error.kind() {
        ErrorKind::InvalidData => Refused::NoHeader(error),
        _ => Refused::Ended,
    })?;
    Ok(front.peer_behind(direct, header)?)
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
