//! The table of sessions: every statement the gateway sends about it.

pub(super) mod touch;

use std::fmt;

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{
    Alias, DynIden, Expr, ExprTrait, Func, IntoIden, Order, Query, SimpleExpr, UpdateStatement,
};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, StatementBuilder};

use super::id::SessionId;
use super::stored_row::StoredRow;
use crate::database::DatabaseError;
use crate::database::dialect::{is_text, lock_those_free, moment, waits_briefly, within_calendar};
use crate::database::kinds::{DataColumn, SidColumn, select_text};
use crate::database::layout::Layout;
use crate::entity::session::Column;

/// The table, whatever the site calls it and its columns hold.
#[derive(Clone)]
pub(super) struct SessionTable {
    table: DynIden,
    sid: SidColumn,
    data: DataColumn,
    created_at: Option<DynIden>,
    updated_at: Option<DynIden>,
    deleted_at: Option<DynIden>,
}

impl fmt::Debug for SessionTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionTable({})", self.table.inner())
    }
}

impl SessionTable {
    pub(super) fn new(layout: &Layout) -> Self {
        let iden = |name: &String| Alias::new(name).into_iden();
        Self {
            table: iden(&layout.tables.sessions),
            sid: layout.sid,
            data: layout.data,
            created_at: layout.created_at.as_ref().map(iden),
            updated_at: layout.updated_at.as_ref().map(iden),
            deleted_at: layout.session_deleted_at.as_ref().map(iden),
        }
    }

    /// In the order of [`StoredRow::read`].
    fn columns(&self, backend: DbBackend) -> [SimpleExpr; 4] {
        let updated_at = self.updated_at.clone().map_or_else(
            || Expr::val(None::<DateTime<Utc>>),
            |column| within_calendar(backend, column),
        );
        [
            select_text(Column::Sid),
            within_calendar(backend, Column::Expires),
            self.data.select(Column::Data),
            updated_at,
        ]
    }

    fn is(&self, id: &SessionId) -> SimpleExpr {
        Expr::col(Column::Sid).eq(self.sid.value(id.as_str()))
    }

    fn is_one_of(&self, ids: &[SessionId]) -> SimpleExpr {
        Expr::col(Column::Sid).is_in(ids.iter().map(|id| self.sid.value(id.as_str())))
    }

    /// What is not so, a model with `paranoid` has ended, and kept.
    fn is_not_deleted(&self) -> Option<SimpleExpr> {
        Some(Expr::col(self.deleted_at.clone()?).is_null())
    }

    fn failed(&self, error: DbErr) -> DatabaseError {
        DatabaseError::about(&self.table.inner(), error)
    }

    async fn execute(
        &self,
        connection: &impl ConnectionTrait,
        statement: &impl StatementBuilder,
    ) -> Result<ExecResult, DatabaseError> {
        connection.execute(statement).await.map_err(|error| self.failed(error))
    }

    async fn rows(
        &self,
        connection: &impl ConnectionTrait,
        statement: &impl StatementBuilder,
    ) -> Result<Vec<StoredRow>, DatabaseError> {
        let rows = connection.query_all(statement).await.map_err(|error| self.failed(error))?;
        let rows = rows.iter().map(StoredRow::read);
        rows.collect::<Result<_, _>>().map_err(|error| self.failed(error))
    }

    /// The rows of `ids`, live or not, in no order.
    ///
    /// `expires` is not asked for in SQL but looked at by whoever reads the row: on SQLite
    /// Sequelize's spelling of a time compares wrongly, and a rule in one place is a rule.
    pub(super) async fn find(
        &self,
        connection: &impl ConnectionTrait,
        ids: &[SessionId],
    ) -> Result<Vec<StoredRow>, DatabaseError> {
        let select = Query::select()
            .exprs(self.columns(connection.get_database_backend()))
            .from(self.table.clone())
            .and_where(self.is_one_of(ids))
            .and_where_option(self.is_not_deleted())
            .to_owned();
        self.rows(connection, &select).await
    }

    /// At most `limit` rows after the one with the id `last`, over or not, in the order of ids;
    /// those whose id is a text.
    pub(super) async fn page(
        &self,
        connection: &impl ConnectionTrait,
        last: Option<&str>,
        limit: u64,
    ) -> Result<Vec<StoredRow>, DatabaseError> {
        let backend = connection.get_database_backend();
        let select = Query::select()
            .exprs(self.columns(backend))
            .from(self.table.clone())
            .and_where_option(is_text(backend, Column::Sid))
            .and_where_option(self.is_not_deleted())
            .and_where_option(last.map(|last| Expr::col(Column::Sid).gt(self.sid.value(last))))
            .order_by(Column::Sid, Order::Asc)
            .limit(limit)
            .to_owned();
        self.rows(connection, &select).await
    }

    /// How many rows have an id that is no text, which no cookie names.
    pub(super) async fn count_nameless(
        &self,
        connection: &impl ConnectionTrait,
    ) -> Result<u64, DatabaseError> {
        let Some(is_text) = is_text(connection.get_database_backend(), Column::Sid) else {
            return Ok(0);
        };
        let select = Query::select()
            .expr(Func::count(Expr::val(1)))
            .from(self.table.clone())
            .and_where(is_text.not())
            .to_owned();
        let row = connection.query_one(&select).await.map_err(|error| self.failed(error))?;
        let count: Option<i64> = row
            .map(|row| row.try_get_by_index(0))
            .transpose()
            .map_err(|error| self.failed(error))?;
        Ok(count.unwrap_or_default().unsigned_abs())
    }

    /// Writes the row of a session that begins now.
    pub(super) async fn insert(
        &self,
        connection: &impl ConnectionTrait,
        id: &SessionId,
        data: &str,
        expires: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), DatabaseError> {
        let (columns, values): (Vec<DynIden>, Vec<SimpleExpr>) = [
            (Column::Sid.into_iden(), self.sid.value(id.as_str())),
            (Column::Expires.into_iden(), Expr::val(expires)),
            (Column::Data.into_iden(), self.data.value(data)),
        ]
        .into_iter()
        .chain(
            [&self.created_at, &self.updated_at]
                .into_iter()
                .flatten()
                .map(|column| (column.clone(), Expr::val(now))),
        )
        .unzip();
        let mut insert = Query::insert().into_table(self.table.clone()).columns(columns).to_owned();
        insert.values(values).map_err(|error| self.failed(DbErr::Custom(error.to_string())))?;
        self.execute(connection, &insert).await?;
        Ok(())
    }

    /// Removes the rows of `ids`, and tells what was in them at that very moment; as
    /// [`Self::find`]. Waits for the lock of another as [`waits_briefly`] says, and so does the rest
    /// of its transaction.
    pub(super) async fn take(
        &self,
        connection: &impl ConnectionTrait,
        ids: &[SessionId],
    ) -> Result<Vec<StoredRow>, DatabaseError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let backend = connection.get_database_backend();
        let columns = self.columns(backend);
        let delete = Query::delete()
            .from_table(self.table.clone())
            .and_where(self.is_one_of(ids))
            .and_where_option(self.is_not_deleted())
            .and_where_option(waits_briefly(backend))
            .returning(Query::returning().exprs(columns))
            .to_owned();
        self.rows(connection, &delete).await
    }

    /// Removes the rows of `ids`, and tells how many there were; a row that is not there is no failure.
    /// Waits as [`Self::take`].
    pub(super) async fn delete(
        &self,
        connection: &impl ConnectionTrait,
        ids: &[SessionId],
    ) -> Result<u64, DatabaseError> {
        if ids.is_empty() {
            return Ok(0);
        }
        let delete = Query::delete()
            .from_table(self.table.clone())
            .and_where(self.is_one_of(ids))
            .and_where_option(waits_briefly(connection.get_database_backend()))
            .to_owned();
        Ok(self.execute(connection, &delete).await?.rows_affected())
    }

    /// Of what every write changes.
    fn update(&self, expires: DateTime<Utc>, now: DateTime<Utc>) -> UpdateStatement {
        let mut update = Query::update().table(self.table.clone()).to_owned();
        update.value(Column::Expires, expires);
        if let Some(column) = self.updated_at.clone() {
            update.value(column, now);
        }
        update
    }

    /// Replaces a row's text, unless it is gone or another was written since: then nothing,
    /// `false`. Waits as [`Self::take`].
    pub(super) async fn renew(
        &self,
        connection: &impl ConnectionTrait,
        id: &SessionId,
        (old, new): (&str, &str),
        expires: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<bool, DatabaseError> {
        let update = self
            .update(expires, now)
            .value(Column::Data, self.data.value(new))
            .and_where(self.is(id))
            .and_where(self.data.select(Column::Data).eq(old))
            .and_where_option(waits_briefly(connection.get_database_backend()))
            .to_owned();
        Ok(self.execute(connection, &update).await?.rows_affected() > 0)
    }

    /// Removes at most `count` rows that ended before `now`, and tells how many there were; not one
    /// that somebody else is writing at this moment.
    pub(super) async fn delete_expired(
        &self,
        connection: &impl ConnectionTrait,
        now: DateTime<Utc>,
        count: u64,
    ) -> Result<u64, DatabaseError> {
        let backend = connection.get_database_backend();
        let is_over =
            moment(backend, Expr::col(Column::Expires)).lt(moment(backend, Expr::val(now)));
        let mut batch = Query::select()
            .column(Column::Sid)
            .from(self.table.clone())
            .and_where(is_over.clone())
            .limit(count)
            .to_owned();
        lock_those_free(backend, &mut batch);
        // Asked twice: a row that is touched between the two questions stays.
        let delete = Query::delete()
            .from_table(self.table.clone())
            .and_where(Expr::col(Column::Sid).in_subquery(batch))
            .and_where(is_over)
            .to_owned();
        Ok(self.execute(connection, &delete).await?.rows_affected())
    }
}
