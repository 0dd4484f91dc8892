//! The table of sessions gone through page by page, and no row altered.

use std::mem::take;

use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;

use super::id::SessionId;
use super::record::Damaged;
use super::resolve::{Live, read_live};
use super::store::SessionTable;
use super::user_key::UserKey;
use crate::database::DatabaseError;

/// Rows read at a time: some megabytes at most, whatever the table holds.
pub(super) const PAGE: u64 = 1000;

/// A row that was come by.
pub(super) struct Passed {
    pub(super) id: SessionId,
    /// `None` when its time is over.
    pub(super) live: Result<Option<Live>, Damaged>,
}

/// A way through the rows in the order of their ids, which stands at one of them.
pub(super) struct Walk<'a> {
    table: &'a SessionTable,
    key: &'a UserKey,
    now: DateTime<Utc>,
    last: Option<String>,
}

impl<'a> Walk<'a> {
    pub(super) fn through(table: &'a SessionTable, key: &'a UserKey, now: DateTime<Utc>) -> Self {
        Self { table, key, now, last: None }
    }

    /// The next rows, `limit` at most; none at the end of the table.
    pub(super) async fn next(
        &mut self,
        connection: &impl ConnectionTrait,
        limit: u64,
    ) -> Result<Vec<Passed>, DatabaseError> {
        let rows = self.table.page(connection, self.last.as_deref(), limit).await?;
        if let Some(end) = rows.last() {
            self.last = Some(end.sid.clone());
        }
        let passed = rows.into_iter().map(|mut row| Passed {
            id: SessionId::stored(take(&mut row.sid)),
            live: read_live(row, self.key, self.now),
        });
        Ok(passed.collect())
    }
}
