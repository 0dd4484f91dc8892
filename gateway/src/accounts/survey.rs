//! Accounts counted, and none altered.

use std::collections::HashSet;

use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func, Order, Query, SelectStatement, SimpleExpr};
use sea_orm::{ConnectionTrait, DbErr, QueryResult};

use super::{AccountKey, Accounts, is_storable};
use crate::database::{DatabaseError, dialect};
use crate::entity::user_id::UserId;

/// Doubled addresses of which the ids are told.
const SHOWN: u64 = 5;

/// Addresses that are one, and whose they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Doubled {
    /// How many there are.
    pub(crate) count: u64,
    /// The account with the lowest id of each, and how many accounts have it; the first five.
    pub(crate) lowest: Vec<(UserId, i64)>,
}

impl Accounts {
    /// Whether each of `keys` is an account's, in their order; see [`Self::find`].
    pub(crate) async fn are_there(
        &self,
        connection: &impl ConnectionTrait,
        keys: &[&AccountKey],
    ) -> Result<Vec<bool>, DatabaseError> {
        let (mut emails, mut ids) = (Vec::new(), Vec::new());
        for key in keys {
            match key {
                AccountKey::Email(email) if is_storable(email) => emails.push(Expr::val(email)),
                AccountKey::Email(_) => {}
                AccountKey::Id(id) => ids.extend(self.columns.id_kind.value(id)),
            }
        }
        let (email, id) = (Expr::col(self.columns.email.clone()), self.columns.id.clone());
        let emails: HashSet<String> = self
            .read_those(connection, email.clone(), email, emails, |row| row.try_get_by_index(0))
            .await?;
        let kind = self.columns.id_kind;
        let ids: HashSet<String> = self
            .read_those(connection, kind.select(id.clone()), Expr::col(id), ids, |row| {
                Ok(kind.read(row, 0)?.to_string())
            })
            .await?;
        let is_there = |key: &&AccountKey| match key {
            AccountKey::Email(email) => emails.contains(email),
            AccountKey::Id(id) => kind.spelling(id).is_some_and(|id| ids.contains(&id)),
        };
        Ok(keys.iter().map(is_there).collect())
    }

    /// What `read` makes of the `column` of every account whose `key` is among `values`.
    async fn read_those(
        &self,
        connection: &impl ConnectionTrait,
        column: SimpleExpr,
        key: SimpleExpr,
        values: Vec<SimpleExpr>,
        read: impl Fn(&QueryResult) -> Result<String, DbErr>,
    ) -> Result<HashSet<String>, DatabaseError> {
        if values.is_empty() {
            return Ok(HashSet::new());
        }
        let select = Query::select()
            .expr(column)
            .from(self.table.clone())
            .and_where(key.is_in(values))
            .to_owned();
        self.rows(connection, &select, read).await
    }

    /// Ids and password hashes of at most `limit` accounts after the one with the id `last`.
    pub(crate) async fn hashes_after(
        &self,
        connection: &impl ConnectionTrait,
        last: Option<&UserId>,
        limit: u64,
    ) -> Result<Vec<(UserId, Option<String>)>, DatabaseError> {
        let (id, kind) = (&self.columns.id, self.columns.id_kind);
        let last = last.and_then(|last| kind.value(&last.to_string()));
        let select = Query::select()
            .expr(kind.select(id.clone()))
            .column(self.columns.password.clone())
            .from(self.table.clone())
            .and_where_option(last.map(|last| Expr::col(id.clone()).gt(last)))
            .order_by(id.clone(), Order::Asc)
            .limit(limit)
            .to_owned();
        let read = |row: &QueryResult| Ok((kind.read(row, 0)?, row.try_get_by_index(1)?));
        self.rows(connection, &select, read).await
    }

    /// Addresses with several accounts, letter by letter.
    pub(crate) async fn doubled(
        &self,
        connection: &impl ConnectionTrait,
    ) -> Result<Doubled, DatabaseError> {
        let (mut groups, email) = (self.groups(), Expr::col(self.columns.email.clone()));
        groups.add_group_by([email.clone()]).and_having(email.count().gt(1));
        self.find_doubled(connection, groups).await
    }

    /// Addresses in several spellings that differ in the case of ASCII letters.
    pub(crate) async fn spelt_otherwise(
        &self,
        connection: &impl ConnectionTrait,
    ) -> Result<Doubled, DatabaseError> {
        let (mut groups, email) = (self.groups(), self.columns.email.clone());
        groups
            .add_group_by([dialect::ascii_lower(connection.get_database_backend(), email.clone())])
            .and_having(Expr::col(email).count_distinct().gt(1));
        self.find_doubled(connection, groups).await
    }

    fn groups(&self) -> SelectStatement {
        let (id, email) = (self.columns.id.clone(), Expr::col(self.columns.email.clone()));
        Query::select()
            .expr_as(Func::min(self.columns.id_kind.select(id)), "lowest")
            .expr_as(email.clone().count().cast_as("bigint"), "accounts")
            .from(self.table.clone())
            .and_where(email.is_not_null())
            .to_owned()
    }

    async fn find_doubled(
        &self,
        connection: &impl ConnectionTrait,
        mut groups: SelectStatement,
    ) -> Result<Doubled, DatabaseError> {
        let lowest = Alias::new("lowest");
        let all = Query::select()
            .expr(Expr::col(lowest.clone()).count())
            .from_subquery(groups.clone(), Alias::new("groups"))
            .to_owned();
        let count: Vec<i64> = self.rows(connection, &all, |row| row.try_get_by_index(0)).await?;
        groups.order_by(lowest, Order::Asc).limit(SHOWN);
        let kind = self.columns.id_kind;
        let read = |row: &QueryResult| Ok((kind.read(row, 0)?, row.try_get_by_index(1)?));
        let lowest = self.rows(connection, &groups, read).await?;
        Ok(Doubled { count: count.iter().sum::<i64>().unsigned_abs(), lowest })
    }
}
