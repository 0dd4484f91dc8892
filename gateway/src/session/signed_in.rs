//! Who is signed in, for somebody who develops.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::Sessions;
use super::resolve::read_live;
use super::user_key::{Named, StoredUser};
use crate::database::DatabaseError;

/// Rows that are read at most: in development there are a handful.
const MOST: u64 = 1000;

/// Who is signed in, as far as was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SignedIn {
    /// How many sessions are of each account, by its address.
    pub sessions: BTreeMap<String, u64>,
    /// Sessions of nobody.
    pub guests: u64,
    /// Whether there may be more rows than were read.
    pub is_sample: bool,
}

impl Sessions {
    /// Reads who is signed in at this moment; accounts that are gone are nobody.
    pub async fn signed_in(&self, now: DateTime<Utc>) -> Result<SignedIn, DatabaseError> {
        let this = self.clone();
        self.database.run_long(async move { this.read_signed_in(now).await }).await
    }

    async fn read_signed_in(&self, now: DateTime<Utc>) -> Result<SignedIn, DatabaseError> {
        let connection = self.database.connection();
        let rows = self.table.page(connection, None, MOST).await?;
        let mut found = SignedIn { is_sample: rows.len() as u64 == MOST, ..SignedIn::default() };
        let mut all: Vec<Named> = Vec::new();
        for row in rows {
            // One that is damaged is told of where it is presented.
            let Ok(Some(live)) = read_live(row, &self.settings.user_key, now) else { continue };
            match live.record.user {
                StoredUser::Named(named) => all.push(named),
                StoredUser::Nobody | StoredUser::Foreign(_) => found.guests += 1,
            }
        }
        let keys: Vec<_> = all.iter().map(Named::key).collect();
        for account in self.accounts.find_each(connection, &keys).await? {
            match account {
                Some(account) => *found.sessions.entry(account.email).or_default() += 1,
                None => found.guests += 1,
            }
        }
        Ok(found)
    }
}
