//! The accounts of the users table.

pub(crate) mod account;
mod change;
pub(crate) mod insert;
pub(crate) mod survey;

use std::collections::HashMap;
use std::fmt;

use clap::ValueEnum;
use sea_orm::sea_query::{
    Alias, DynIden, Expr, ExprTrait, IntoIden, Order, Query, SelectStatement, SimpleExpr,
};
use sea_orm::{ConnectionTrait, DbErr, QueryResult};

use self::account::{Account, Columns};
use crate::database::kinds::EmailColumn;
use crate::database::layout::Layout;
use crate::database::{DatabaseError, dialect};
use crate::entity::user_id::UserId;

/// Whether addresses that differ in the case of ASCII letters are one (`--email-case`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EmailCase {
    /// One account.
    ///
    /// Wherever that leaves no doubt.
    Ignore,
    /// Two accounts.
    ///
    /// As in Express.
    Exact,
}

/// What a session names its account by.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum AccountKey {
    /// The exact address.
    Email(String),
    /// The id, as text whatever it is in the row: `7` and `"7"` are one.
    Id(String),
}

impl fmt::Debug for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Email(_) => f.write_str("Email(redacted)"),
            Self::Id(id) => f.debug_tuple("Id").field(id).finish(),
        }
    }
}

/// The accounts table, and how addresses are compared in it.
#[derive(Clone)]
pub struct Accounts {
    table: DynIden,
    columns: Columns,
    case: EmailCase,
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts").field("table", &self.table.inner()).finish_non_exhaustive()
    }
}

impl Accounts {
    /// Those of a site whose tables are so.
    pub fn new(layout: &Layout, case: EmailCase) -> Self {
        let table = Alias::new(&layout.tables.users).into_iden();
        Self { table, columns: Columns::of(layout), case }
    }

    /// The account that `email` signs in to: the exact address, the one with the lowest id where it
    /// has several, else the only address that differs in nothing but the case of its ASCII letters.
    pub(crate) async fn find_for_login(
        &self,
        connection: &impl ConnectionTrait,
        email: &str,
    ) -> Result<Option<Account>, DatabaseError> {
        if self.case == EmailCase::Exact {
            return self.find_by_email(connection, email).await;
        }
        let mut spellings = self.find_spellings(connection, email).await?;
        if let Some(exact) = spellings.iter().position(|account| account.email == email) {
            return Ok(Some(spellings.swap_remove(exact)));
        }
        let lowest = spellings.first().map(|account| account.email.clone());
        let is_only = spellings.iter().all(|account| Some(&account.email) == lowest.as_ref());
        Ok(spellings.into_iter().next().filter(|_| is_only))
    }

    /// The account that a session names.
    pub(crate) async fn find(
        &self,
        connection: &impl ConnectionTrait,
        key: &AccountKey,
    ) -> Result<Option<Account>, DatabaseError> {
        let id = match key {
            AccountKey::Email(email) => return self.find_by_email(connection, email).await,
            AccountKey::Id(id) => id,
        };
        let Some(id) = self.columns.id_kind.value(id) else { return Ok(None) };
        let is_it = Expr::col(self.columns.id.clone()).eq(id);
        Ok(self.select(connection, is_it).await?.into_iter().next())
    }

    /// Those of `keys` that name an account in its own spelling; of the others nothing is told, for
    /// a column may know more spellings than one.
    pub(crate) async fn find_as_spelt<'a>(
        &self,
        connection: &impl ConnectionTrait,
        keys: impl Iterator<Item = &'a AccountKey> + Clone,
    ) -> Result<HashMap<AccountKey, UserId>, DatabaseError> {
        let Columns { id, id_kind, email, email_kind, .. } = &self.columns;
        let emails = keys.clone().filter_map(|key| match key {
            AccountKey::Email(email) if is_storable(email) => Some(email_kind.value(email)),
            AccountKey::Email(_) | AccountKey::Id(_) => None,
        });
        let ids = keys.filter_map(|key| match key {
            AccountKey::Id(id) => id_kind.value(id),
            AccountKey::Email(_) => None,
        });
        let (emails, ids): (Vec<_>, Vec<_>) = (emails.collect(), ids.collect());
        if emails.is_empty() && ids.is_empty() {
            return Ok(HashMap::new());
        }
        let is_one = Expr::col(email.clone()).is_in(emails).or(Expr::col(id.clone()).is_in(ids));
        let mut found = HashMap::new();
        for account in self.select(connection, is_one).await? {
            found.entry(AccountKey::Id(account.id.to_string())).or_insert(account.id.clone());
            found.entry(AccountKey::Email(account.email)).or_insert(account.id);
        }
        Ok(found)
    }

    /// Whether a session could name an account so; what is no id, or no address, may be the other.
    pub(crate) fn could_be(&self, key: &AccountKey) -> bool {
        match key {
            AccountKey::Email(email) => {
                let is_number = !email.is_empty() && email.bytes().all(|b| b.is_ascii_digit());
                !is_number && uuid::Uuid::try_parse(email).is_err()
            }
            AccountKey::Id(id) => self.columns.id_kind.value(id).is_some() && !id.contains('@'),
        }
    }

    async fn find_by_email(
        &self,
        connection: &impl ConnectionTrait,
        email: &str,
    ) -> Result<Option<Account>, DatabaseError> {
        if !is_storable(email) {
            return Ok(None);
        }
        let value = self.columns.email_kind.value(email);
        let is_it = Expr::col(self.columns.email.clone()).eq(value);
        Ok(self.select(connection, is_it).await?.into_iter().next())
    }

    /// The password hashes of at most `limit` accounts, from the highest id on: the newest, where
    /// ids are numbers.
    pub(crate) async fn newest_hashes(
        &self,
        connection: &impl ConnectionTrait,
        limit: u64,
    ) -> Result<Vec<String>, DatabaseError> {
        let password = &self.columns.password;
        let select = Query::select()
            .column(password.clone())
            .from(self.table.clone())
            .and_where(Expr::col(password.clone()).is_not_null())
            .order_by(self.columns.id.clone(), Order::Desc)
            .limit(limit)
            .to_owned();
        self.rows(connection, &select, |row| row.try_get_by_index(0)).await
    }

    /// Every account whose address is `email` but for the case of ASCII letters, the lowest id
    /// first.
    async fn find_spellings(
        &self,
        connection: &impl ConnectionTrait,
        email: &str,
    ) -> Result<Vec<Account>, DatabaseError> {
        if !is_storable(email) {
            return Ok(Vec::new());
        }
        let column = self.columns.email.clone();
        let is_spelling = match &self.columns.email_kind {
            caseless @ EmailColumn::Caseless(_) => Expr::col(column).eq(caseless.value(email)),
            EmailColumn::Text | EmailColumn::Padded => {
                dialect::ascii_lower(connection.get_database_backend(), column)
                    .eq(email.to_ascii_lowercase())
            }
        };
        self.select(connection, is_spelling).await
    }

    /// The accounts that fulfil `condition` and are not deleted, the lowest id first.
    async fn select(
        &self,
        connection: &impl ConnectionTrait,
        condition: SimpleExpr,
    ) -> Result<Vec<Account>, DatabaseError> {
        self.rows(connection, &self.selecting(condition), |row| self.columns.read(row)).await
    }

    fn selecting(&self, condition: SimpleExpr) -> SelectStatement {
        let deleted_at = self.columns.deleted_at.clone();
        Query::select()
            .exprs(self.columns.select())
            .from(self.table.clone())
            .and_where(condition)
            .and_where_option(deleted_at.map(|column| Expr::col(column).is_null()))
            .order_by(self.columns.id.clone(), Order::Asc)
            .to_owned()
    }

    /// What `read` makes of each row.
    async fn rows<T, C: FromIterator<T>>(
        &self,
        connection: &impl ConnectionTrait,
        select: &SelectStatement,
        read: impl Fn(&QueryResult) -> Result<T, DbErr>,
    ) -> Result<C, DatabaseError> {
        let rows = connection.query_all(select).await.map_err(|error| self.failed(error))?;
        rows.iter().map(read).collect::<Result<_, _>>().map_err(|error| self.failed(error))
    }

    fn failed(&self, error: DbErr) -> DatabaseError {
        DatabaseError::about(&self.table.inner(), error)
    }
}

/// Postgres refuses a NUL even in a question.
fn is_storable(email: &str) -> bool {
    !email.contains('\0')
}
