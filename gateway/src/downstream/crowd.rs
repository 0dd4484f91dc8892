//! How many connections there are, of everybody and of each client.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::client_network::ClientNetwork;

/// Connections over the total that only whoever is nobody's client may have, so that health checks
/// of this machine and its network come through.
const RESERVED: usize = 16;

/// How much of a crowd is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrowdLimits {
    /// Connections in total.
    pub connections: usize,
    /// Connections of one client.
    pub connections_per_client: usize,
}

/// The connections of all workers.
#[derive(Debug)]
pub struct Crowd {
    limits: CrowdLimits,
    connections: AtomicUsize,
    /// Of the clients that have any, so that it grows no larger than `connections`.
    clients: Mutex<HashMap<ClientNetwork, usize>>,
}

/// Why a connection is not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Crowded {
    /// There are too many in total.
    #[error("there are {0} connections already (--max-connections)")]
    Total(usize),
    /// There are too many of its client.
    #[error(
        "a client has {0} connections already (--max-connections-per-client; a proxy with clients \
         behind it belongs in --trusted-proxies)"
    )]
    Client(usize),
}

impl Crowd {
    /// Nobody yet.
    pub fn new(limits: CrowdLimits) -> Arc<Self> {
        let (connections, clients) = (AtomicUsize::new(0), Mutex::default());
        Arc::new(Self { limits, connections, clients })
    }

    /// Counts a connection until the place is given up; `client` is who has connected, where that is
    /// a client.
    pub fn enter(self: &Arc<Self>, client: Option<ClientNetwork>) -> Result<Place, Crowded> {
        let most = self.limits.connections;
        let admitted = if client.is_some() { most } else { most.saturating_add(RESERVED) };
        let before = self.connections.fetch_add(1, Ordering::Relaxed);
        let place = Place { crowd: self.clone(), client: OnceLock::new() };
        if before < admitted { Ok(place) } else { Err(Crowded::Total(most)) }
    }

    fn clients(&self) -> MutexGuard<'_, HashMap<ClientNetwork, usize>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection's place among the others.
#[derive(Debug)]
pub struct Place {
    crowd: Arc<Crowd>,
    client: OnceLock<ClientNetwork>,
}

impl Place {
    /// Counts the connection as one of `client`, once it is known who that is.
    pub fn claim(&self, client: Option<ClientNetwork>) -> Result<(), Crowded> {
        let Some(client) = client else { return Ok(()) };
        let most = self.crowd.limits.connections_per_client;
        let mut clients = self.crowd.clients();
        let has = clients.entry(client).or_default();
        if *has >= most {
            return Err(Crowded::Client(most));
        }
        if self.client.set(client).is_ok() {
            *has += 1;
        }
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.crowd.connections.fetch_sub(1, Ordering::Relaxed);
        let Some(client) = self.client.take() else { return };
        if let Entry::Occupied(mut has) = self.crowd.clients().entry(client) {
            *has.get_mut() -= 1;
            if *has.get() == 0 {
                has.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crowd() -> Arc<Crowd> {
        Crowd::new(CrowdLimits { connections: 4, connections_per_client: 2 })
    }

    fn client(number: u8) -> ClientNetwork {
        ClientNetwork::of([203, 0, 113, number].into())
    }

    fn enter(
        crowd: &Arc<Crowd>,
        client: impl Into<Option<ClientNetwork>>,
    ) -> Result<Place, Crowded> {
        let client = client.into();
        let place = crowd.enter(client)?;
        place.claim(client)?;
        Ok(place)
    }

    #[test]
    fn a_client_has_its_share_and_the_others_theirs() {
        let crowd = crowd();
        let mut first = vec![enter(&crowd, client(1)).unwrap(), enter(&crowd, client(1)).unwrap()];
        assert_eq!(enter(&crowd, client(1)).unwrap_err(), Crowded::Client(2));
        let _other = enter(&crowd, client(2)).unwrap();
        first.pop();
        enter(&crowd, client(1)).unwrap();
    }

    #[test]
    fn of_a_full_house_only_whoever_is_no_client_gets_what_is_reserved() {
        let crowd = crowd();
        let all: Vec<_> = (0..4).map(|number| enter(&crowd, client(number)).unwrap()).collect();
        assert_eq!(enter(&crowd, client(9)).unwrap_err(), Crowded::Total(4));
        let probes: Vec<_> = (0..RESERVED).map(|_| enter(&crowd, None).unwrap()).collect();
        assert_eq!(enter(&crowd, None).unwrap_err(), Crowded::Total(4));
        drop((all, probes));
        enter(&crowd, client(9)).unwrap();
    }

    #[test]
    fn nobody_is_remembered_who_has_left() {
        let crowd = crowd();
        for number in 0..=255 {
            drop(enter(&crowd, client(number)));
        }
        assert!(crowd.clients().is_empty());
        assert_eq!(crowd.connections.load(Ordering::Relaxed), 0);
    }
}
