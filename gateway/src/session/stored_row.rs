//! A row of the table of sessions, as it was read.

use chrono::{DateTime, Utc};
use sea_orm::{DbErr, QueryResult};

use crate::database::dialect;

/// A row as far as it can be read: on SQLite any column can hold anything.
pub(super) struct StoredRow {
    pub(super) sid: String,
    /// `None` is no end.
    pub(super) expires: Result<Option<DateTime<Utc>>, DbErr>,
    pub(super) data: Result<Option<String>, DbErr>,
    /// `None` when nobody can tell.
    pub(super) updated: Option<DateTime<Utc>>,
}

impl StoredRow {
    /// In the order of its fields.
    pub(super) fn read(row: &QueryResult) -> Result<Self, DbErr> {
        Ok(Self {
            sid: row.try_get_by(0)?,
            expires: row.try_get_by(1),
            data: row.try_get_by(2),
            updated: row.try_get_by(3).ok().flatten().filter(|time| *time < dialect::last_day()),
        })
    }
}
