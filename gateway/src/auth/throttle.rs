//! How often somebody may fail to sign in, and how often register.

use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

use super::counts::{Counts, Keys};
use super::refusal::Refusal;
use crate::downstream::client_network::ClientNetwork;

/// `--sign-in-attempts` and `--sign-in-window`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThrottleSettings {
    /// Failures that one client may have with one account.
    pub attempts: u32,
    /// In this time.
    pub window: Duration,
}

impl Default for ThrottleSettings {
    fn default() -> Self {
        Self { attempts: 10, window: Duration::from_mins(15) }
    }
}

/// Counts failed sign-ins and registrations, in this process. Clones are the same.
///
/// Each count is a bucket that drains steadily: whoever has filled it may try again as soon as one
/// attempt has drained, so nobody is locked out for good, and what is refused fills nothing.
/// Accounts are counted by the address as it was typed, before anybody knows whether there is one, and
/// attempts before anybody knows whether they fail: many at once are no more guesses than one by one.
#[derive(Debug, Clone)]
pub(super) struct Throttle(Option<Arc<Counts>>);

/// A sign-in that has been counted as a failure for now; under way until it is dropped.
#[derive(Debug)]
pub(super) struct Attempt {
    counts: Option<Arc<Counts>>,
    keys: Keys,
}

impl Throttle {
    pub(super) fn new(settings: Option<ThrottleSettings>) -> Self {
        Self(settings.map(|settings| Arc::new(Counts::new(settings))))
    }

    /// Counts an attempt to sign in to the account of `email`, or refuses it.
    ///
    /// Where `client` may be many people (`None`) only the account is counted.
    pub(super) fn sign_in(
        &self,
        email: &str,
        client: Option<ClientNetwork>,
    ) -> Result<Attempt, Refusal> {
        let Some(counts) = &self.0 else {
            return Ok(Attempt { counts: None, keys: [None; 3] });
        };
        let now = counts.now();
        let account = counts.account(email);
        let pair = client.map(|client| counts.keys.hash_one((account, client)));
        let keys = if pair.is_some_and(|pair| counts.knows(pair, now)) {
            [pair, None, None]
        } else {
            [pair, client.map(|client| counts.keys.hash_one(client)), Some(account)]
        };
        counts.take(keys, now)?;
        keys.into_iter().flatten().for_each(|key| counts.in_flight.begin(key));
        Ok(Attempt { counts: Some(counts.clone()), keys })
    }

    /// Counts a registration, or refuses it.
    pub(super) fn register(&self, client: Option<ClientNetwork>) -> Result<(), Refusal> {
        let (Some(counts), Some(client)) = (&self.0, client) else { return Ok(()) };
        let key = counts.keys.hash_one(client);
        let taken = counts.registrations.take(key, counts.now());
        taken.map_err(|wait| Refusal::Throttled { what: "registrations of this client", wait })
    }

    /// Notes that `client` may sign in to the account of `email`.
    pub(super) fn remember(&self, email: &str, client: Option<ClientNetwork>) {
        if let (Some(counts), Some(client)) = (&self.0, client) {
            counts.remember(counts.keys.hash_one((counts.account(email), client)));
        }
    }
}

impl Attempt {
    /// Corrects the count by what came of the attempt: a right password empties the client's bucket
    /// of the account, which knows it from now on; where none was looked at nothing is counted.
    pub(super) fn settle(&self, refusal: Option<&Refusal>) {
        let Some(counts) = &self.counts else { return };
        match refusal {
            None => {
                counts.give_back(self.keys);
                if let [Some(pair), ..] = self.keys {
                    counts.pairs.empty(pair);
                    counts.remember(pair);
                }
            }
            Some(Refusal::Busy | Refusal::Database(_)) => counts.give_back(self.keys),
            Some(_) => {}
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if let Some(counts) = &self.counts {
            self.keys.into_iter().flatten().for_each(|key| counts.in_flight.end(key));
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::super::passwords::TURN_TIMEOUT;
    use super::*;

    const WINDOW: Duration = Duration::from_mins(15);

    fn throttle() -> Throttle {
        Throttle::new(Some(ThrottleSettings::default()))
    }

    fn client(number: u32) -> ClientNetwork {
        ClientNetwork::of(std::net::Ipv4Addr::from_bits(0xcb00_0000 + number).into())
    }

    /// How many of `attempts` failures are let through.
    fn fail(
        throttle: &Throttle,
        email: &str,
        from: impl Into<Option<ClientNetwork>> + Copy,
        attempts: u32,
    ) -> u32 {
        let refused = |_: &u32| throttle.sign_in(email, from.into()).is_ok();
        u32::try_from((0..attempts).filter(refused).count()).unwrap()
    }

    fn settle_as_wrong(attempts: Vec<Attempt>) {
        for attempt in attempts {
            attempt.settle(Some(&Refusal::NoMatch));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_may_fail_ten_times_with_an_account_and_then_once_in_a_tenth_of_the_window() {
        let throttle = throttle();
        assert_eq!(fail(&throttle, "ada@example.org", client(1), 1000), 10);
        let refused = throttle.sign_in("Ada@Example.org", Some(client(1))).unwrap_err();
        let Refusal::Throttled { wait, .. } = refused else { panic!("{refused}") };
        assert_eq!(wait, WINDOW / 10);
        advance(wait).await;
        assert_eq!(fail(&throttle, "ada@example.org", client(1), 1000), 1);
        advance(WINDOW).await;
        assert_eq!(fail(&throttle, "ada@example.org", client(1), 1000), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn one_client_fails_a_hundred_times_with_all_accounts_and_an_account_with_all_clients() {
        let throttle = throttle();
        let accounts = (0..1000).map(|number| format!("{number}@example.org"));
        let stuffed: u32 = accounts.map(|email| fail(&throttle, &email, client(1), 1)).sum();
        assert_eq!(stuffed, 100);
        let clients = 2..1000;
        let spread: u32 = clients.map(|n| fail(&throttle, "ada@example.org", client(n), 1)).sum();
        assert_eq!(spread, 100);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_signed_in_before_is_not_locked_out_by_others() {
        let throttle = throttle();
        throttle.sign_in("ada@example.org", Some(client(1))).unwrap().settle(None);
        for attacker in 2..100 {
            fail(&throttle, "ada@example.org", client(attacker), 10);
        }
        assert!(throttle.sign_in("ada@example.org", Some(client(200))).is_err());
        assert_eq!(fail(&throttle, "ada@example.org", client(1), 1000), 10, "nor for ever let in");
    }

    #[tokio::test(start_paused = true)]
    async fn a_right_password_empties_its_own_bucket_and_no_other() {
        let throttle = throttle();
        for own in 0..1000 {
            fail(&throttle, &format!("{own}@example.org"), client(1), 1);
            if let Ok(attempt) = throttle.sign_in("mallory@example.org", Some(client(1))) {
                attempt.settle(None);
            }
        }
        assert_eq!(fail(&throttle, "ada@example.org", client(1), 10), 0, "client's failures stay");
        fail(&throttle, "ada@example.org", client(2), 9);
        throttle.sign_in("ada@example.org", Some(client(2))).unwrap().settle(None);
        assert_eq!(fail(&throttle, "ada@example.org", client(2), 100), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_comes_while_attempts_are_under_way_is_asked_to_come_again_in_a_moment() {
        let throttle = throttle();
        let sign_in = |from| throttle.sign_in("ada@example.org", Some(client(from)));
        let wait = |refused: Result<Attempt, Refusal>| match refused.unwrap_err() {
            Refusal::Throttled { wait, .. } => wait,
            other => panic!("{other}"),
        };
        let mut under_way: Vec<_> = (0..10).map(|_| sign_in(1).unwrap()).collect();
        assert_eq!(wait(sign_in(1)), TURN_TIMEOUT);
        let right = under_way.pop().unwrap();
        right.settle(None);
        drop(right);
        assert!(sign_in(1).is_ok(), "one was right");
        let wrong: Vec<_> = (0..10).map(|_| sign_in(2).unwrap()).collect();
        settle_as_wrong(wrong);
        assert_eq!(wait(sign_in(2)), WINDOW / 10, "all were wrong");
    }

    #[tokio::test(start_paused = true)]
    async fn guesses_at_once_are_no_more_than_one_by_one() {
        let throttle = throttle();
        let guess = |_: &u32| throttle.sign_in("ada@example.org", Some(client(1))).ok();
        let at_once: Vec<_> = (0..1000).filter_map(|number| guess(&number)).collect();
        assert_eq!(at_once.len(), 10);
        settle_as_wrong(at_once);
        assert_eq!(fail(&throttle, "ada@example.org", client(1), 1000), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn no_spelling_of_an_address_is_guessed_at_apart() {
        let throttle = throttle();
        assert_eq!(fail(&throttle, "οδοσi@example.org", client(1), 10), 10);
        for spelling in ["ΟΔΟΣI@Example.Org", "οδοσİ@example.org", "οδοσi@example.org  "]
        {
            assert_eq!(fail(&throttle, spelling, client(1), 1), 0, "{spelling:?}");
        }
        assert_eq!(fail(&throttle, "οδος@example.org", client(1), 1), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_refused_or_not_looked_at_counts_nowhere() {
        let throttle = throttle();
        for _ in 0..100 {
            throttle
                .sign_in("ada@example.org", Some(client(1)))
                .unwrap()
                .settle(Some(&Refusal::Busy));
        }
        fail(&throttle, "ada@example.org", client(1), 1000);
        assert_eq!(fail(&throttle, "ada@example.org", client(2), 10), 10);
        assert_eq!(fail(&throttle, "bob@example.org", client(1), 10), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_may_be_many_is_counted_with_the_account_alone() {
        let throttle = throttle();
        assert_eq!(fail(&throttle, "ada@example.org", None, 1000), 100);
        assert_eq!(fail(&throttle, "bob@example.org", None, 10), 10);
        assert!((0..1000).all(|_| throttle.register(None).is_ok()));
        assert_eq!((0..1000).filter(|_| throttle.register(Some(client(1))).is_ok()).count(), 100);
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_clients_does_not_free_an_account_that_is_under_attack() {
        let throttle = throttle();
        assert_eq!(fail(&throttle, "ada@example.org", None, 1000), 100);
        for number in 0..100_000 {
            let flood = throttle.sign_in(&format!("{number}@example.org"), Some(client(number)));
            assert!(flood.is_ok());
        }
        assert_eq!(fail(&throttle, "ada@example.org", client(1), 1), 0);
    }

    #[tokio::test]
    async fn off_counts_nothing() {
        assert_eq!(fail(&Throttle::new(None), "ada@example.org", client(1), 1000), 1000);
    }
}
