//! bcrypt, as Node's bcrypt has it, and never more of it than the machine can bear.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::credentials::Password;
use super::refusal::Refusal;

/// What the Express server used, and so what it verifies as fast as it did.
const COST: u32 = 10;

/// Spent where there is no hash to verify; no password of anybody's.
const DUMMY: &str = "$2b$10$bsEj3iWiUAC607D2MGlcy.Dr1wnUPx2ayJNxxU/uBGfgVnjg83WN2";

/// Longest wait for a turn, before a visitor is asked to come again.
const TURN_TIMEOUT: Duration = Duration::from_secs(3);

/// Hashes and verifies passwords on threads of the runtime that calls it, a few at once.
#[derive(Debug, Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
}

impl Passwords {
    /// At most `concurrent` at once; the others wait for their turn.
    pub fn new(concurrent: usize) -> Self {
        Self { turns: Arc::new(Semaphore::new(concurrent)) }
    }

    /// Waits for a turn. Whoever needs the database, too, waits first and asks it then: a burst of
    /// sign-ins would else hold its connections ahead of everybody's sessions.
    pub(super) async fn turn(&self) -> Result<Turn, Refusal> {
        let turn = timeout(TURN_TIMEOUT, Arc::clone(&self.turns).acquire_owned());
        let Ok(Ok(permit)) = turn.await else { return Err(Refusal::Busy) };
        Ok(Turn { _permit: permit })
    }
}

/// The right to hash or verify one password.
#[derive(Debug)]
pub(super) struct Turn {
    _permit: OwnedSemaphorePermit,
}

impl Turn {
    /// A `$2b$` hash of at most the first 72 bytes.
    pub(super) async fn hash(self, password: Password) -> Result<String, Refusal> {
        #[expect(clippy::disallowed_methods, reason = "in its turn, on a thread that may block")]
        let hashed = self.spend(move || bcrypt::hash(password.0, COST)).await?;
        hashed.map_err(|error| Refusal::Database(sea_orm::DbErr::Custom(error.to_string())))
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
        self.spend(move || match to_verify(hash.as_deref()) {
            Spent::Theirs(hash) => verify(&password, hash),
            Spent::Dummy(hash) => {
                verify(&password, hash);
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

/// The hash that a verification spends its time on.
#[derive(Debug, PartialEq, Eq)]
enum Spent<'a> {
    /// The account's own.
    Theirs(&'a str),
    /// One of the same cost; whatever comes out, it is no match.
    Dummy(&'a str),
}

fn to_verify(hash: Option<&str>) -> Spent<'_> {
    hash.filter(|hash| is_known_to_node(hash)).map_or(Spent::Dummy(DUMMY), Spent::Theirs)
}

#[expect(clippy::disallowed_methods, reason = "in its turn, on a thread that may block")]
fn verify(password: &Password, hash: &str) -> bool {
    bcrypt::verify(&password.0, hash).unwrap_or(false)
}

/// Node refuses `$2y$` and whatever is no bcrypt hash.
fn is_known_to_node(hash: &str) -> bool {
    let is_version = hash.starts_with("$2a$") || hash.starts_with("$2b$");
    is_version && hash.parse::<bcrypt::HashParts>().is_ok_and(|parts| parts.get_cost() >= 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password(text.to_owned())
    }

    #[track_caller]
    fn check(text: &str, hash: &str, matches: bool) {
        let known = is_known_to_node(hash);
        assert_eq!(known && verify(&password(text), hash), matches, "{hash}");
    }

    #[test]
    fn a_hash_of_node_verifies() {
        check("pw", DUMMY, true);
        check("pw", &DUMMY.replace("$2b$", "$2a$"), true);
        check("pW", DUMMY, false);
    }

    /// As in Node's bcrypt; registration refuses a NUL for it.
    #[test]
    fn a_nul_counts_and_a_repetition_does_not() {
        check("pw\0", DUMMY, false);
        check("pw\0x", DUMMY, false);
        check("pw\0pw", DUMMY, true);
    }

    #[test]
    fn what_node_refuses_is_no_match() {
        check("pw", &DUMMY.replace("$2b$", "$2y$"), false);
        check("pw", &DUMMY.replace("$2b$", "$2x$"), false);
        for hash in
            ["", "pw", "$2b$10$", "$2b$03$bsEj3iWiUAC607D2MGlcy.Dr1wnUPx2ayJNxxU/uBGfgVnjg83WN2"]
        {
            check("pw", hash, false);
        }
    }

    #[tokio::test]
    async fn a_hash_is_one_that_express_verifies_and_cuts_at_72_bytes() {
        let passwords = Passwords::new(1);
        let hash = passwords.turn().await.unwrap().hash(password(&"x".repeat(72))).await.unwrap();
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
        let passwords = Passwords::new(1);
        assert!(!passwords.turn().await.unwrap().verify(password("pw"), None).await.unwrap());
    }

    #[test]
    fn an_unknown_account_costs_what_a_known_one_does() {
        assert_eq!(to_verify(Some(DUMMY)), Spent::Theirs(DUMMY));
        for hash in [None, Some(""), Some("$2y$")] {
            assert_eq!(to_verify(hash), Spent::Dummy(DUMMY));
        }
        assert!(DUMMY.starts_with(&format!("$2b${COST}$")), "the dummy has the cost of new hashes");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_too_long_is_asked_to_come_again() {
        let passwords = Passwords::new(1);
        let _turn = passwords.turn().await.unwrap();
        assert!(matches!(passwords.turn().await, Err(Refusal::Busy)));
    }
}
