//! Moving the ends of many rows at once.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{
    Alias, CommonTableExpression, DynIden, Expr, ExprTrait, IntoIden, Query, SelectStatement,
    SimpleExpr, TableRef, Value, ValueTuple,
};
use sea_orm::{ConnectionTrait, DbBackend};

use super::SessionTable;
use crate::database::DatabaseError;
use crate::database::dialect::{lock_those_free, moment};
use crate::entity::session::Column;
use crate::session::id::SessionId;

/// A row's end, to be moved.
#[derive(Debug, Clone)]
pub(in crate::session) struct Touch {
    pub(in crate::session) id: SessionId,
    /// When the row was last written, as it was read, where anybody can tell.
    pub(in crate::session) updated: Option<DateTime<Utc>>,
    pub(in crate::session) expires: DateTime<Utc>,
    /// When the visit was.
    pub(in crate::session) now: DateTime<Utc>,
}

/// What the touches are called within the statement, and their columns on both databases.
const TOUCHES: &str = "touches";
const SID: &str = "column1";
const UPDATED: &str = "column2";
const EXPIRES: &str = "column3";
const NOW: &str = "column4";

/// The rows that nobody else is writing.
const FREE: &str = "free";

fn of_touch(column: &str) -> SimpleExpr {
    Expr::col((Alias::new(TOUCHES), Alias::new(column)))
}

impl Touch {
    fn row(&self) -> ValueTuple {
        let Self { id, updated, expires, now } = self;
        let (sid, updated): (Value, Value) = (id.as_str().into(), (*updated).into());
        ValueTuple::Many(vec![sid, updated, (*expires).into(), (*now).into()])
    }
}

impl SessionTable {
    /// Moves the ends of rows, each if nobody wrote it since it was last written at `updated`, as
    /// far as that is known, and nobody is writing it at this moment.
    ///
    /// Never brings a row back: one that is gone stays gone. Waits for nobody on Postgres, whatever
    /// is locked, and so holds up nobody with the rows that it has locked itself.
    pub(in crate::session) async fn touch(
        &self,
        connection: &impl ConnectionTrait,
        touches: &[Touch],
    ) -> Result<(), DatabaseError> {
        let Some(last) = touches.last() else { return Ok(()) };
        let backend = connection.get_database_backend();
        // A server keeps each length of statement that it was sent, so there are few lengths.
        let padding = touches.len().next_power_of_two() - touches.len();
        let touches = || touches.iter().chain(std::iter::repeat_n(last, padding));
        let mut update = Query::update().table(self.table.clone()).to_owned();
        let rows = touches().map(Touch::row).collect();
        update.value(Column::Expires, of_touch(EXPIRES));
        update.from(TableRef::ValuesList(rows, Alias::new(TOUCHES).into_iden()));
        update.and_where(self.own(Column::Sid).eq(self.sid.compared(of_touch(SID))));
        update.and_where(self.is_unwritten(backend));
        if let Some(column) = &self.updated_at {
            update.value(column.clone(), of_touch(NOW));
        }
        if backend == DbBackend::Postgres {
            let free = self.free(backend, touches().map(|touch| &touch.id));
            let free = CommonTableExpression::from_select(free).table_name(FREE).to_owned();
            let is_free = self.own(Column::Sid).equals((Alias::new(FREE), Column::Sid));
            update.with_cte(Query::with().cte(free).to_owned()).from(FREE).and_where(is_free);
        }
        self.execute(connection, &update).await?;
        Ok(())
    }

    fn own(&self, column: impl IntoIden) -> SimpleExpr {
        Expr::col((self.table.clone(), column.into_iden()))
    }

    /// Without a column that tells when a row was written, an end that lies later tells.
    fn is_unwritten(&self, backend: DbBackend) -> SimpleExpr {
        let compare = |column: DynIden, with| {
            moment(backend, self.own(column)).lte(moment(backend, of_touch(with)))
        };
        if let Some(column) = &self.updated_at {
            return of_touch(UPDATED).is_null().or(compare(column.clone(), UPDATED));
        }
        let ends = Column::Expires.into_iden();
        self.own(ends.clone()).is_null().or(compare(ends, EXPIRES))
    }

    fn free<'a>(
        &self,
        backend: DbBackend,
        ids: impl Iterator<Item = &'a SessionId>,
    ) -> SelectStatement {
        let mut free = Query::select()
            .column(Column::Sid)
            .from(self.table.clone())
            .and_where(Expr::col(Column::Sid).is_in(ids.map(|id| self.sid.value(id.as_str()))))
            .to_owned();
        lock_those_free(backend, &mut free);
        free
    }
}
