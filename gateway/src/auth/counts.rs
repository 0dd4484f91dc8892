//! The counts of attempts to sign in, and what they are counted by.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use tokio::time::Instant;

use super::buckets::{Buckets, micros};
use super::in_flight::InFlight;
use super::moments::{Micros, Moments};
use super::passwords::TURN_TIMEOUT;
use super::refusal::Refusal;
use super::throttle::ThrottleSettings;

/// How much looser the limits are that hold for more than one client with one account: for all
/// clients with one account, for one client with all accounts, and for its registrations.
const LOOSER: u32 = 10;

/// How long a client that signed in to an account is remembered as one that may.
const KNOWN: Duration = Duration::from_hours(30 * 24);

/// The buckets of this process, and who is known.
#[derive(Debug)]
pub(super) struct Counts {
    /// Of this process alone, so that nobody can choose keys that meet, and the memory holds no
    /// addresses.
    pub(super) keys: RandomState,
    began: Instant,
    /// One client with one account.
    pub(super) pairs: Buckets,
    /// An account, with all clients that it does not know.
    accounts: Buckets,
    /// A client, with all accounts that do not know it.
    clients: Buckets,
    pub(super) registrations: Buckets,
    /// What the buckets hold that may be given back in a moment.
    pub(super) in_flight: InFlight,
    /// Until when an account knows a client, which nobody else's failures then lock out.
    known: Moments,
}

/// Where an attempt is counted: the client with the account, the client, the account.
pub(super) type Keys = [Option<u64>; 3];

impl Counts {
    pub(super) fn new(ThrottleSettings { attempts, window }: ThrottleSettings) -> Self {
        let loose = || Buckets::new(attempts.saturating_mul(LOOSER), window);
        Self {
            keys: RandomState::new(),
            began: Instant::now(),
            pairs: Buckets::new(attempts, window),
            accounts: loose(),
            clients: loose(),
            registrations: loose(),
            in_flight: InFlight::default(),
            known: Moments::new(),
        }
    }

    /// Never zero, which is the moment of whom nobody knows.
    pub(super) fn now(&self) -> Micros {
        micros(self.began.elapsed()).saturating_add(1)
    }

    /// Spellings of an address that sign in to one account, in a column of any kind, are one: `CITEXT`
    /// ignores the case of every letter, and `CHAR` spaces at the end. That some are one which are two
    /// accounts leaves only less to guess.
    pub(super) fn account(&self, email: &str) -> u64 {
        let small = |letter: char| letter.to_lowercase().next();
        let folded: String = email.trim_end_matches(' ').chars().filter_map(small).collect();
        self.keys.hash_one(folded)
    }

    /// What an attempt is counted in, in the order of its keys, and what that is called.
    fn buckets(&self) -> [(&Buckets, &'static str); 3] {
        [
            (&self.pairs, "failures of this client with the account"),
            (&self.clients, "failures of this client"),
            (&self.accounts, "failures with the account"),
        ]
    }

    pub(super) fn take(&self, keys: Keys, now: Micros) -> Result<(), Refusal> {
        for (index, (key, (buckets, what))) in keys.into_iter().zip(self.buckets()).enumerate() {
            let taken = key.map_or(Ok(()), |key| buckets.take(key, now));
            if let Err(wait) = taken {
                self.give_back(keys.into_iter().take(index));
                let may_be_free_soon = key.is_some_and(|key| self.in_flight.has_any(key));
                let wait = if may_be_free_soon { wait.min(TURN_TIMEOUT) } else { wait };
                return Err(Refusal::Throttled { what, wait });
            }
        }
        Ok(())
    }

    pub(super) fn give_back(&self, keys: impl IntoIterator<Item = Option<u64>>) {
        for (key, (buckets, _)) in keys.into_iter().zip(self.buckets()) {
            if let Some(key) = key {
                buckets.give_back(key);
            }
        }
    }

    pub(super) fn knows(&self, pair: u64, now: Micros) -> bool {
        self.known.change(pair, |until| *until > now).unwrap_or(false)
    }

    pub(super) fn remember(&self, pair: u64) {
        let until = self.now().saturating_add(micros(KNOWN));
        self.known.change(pair, |moment| *moment = until);
    }
}
