//! How many there are of what one machine bears so many of, of everybody's and of each client's.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use foldhash::fast::RandomState;

use super::client_network::ClientNetwork;

/// What only whoever is nobody's client may have over the total, so that health checks of this machine
/// and its network come through.
const RESERVED: usize = 16;

/// How large a crowd may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrowdLimits {
    /// In total.
    pub total: usize,
    /// Of one client.
    pub per_client: usize,
}

type Counts = HashMap<ClientNetwork, usize, RandomState>;

/// All that is open of one kind, on every worker.
#[derive(Debug)]
pub struct Crowd {
    what: &'static str,
    limits: CrowdLimits,
    open: AtomicUsize,
    turned_away_in_total: AtomicU64,
    turned_away_of_client: AtomicU64,
    /// Of the clients that have any, so that it grows no larger than `open`.
    clients: Mutex<Counts>,
}

/// How many there are and were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrowdStats {
    /// At this moment.
    pub open: u64,
    /// At most.
    pub most: u64,
    /// Those that were too many in total.
    pub turned_away_in_total: u64,
    /// Those that were too many of their client.
    pub turned_away_of_client: u64,
}

/// Why one more is not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Crowded {
    /// There are too many in total.
    #[error("there are {most} {what} already")]
    Total {
        /// The limit.
        most: usize,
        /// Of what.
        what: &'static str,
    },
    /// There are too many of its client.
    #[error(
        "{client} has {most} {what} already; if it is a proxy with clients behind it, name it in \
         --trusted-proxies"
    )]
    Client {
        /// Whose.
        client: ClientNetwork,
        /// The limit.
        most: usize,
        /// Of what.
        what: &'static str,
    },
}

impl Crowd {
    /// Nobody yet; `what` tells the operator what is counted.
    pub fn new(what: &'static str, limits: CrowdLimits) -> Arc<Self> {
        Arc::new(Self {
            what,
            limits,
            open: AtomicUsize::new(0),
            turned_away_in_total: AtomicU64::new(0),
            turned_away_of_client: AtomicU64::new(0),
            clients: Mutex::default(),
        })
    }

    /// Counts one more until the place is given up; `client` is who has come, where that is a client.
    pub fn enter(self: &Arc<Self>, client: Option<ClientNetwork>) -> Result<Place, Crowded> {
        let most = self.limits.total;
        let admitted = if client.is_some() { most } else { most.saturating_add(RESERVED) };
        let before = self.open.fetch_add(1, Ordering::Relaxed);
        let place = Place { crowd: self.clone(), client: OnceLock::new() };
        if before < admitted { Ok(place) } else { Err(self.turn_away_in_total()) }
    }

    /// Counts one more of whom it is known already.
    pub fn enter_as(self: &Arc<Self>, client: Option<ClientNetwork>) -> Result<Place, Crowded> {
        let place = self.enter(client)?;
        place.claim(client)?;
        Ok(place)
    }

    /// How many there are, and were turned away.
    pub fn stats(&self) -> CrowdStats {
        CrowdStats {
            open: self.open.load(Ordering::Relaxed) as u64,
            most: self.limits.total as u64,
            turned_away_in_total: self.turned_away_in_total.load(Ordering::Relaxed),
            turned_away_of_client: self.turned_away_of_client.load(Ordering::Relaxed),
        }
    }

    fn turn_away_in_total(&self) -> Crowded {
        self.turned_away_in_total.fetch_add(1, Ordering::Relaxed);
        Crowded::Total { most: self.limits.total, what: self.what }
    }

    fn clients(&self) -> MutexGuard<'_, Counts> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in a crowd.
#[derive(Debug)]
pub struct Place {
    crowd: Arc<Crowd>,
    client: OnceLock<ClientNetwork>,
}

impl Place {
    /// Counts it as `client`'s, once it is known who that is.
    pub fn claim(&self, client: Option<ClientNetwork>) -> Result<(), Crowded> {
        let Some(client) = client else { return Ok(()) };
        let CrowdLimits { total, per_client: most } = self.crowd.limits;
        // What is reserved is for nobody's clients, and not for those whom a proxy introduces.
        if self.crowd.open.load(Ordering::Relaxed) > total {
            return Err(self.crowd.turn_away_in_total());
        }
        let mut clients = self.crowd.clients();
        let has = clients.entry(client).or_default();
        if *has >= most {
            self.crowd.turned_away_of_client.fetch_add(1, Ordering::Relaxed);
            return Err(Crowded::Client { client, most, what: self.crowd.what });
        }
        if self.client.set(client).is_ok() {
            *has += 1;
        }
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.crowd.open.fetch_sub(1, Ordering::Relaxed);
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
        Crowd::new("guests", CrowdLimits { total: 4, per_client: 2 })
    }

    fn client(number: u8) -> ClientNetwork {
        ClientNetwork::of([203, 0, 113, number].into())
    }

    fn enter(
        crowd: &Arc<Crowd>,
        client: impl Into<Option<ClientNetwork>>,
    ) -> Result<Place, Crowded> {
        crowd.enter_as(client.into())
    }

    #[test]
    fn a_client_has_its_share_and_the_others_theirs() {
        let crowd = crowd();
        let mut first = vec![enter(&crowd, client(1)).unwrap(), enter(&crowd, client(1)).unwrap()];
        assert!(matches!(enter(&crowd, client(1)), Err(Crowded::Client { most: 2, .. })));
        let _other = enter(&crowd, client(2)).unwrap();
        first.pop();
        enter(&crowd, client(1)).unwrap();
    }

    #[test]
    fn of_a_full_house_only_whoever_is_no_client_gets_what_is_reserved() {
        let crowd = crowd();
        let all: Vec<_> = (0..4).map(|number| enter(&crowd, client(number)).unwrap()).collect();
        assert!(matches!(enter(&crowd, client(9)), Err(Crowded::Total { most: 4, .. })));
        let probes: Vec<_> = (0..RESERVED).map(|_| enter(&crowd, None).unwrap()).collect();
        assert!(matches!(enter(&crowd, None), Err(Crowded::Total { most: 4, .. })));
        drop((all, probes));
        enter(&crowd, client(9)).unwrap();
    }

    #[test]
    fn a_client_that_is_known_late_gets_nothing_of_what_is_reserved() {
        let crowd = crowd();
        let all: Vec<_> = (0..4).map(|number| enter(&crowd, client(number)).unwrap()).collect();
        let introduced = crowd.enter(None).unwrap();
        assert!(matches!(introduced.claim(Some(client(9))), Err(Crowded::Total { most: 4, .. })));
        introduced.claim(None).unwrap();
        drop(all);
        introduced.claim(Some(client(9))).unwrap();
    }

    #[test]
    fn those_who_are_turned_away_are_counted_by_why() {
        let crowd = crowd();
        let _two = [enter(&crowd, client(1)).unwrap(), enter(&crowd, client(1)).unwrap()];
        enter(&crowd, client(1)).unwrap_err();
        let _others = [enter(&crowd, client(2)).unwrap(), enter(&crowd, client(3)).unwrap()];
        enter(&crowd, client(4)).unwrap_err();
        enter(&crowd, client(5)).unwrap_err();
        let expected =
            CrowdStats { open: 4, most: 4, turned_away_in_total: 2, turned_away_of_client: 1 };
        assert_eq!(crowd.stats(), expected);
    }

    #[test]
    fn nobody_is_remembered_who_has_left() {
        let crowd = crowd();
        for number in 0..=255 {
            drop(enter(&crowd, client(number)));
        }
        assert!(crowd.clients().is_empty());
        assert_eq!(crowd.open.load(Ordering::Relaxed), 0);
    }
}
