//! Sessions as an operator lists and ends them, past every gateway that serves them.

use std::slice::from_ref;

use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;

use super::handle::{Meant, SessionHandle};
use super::id::SessionId;
use super::secrets::Secrets;
use super::store::SessionTable;
use super::user_key::{Named, StoredUser, UserKey, UserShape};
use super::walk::{PAGE, Passed, Walk};
use crate::accounts::Accounts;
use crate::accounts::account::Account;
use crate::database::layout::Layout;
use crate::database::locks::past_locks;
use crate::database::{Database, DatabaseError, dialect};

/// The table of sessions, for operators.
///
/// No column tells whose a session is, so that each question goes through all rows.
#[derive(Debug)]
pub(crate) struct SessionRecords {
    table: SessionTable,
    accounts: Accounts,
    key: UserKey,
    secrets: Option<Secrets>,
}

/// A live session, without its id.
#[derive(Debug)]
pub(crate) struct ListedSession {
    pub(crate) handle: SessionHandle,
    pub(crate) whose: Whose,
    /// When its row was last written; `None` when nobody can tell.
    pub(crate) written: Option<DateTime<Utc>>,
    /// `None` is no end.
    pub(crate) ends: Option<DateTime<Utc>>,
}

/// Whose a live session is.
#[derive(Debug)]
pub(crate) enum Whose {
    Guest,
    Known(Account),
    /// Of an account that is gone.
    Gone,
    /// Told in a way that `--session-user-key` does not read.
    Unread(UserShape),
}

impl Whose {
    pub(crate) fn known(self) -> Option<Account> {
        match self {
            Self::Known(account) => Some(account),
            Self::Guest | Self::Gone | Self::Unread(_) => None,
        }
    }
}

impl SessionRecords {
    pub(crate) fn new(
        layout: &Layout,
        accounts: Accounts,
        key: UserKey,
        secrets: Option<Secrets>,
    ) -> Self {
        Self { table: SessionTable::new(layout), accounts, key, secrets }
    }

    /// Begins to list the live sessions: those of one account, else everybody's.
    pub(crate) fn list<'a>(&'a self, of: Option<&'a Account>, now: DateTime<Utc>) -> Listing<'a> {
        Listing { records: self, of, walk: Walk::through(&self.table, &self.key, now) }
    }

    /// Removes every session of an account, and tells how many there were.
    pub(crate) async fn end_all_of(
        &self,
        database: &Database,
        account: &Account,
        now: DateTime<Utc>,
    ) -> Result<u64, DatabaseError> {
        self.end_those(database, now, |row| self.is_of(row, account)).await
    }

    /// Removes every row.
    pub(crate) async fn end_all(
        &self,
        database: &Database,
        now: DateTime<Utc>,
    ) -> Result<u64, DatabaseError> {
        self.end_those(database, now, |_| true).await
    }

    /// Removes the sessions that are `meant`, and tells how many there were of each.
    pub(crate) async fn end(
        &self,
        database: &Database,
        meant: &[Meant],
        now: DateTime<Utc>,
    ) -> Result<Vec<u64>, DatabaseError> {
        let mut ended = Vec::new();
        let mut handles = Vec::new();
        for meant in meant {
            ended.push(match meant {
                Meant::Cookie(id) => self.remove(database, from_ref(id)).await?,
                Meant::Handle(handle) => {
                    handles.push((ended.len(), *handle));
                    0
                }
            });
        }
        if handles.is_empty() {
            return Ok(ended);
        }
        let is_named = |row: &Passed| {
            let mut is_named = false;
            for (place, handle) in &handles {
                if handle.names(&row.id, self.secrets.as_ref()) {
                    ended.get_mut(*place).into_iter().for_each(|count| *count += 1);
                    is_named = true;
                }
            }
            is_named
        };
        self.end_those(database, now, is_named).await?;
        Ok(ended)
    }

    /// What a session that was typed is called in what is told of it.
    pub(crate) fn handle_of(&self, meant: &Meant) -> SessionHandle {
        match meant {
            Meant::Handle(handle) => *handle,
            Meant::Cookie(id) => SessionHandle::of(id, self.secrets.as_ref()),
        }
    }

    /// Page by page, so that no lock is held for long.
    async fn end_those(
        &self,
        database: &Database,
        now: DateTime<Utc>,
        mut is_meant: impl FnMut(&Passed) -> bool,
    ) -> Result<u64, DatabaseError> {
        let (mut walk, mut ended) = (Walk::through(&self.table, &self.key, now), 0);
        loop {
            let rows = walk.next(database.connection(), PAGE).await?;
            if rows.is_empty() {
                return Ok(ended);
            }
            let ids: Vec<_> =
                rows.into_iter().filter(|row| is_meant(row)).map(|row| row.id).collect();
            ended += self.remove(database, &ids).await?;
        }
    }

    async fn remove(&self, database: &Database, ids: &[SessionId]) -> Result<u64, DatabaseError> {
        past_locks(|| self.table.delete(database.connection(), ids)).await
    }

    fn is_of(&self, row: &Passed, account: &Account) -> bool {
        let Ok(Some(live)) = &row.live else { return false };
        match &live.record.user {
            StoredUser::Named(named) => self.accounts.are_one(named.key(), account),
            StoredUser::Nobody | StoredUser::Foreign(_) => false,
        }
    }
}

/// Live sessions, page by page.
pub(crate) struct Listing<'a> {
    records: &'a SessionRecords,
    of: Option<&'a Account>,
    walk: Walk<'a>,
}

impl Listing<'_> {
    /// Those on the next page of the table, perhaps none; `None` at its end.
    pub(crate) async fn next(
        &mut self,
        connection: &impl ConnectionTrait,
    ) -> Result<Option<Vec<ListedSession>>, DatabaseError> {
        let SessionRecords { accounts, secrets, .. } = self.records;
        let rows = self.walk.next(connection, PAGE).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        let is_asked_for =
            |row: &Passed| self.of.is_none_or(|account| self.records.is_of(row, account));
        let live: Vec<_> = rows
            .into_iter()
            .filter(is_asked_for)
            .filter_map(|row| Some((row.id, row.live.ok()??)))
            .collect();
        let named = |user: &StoredUser| match user {
            StoredUser::Named(named) => Some(named.clone()),
            StoredUser::Nobody | StoredUser::Foreign(_) => None,
        };
        let named: Vec<Named> =
            live.iter().filter_map(|(_, live)| named(&live.record.user)).collect();
        let keys: Vec<_> = named.iter().map(Named::key).collect();
        let mut found = accounts.find_each(connection, &keys).await?.into_iter();
        let listed = live.into_iter().map(|(id, live)| ListedSession {
            handle: SessionHandle::of(&id, secrets.as_ref()),
            written: live.updated,
            ends: live.expires.filter(|ends| *ends < dialect::last_day()),
            whose: match live.record.user {
                StoredUser::Nobody => Whose::Guest,
                StoredUser::Foreign(shape) => Whose::Unread(shape),
                StoredUser::Named(named) => match found.next().flatten() {
                    Some(account) => Whose::Known(account),
                    None => named.shape_without(accounts).map_or(Whose::Gone, Whose::Unread),
                },
            },
        });
        Ok(Some(listed.collect()))
    }
}
