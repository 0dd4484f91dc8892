//! Accounts listed and counted, and none altered.

use std::collections::HashMap;

use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func, Order, Query, SelectStatement, SimpleExpr};
use sea_orm::{ConnectionTrait, QueryResult};

use super::account::{Account, Columns};
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
    /// The account of each of `keys`, in their order; see [`Self::find`].
    pub(crate) async fn find_each(
        &self,
        connection: &impl ConnectionTrait,
        keys: &[&AccountKey],
    ) -> Result<Vec<Option<Account>>, DatabaseError> {
        let (mut emails, mut ids) = (Vec::new(), Vec::new());
        for key in keys {
            match key {
                AccountKey::Email(email) if is_storable(email) => {
                    emails.push(self.columns.email_kind.value(email));
                }
                AccountKey::Email(_) => {}
                AccountKey::Id(id) => ids.extend(self.columns.id_kind.value(id)),
            }
        }
        let mut found = HashMap::new();
        for (column, values) in [(&self.columns.email, emails), (&self.columns.id, ids)] {
            if !values.is_empty() {
                let is_one = Expr::col(column.clone()).is_in(values);
                for account in self.select(connection, is_one).await? {
                    let [email, id] = self.spellings(&account);
                    // Those with lower ids come first, and keep their place.
                    found.entry(email).or_insert_with(|| account.clone());
                    found.entry(id).or_insert(account);
                }
            }
        }
        let find = |key: &&AccountKey| found.get(&self.spelt(key)?).cloned();
        Ok(keys.iter().map(find).collect())
    }

    /// Whether a session that names its account so is one of `account`.
    pub(crate) fn are_one(&self, key: &AccountKey, account: &Account) -> bool {
        self.spelt(key).is_some_and(|key| self.spellings(account).contains(&key))
    }

    /// Both ways to name an account, as [`Self::spelt`] has them.
    fn spellings(&self, account: &Account) -> [AccountKey; 2] {
        let Columns { id_kind, email_kind, .. } = &self.columns;
        let id = account.id.to_string();
        [
            AccountKey::Email(email_kind.spelling(&account.email)),
            AccountKey::Id(id_kind.spelling(&id).unwrap_or(id)),
        ]
    }

    /// The same for all names that the columns take for one; `None` for what is nobody's.
    fn spelt(&self, key: &AccountKey) -> Option<AccountKey> {
        Some(match key {
            AccountKey::Email(email) => AccountKey::Email(self.columns.email_kind.spelling(email)),
            AccountKey::Id(id) => AccountKey::Id(self.columns.id_kind.spelling(id)?),
        })
    }

    /// At most `limit` accounts after the one with the id `last`, in the order of ids.
    pub(crate) async fn page(
        &self,
        connection: &impl ConnectionTrait,
        last: Option<&UserId>,
        limit: u64,
    ) -> Result<Vec<Account>, DatabaseError> {
        let is_next = self.is_after(last).unwrap_or_else(|| Expr::val(1).eq(1));
        let select = self.selecting(is_next).limit(limit).to_owned();
        self.rows(connection, &select, |row| self.columns.read(row)).await
    }

    fn is_after(&self, last: Option<&UserId>) -> Option<SimpleExpr> {
        let last = self.columns.id_kind.value(&last?.to_string())?;
        Some(Expr::col(self.columns.id.clone()).gt(last))
    }

    /// Ids and password hashes of at most `limit` accounts after the one with the id `last`.
    pub(crate) async fn hashes_after(
        &self,
        connection: &impl ConnectionTrait,
        last: Option<&UserId>,
        limit: u64,
    ) -> Result<Vec<(UserId, Option<String>)>, DatabaseError> {
        let (id, kind) = (&self.columns.id, self.columns.id_kind);
        let select = Query::select()
            .expr(kind.select(id.clone()))
            .column(self.columns.password.clone())
            .from(self.table.clone())
            .and_where_option(self.is_after(last))
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
