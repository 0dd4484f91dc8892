//! A better hash for whoever signs in (`--rehash-cost`).

use tracing::{info, warn};

use super::Auth;
use super::credentials::Password;
use super::hash_kind::HashKind;
use super::passwords::Turn;
use super::refusal::Refusal;
use crate::accounts::account::Account;
use crate::database::cause;

/// The cost of the hash to write in place of `hash`; `None` where that one will do.
///
/// Never lower than what was there.
fn better_cost(hash: &str, wanted: u32) -> Option<u32> {
    let cost = HashKind::of(Some(hash)).cost()?;
    (cost < wanted || !hash.starts_with("$2b$")).then_some(cost.max(wanted))
}

impl Auth {
    /// Replaces the hash of an account that has just signed in with `password`, where that is
    /// wanted and the hash is cheaper, or of another version; nobody waits for it. While another is
    /// under way this one is left for the next sign-in.
    ///
    /// What somebody else writes meanwhile stays.
    pub(super) fn rehash(&self, account: &Account, password: Password) {
        let (Some(wanted), Some(old)) = (self.settings.rehash_cost, &account.password_hash) else {
            return;
        };
        let Some(cost) = better_cost(old, wanted) else { return };
        let Some(turn) = self.passwords.spare_turn() else { return };
        let (this, account, old) = (self.clone(), account.clone(), old.clone());
        self.database.start(async move {
            let written = this.write_hash(turn, &account, password, (&old, cost)).await;
            let id = account.id.as_value();
            match written {
                Ok(true) => info!(user.id = id, cost, "password hashed anew"),
                Ok(false) => {}
                Err(error) => warn!(user.id = id, cause = cause(&error), "not hashed anew"),
            }
        });
    }

    async fn write_hash(
        &self,
        turn: Turn,
        account: &Account,
        password: Password,
        (old, cost): (&str, u32),
    ) -> Result<bool, Refusal> {
        let new = turn.hash(password, Some(cost)).await?;
        let connection = self.database.connection();
        Ok(self.accounts.replace_hash(connection, account, (old, &new)).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$2b$10$bsEj3iWiUAC607D2MGlcy.Dr1wnUPx2ayJNxxU/uBGfgVnjg83WN2";

    #[test]
    fn a_hash_is_replaced_where_it_is_cheaper_or_of_another_version() {
        assert_eq!(better_cost(HASH, 12), Some(12));
        assert_eq!(better_cost(HASH, 10), None);
        assert_eq!(better_cost(&HASH.replace("$10$", "$13$"), 12), None);
        assert_eq!(better_cost(&HASH.replace("$2b$", "$2y$"), 10), Some(10));
        assert_eq!(better_cost(&HASH.replace("$2b$10$", "$2a$13$"), 12), Some(13));
        assert_eq!(better_cost("$argon2id$", 12), None);
    }
}
