//! The table of sessions: every statement the gateway sends about it.

use std::fmt;

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Alias, DynIden, Expr, ExprTrait, IntoIden, Query, SimpleExpr};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult};

use super::id::SessionId;
use crate::database::dialect::{self, moment, within_calendar};
use crate::entity::session::Column;

const COLUMNS: [Column; 5] =
    [Column::Sid, Column::Expires, Column::Data, Column::CreatedAt, Column::UpdatedAt];

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
    /// In the order of [`Self::read`].
    fn columns(backend: DbBackend) -> [SimpleExpr; 4] {
        [
            Expr::col(Column::Sid),
            within_calendar(backend, Column::Expires),
            Expr::col(Column::Data),
            within_calendar(backend, Column::UpdatedAt),
        ]
    }

    fn read(row: &QueryResult) -> Result<Self, DbErr> {
        Ok(Self {
            sid: row.try_get_by(0)?,
            expires: row.try_get_by(1),
            data: row.try_get_by(2),
            updated: row.try_get_by(3).ok().flatten().filter(|time| *time < dialect::last_day()),
        })
    }
}

/// The table, whatever the site calls it.
#[derive(Clone)]
pub(super) struct SessionTable(DynIden);

impl fmt::Debug for SessionTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionTable({})", self.0.inner())
    }
}

impl SessionTable {
    pub(super) fn new(name: &str) -> Self {
        Self(Alias::new(name).into_iden())
    }

    /// The rows of `ids`, live or not, in no order.
    ///
    /// `expires` is not asked for in SQL but looked at by whoever reads the row: on SQLite
    /// Sequelize's spelling of a time compares wrongly, and a rule in one place is a rule.
    pub(super) async fn find(
        &self,
        connection: &impl ConnectionTrait,
        ids: &[SessionId],
    ) -> Result<Vec<StoredRow>, DbErr> {
        let select = Query::select()
            .exprs(StoredRow::columns(connection.get_database_backend()))
            .from(self.0.clone())
            .and_where(is_one_of(ids))
            .to_owned();
        let rows = connection.query_all(&select).await?;
        rows.iter().map(StoredRow::read).collect()
    }

    /// Writes the row of a session that begins now.
    pub(super) async fn insert(
        &self,
        connection: &impl ConnectionTrait,
        id: &SessionId,
        data: String,
        expires: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let values = [
            Expr::val(id.as_str()),
            Expr::val(expires),
            Expr::val(data),
            Expr::val(now),
            Expr::val(now),
        ];
        let mut insert = Query::insert().into_table(self.0.clone()).columns(COLUMNS).to_owned();
        insert.values(values).map_err(|error| DbErr::Custom(error.to_string()))?;
        connection.execute(&insert).await?;
        Ok(())
    }

    /// Removes the rows of `ids`, and tells what was in them at that very moment; as
    /// [`Self::find`].
    pub(super) async fn take(
        &self,
        connection: &impl ConnectionTrait,
        ids: &[SessionId],
    ) -> Result<Vec<StoredRow>, DbErr> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let columns = StoredRow::columns(connection.get_database_backend());
        let delete = Query::delete()
            .from_table(self.0.clone())
            .and_where(is_one_of(ids))
            .returning(Query::returning().exprs(columns))
            .to_owned();
        let rows = connection.query_all(&delete).await?;
        rows.iter().map(StoredRow::read).collect()
    }

    /// Removes the rows of `ids`; a row that is not there is no failure.
    pub(super) async fn delete(
        &self,
        connection: &impl ConnectionTrait,
        ids: &[SessionId],
    ) -> Result<(), DbErr> {
        if !ids.is_empty() {
            let table = self.0.clone();
            let delete = Query::delete().from_table(table).and_where(is_one_of(ids)).to_owned();
            connection.execute(&delete).await?;
        }
        Ok(())
    }

    /// Moves the end of a row that nobody wrote since it was last written at `updated`, as far as
    /// that is known.
    ///
    /// Never brings a row back: one that is gone stays gone.
    pub(super) async fn touch(
        &self,
        connection: &impl ConnectionTrait,
        id: &SessionId,
        updated: Option<DateTime<Utc>>,
        expires: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let backend = connection.get_database_backend();
        let last = moment(backend, Expr::col(Column::UpdatedAt));
        let is_unwritten = updated.map(|updated| last.lte(moment(backend, Expr::val(updated))));
        let update = Query::update()
            .table(self.0.clone())
            .value(Column::Expires, expires)
            .value(Column::UpdatedAt, now)
            .and_where(Expr::col(Column::Sid).eq(id.as_str()))
            .and_where_option(is_unwritten)
            .to_owned();
        connection.execute(&update).await?;
        Ok(())
    }

    /// Replaces a row's text, unless it is gone or another was written since: then nothing,
    /// `false`.
    pub(super) async fn renew(
        &self,
        connection: &impl ConnectionTrait,
        id: &SessionId,
        (old, new): (&str, &str),
        expires: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<bool, DbErr> {
        let update = Query::update()
            .table(self.0.clone())
            .value(Column::Expires, expires)
            .value(Column::Data, new)
            .value(Column::UpdatedAt, now)
            .and_where(Expr::col(Column::Sid).eq(id.as_str()))
            .and_where(Expr::col(Column::Data).eq(old))
            .to_owned();
        Ok(connection.execute(&update).await?.rows_affected() > 0)
    }

    /// Removes at most `count` rows that ended before `now`, and tells how many there were.
    pub(super) async fn delete_expired(
        &self,
        connection: &impl ConnectionTrait,
        now: DateTime<Utc>,
        count: u64,
    ) -> Result<u64, DbErr> {
        let backend = connection.get_database_backend();
        let is_over =
            moment(backend, Expr::col(Column::Expires)).lt(moment(backend, Expr::val(now)));
        let batch = Query::select()
            .column(Column::Sid)
            .from(self.0.clone())
            .and_where(is_over.clone())
            .limit(count)
            .to_owned();
        // Asked twice: a row that is touched between the two questions stays.
        let delete = Query::delete()
            .from_table(self.0.clone())
            .and_where(Expr::col(Column::Sid).in_subquery(batch))
            .and_where(is_over)
            .to_owned();
        Ok(connection.execute(&delete).await?.rows_affected())
    }
}

fn is_one_of(ids: &[SessionId]) -> SimpleExpr {
    Expr::col(Column::Sid).is_in(ids.iter().map(SessionId::as_str))
}
