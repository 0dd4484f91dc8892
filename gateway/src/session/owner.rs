//! Whose a live session is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use sea_orm::ConnectionTrait;
use tracing::warn;

use super::user_key::{StoredUser, UserKey, UserShape};
use crate::accounts::{AccountKey, Accounts};
use crate::database::DatabaseError;
use crate::identity::Identity;

/// Whose a live session is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Owner {
    /// A guest's.
    Nobody,
    /// Told in a way that `--session-user-key` does not read: a guest's here, and left alone.
    Unread,
    /// An account's that is gone.
    Gone,
    /// This person's.
    Known(Identity),
}

/// The shapes of `passport.user` that were met and are not read, each told in the log once.
#[derive(Debug, Clone, Default)]
pub(super) struct Unread(Arc<AtomicU8>);

impl Unread {
    /// Whether this is the first of its shape.
    fn is_news(&self, shape: UserShape) -> bool {
        let bit = 1 << shape as u8;
        self.0.fetch_or(bit, Ordering::Relaxed) & bit == 0
    }

    fn report(&self, key: &UserKey, shape: UserShape) -> Owner {
        if self.is_news(shape) {
            warn!(
                "sessions whose passport.user --session-user-key {key} does not read are guests': \
                 it is {shape}: {}",
                shape.advice()
            );
        }
        Owner::Unread
    }

    /// Finds the account that a row names.
    pub(super) async fn owner_of(
        &self,
        connection: &impl ConnectionTrait,
        accounts: &Accounts,
        (key, user): (&UserKey, &StoredUser),
    ) -> Result<Owner, DatabaseError> {
        let named = match user {
            StoredUser::Nobody => return Ok(Owner::Nobody),
            StoredUser::Foreign(shape) => return Ok(self.report(key, *shape)),
            StoredUser::Named(named) => named,
        };
        Ok(match accounts.find(connection, &named.0).await? {
            Some(account) => {
                Owner::Known(Identity { id: account.id, email: account.email, name: account.name })
            }
            None if Self::is_gone(connection, accounts, &named.0).await? => Owner::Gone,
            None => self.report(key, named.other_shape()),
        })
    }

    /// Whether a name that is no account's was one, and not what another setting reads: a text may
    /// be an id as well as an address.
    async fn is_gone(
        connection: &impl ConnectionTrait,
        accounts: &Accounts,
        name: &AccountKey,
    ) -> Result<bool, DatabaseError> {
        let other = match name.clone() {
            AccountKey::Email(name) => AccountKey::Id(name),
            AccountKey::Id(name) => AccountKey::Email(name),
        };
        Ok(accounts.could_be(name) && accounts.find(connection, &other).await?.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shape_is_news_once_for_all_clones() {
        let unread = Unread::default();
        assert!(unread.is_news(UserShape::Id) && unread.is_news(UserShape::Object));
        assert!(!unread.clone().is_news(UserShape::Id) && !unread.is_news(UserShape::Object));
        assert!(unread.is_news(UserShape::Other) && unread.is_news(UserShape::Address));
    }
}
