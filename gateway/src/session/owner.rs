//! Whose a live session is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use sea_orm::ConnectionTrait;
use tracing::warn;

use super::user_key::{StoredUser, UserKey, UserShape};
use crate::accounts::Accounts;
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
            None => {
                named.shape_without(accounts).map_or(Owner::Gone, |shape| self.report(key, shape))
            }
        })
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
