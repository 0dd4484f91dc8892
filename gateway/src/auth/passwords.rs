//! bcrypt, as Node's bcrypt has it, and never more of it than the machine can bear.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tracing::warn;

use super::credentials::Password;
use super::hash::{Spent, prevailing_cost, verify};
use super::refusal::Refusal;
use crate::accounts::Accounts;
use crate::database::{self, Database};

/// What the Express server used, where the site's accounts do not say otherwise; less is written
/// nowhere.
pub(super) const COST: u32 = 10;

/// How many of the newest accounts are asked what a hash of this site costs.
const ASKED: u64 = 1000;

/// Longest wait for a turn, before a visitor is asked to come again.
pub(super) const TURN_TIMEOUT: Duration = Duration::from_secs(3);

/// Hashes and verifies passwords on threads of the runtime that calls it, a few at once.
#[derive(Debug, Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    /// One more, for what nobody waits for.
    spare: Arc<Semaphore>,
    /// The logarithm of the rounds that a hash of this site takes.
    cost: u32,
}

impl Passwords {
    /// At most `concurrent` at once; the others wait for their turn.
    ///
    /// What is spent on an unknown account, and on a new one, is what most of `accounts` cost when
    /// this is called, so that the clock tells none of the three apart. A client's sign-in never
    /// changes it.
    pub async fn of_site(concurrent: usize, database: &Database, accounts: &Accounts) -> Self {
        let (connection, accounts) = (database.connection().clone(), accounts.clone());
        let asking = async move { accounts.newest_hashes(&connection, ASKED).await };
        let hashes = database.run(asking).await.unwrap_or_else(|error| {
            warn!(cause = database::cause(&error), "what passwords cost here is not known");
            Vec::new()
        });
        Self::new(concurrent, prevailing_cost(&hashes).unwrap_or(COST))
    }

    fn new(concurrent: usize, cost: u32) -> Self {
        let [turns, spare] = [concurrent, 1].map(|turns| Arc::new(Semaphore::new(turns)));
        Self { turns, spare, cost }
    }

    /// Waits for a turn. Whoever needs the database, too, waits first and asks it then: a burst of
    /// sign-ins would else hold its connections ahead of everybody's sessions.
    pub(super) async fn turn(&self) -> Result<Turn, Refusal> {
        let turn = timeout(TURN_TIMEOUT, Arc::clone(&self.turns).acquire_owned());
        let Ok(Ok(permit)) = turn.await else { return Err(Refusal::Busy) };
        Ok(Turn { cost: self.cost, _permit: permit })
    }

    /// A turn beside everybody's, one at a time: a costly hash for later must keep no visitor
    /// waiting now.
    pub(super) fn spare_turn(&self) -> Option<Turn> {
        let permit = Arc::clone(&self.spare).try_acquire_owned().ok()?;
        Some(Turn { cost: self.cost, _permit: permit })
    }
}

/// The right to hash or verify one password.
#[derive(Debug)]
pub(super) struct Turn {
    cost: u32,
    _permit: OwnedSemaphorePermit,
}

impl Turn {
    /// A `$2b$` hash of at most the first 72 bytes, of the site's usual cost or `least`, whichever is
    /// higher.
    pub(super) async fn hash(
        self,
        password: Password,
        least: Option<u32>,
    ) -> Result<String, Refusal> {
        let cost = self.cost.max(least.unwrap_or(COST)).max(COST);
        #[expect(clippy::disallowed_methods, reason = "in its turn, on a thread that may block")]
        let hashed = self.spend(move || bcrypt::hash(password.0, cost)).await?;
        hashed.map_err(|_| Refusal::Busy)
    }

    /// Whether the password is the one that was hashed.
    ///
    /// Takes its time also where there is no account, or a hash that Node would not know, so that
    /// nobody learns from the clock which addresses have accounts.
    pub(super) async fn verify(
        self,
        password: Password,
        hash: Option<String>,
    ) -> Result<bool, Refusal> {
        let spent = Spent::on(hash, self.cost);
        self.spend(move || match spent {
            Spent::Theirs(hash) => verify(&password, &hash),
            Spent::Dummy(hash) => {
                verify(&password, &hash);
                false
            }
        })
        .await
    }

    async fn spend<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let working = spawn_blocking(move || {
            let outcome = work();
            drop(self); // With the work and not with the caller, who may be gone long before.
            outcome
        });
        working.await.map_err(|_| Refusal::Busy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password(text.to_owned())
    }

    #[tokio::test]
    async fn a_hash_is_one_that_express_verifies_and_cuts_at_72_bytes() {
        let passwords = Passwords::new(1, COST);
        let hash =
            passwords.turn().await.unwrap().hash(password(&"x".repeat(72)), None).await.unwrap();
        assert!(hash.starts_with("$2b$10$"));
        let verify = async |text: String| {
            let turn = passwords.turn().await.unwrap();
            turn.verify(password(&text), Some(hash.clone())).await.unwrap()
        };
        assert!(verify("x".repeat(80)).await);
        assert!(!verify("x".repeat(71)).await);
    }

    #[tokio::test]
    async fn no_password_matches_where_there_is_no_hash() {
        let passwords = Passwords::new(1, COST);
        assert!(!passwords.turn().await.unwrap().verify(password("pw"), None).await.unwrap());
    }

    #[tokio::test]
    async fn a_new_hash_costs_what_the_others_do_and_never_less_than_expresss() {
        for (usual, new) in [(4, "$2b$10$"), (11, "$2b$11$")] {
            let turn = Passwords::new(1, usual).turn().await.unwrap();
            assert!(turn.hash(password("pw"), None).await.unwrap().starts_with(new));
        }
    }

    #[tokio::test]
    async fn the_spare_turn_is_one_and_takes_nobodys() {
        let passwords = Passwords::new(1, COST);
        let spare = passwords.spare_turn().unwrap();
        let turn = passwords.turn().await.unwrap();
        assert!(passwords.spare_turn().is_none());
        drop(spare);
        assert!(passwords.spare_turn().is_some(), "whoever has a turn");
        drop(turn);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_too_long_is_asked_to_come_again() {
        let passwords = Passwords::new(1, COST);
        let _turn = passwords.turn().await.unwrap();
        assert!(matches!(passwords.turn().await, Err(Refusal::Busy)));
    }
}
