//! The accounts in table `users`.

use std::fmt;

use chrono::{DateTime, Utc};
use clap::ValueEnum;
use sea_orm::sea_query::{Alias, DynIden, Expr, ExprTrait, IntoIden, Order, Query, SimpleExpr};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, QueryResult, SqlErr};

use crate::database::{columns, dialect};
use crate::entity::user;

/// Columns that Sequelize fills with the time of the INSERT under `timestamps: true`, which is its
/// default, in its two spellings.
const TIMESTAMPS: [&str; 4] = ["createdAt", "updatedAt", "created_at", "updated_at"];

/// Somebody who can sign in. Its `Debug` shows the id only.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) id: i64,
    pub(crate) email: String,
    pub(crate) name: Option<String>,
    pub(crate) password_hash: Option<String>,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Account {
    /// What [`Self::read`] reads, in its order; a key of four bytes as one of eight.
    fn columns() -> [SimpleExpr; 4] {
        [
            Expr::col(user::Column::Id).cast_as("bigint"),
            Expr::col(user::Column::Email),
            Expr::col(user::Column::Password),
            Expr::col(user::Column::Name),
        ]
    }

    fn read(row: &QueryResult) -> Result<Self, DbErr> {
        Ok(Self {
            id: row.try_get_by_index(0)?,
            email: row.try_get_by_index(1)?,
            password_hash: row.try_get_by_index(2)?,
            name: row.try_get_by_index(3)?,
        })
    }
}

/// Why an account is not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InsertError {
    #[error("the address has an account already")]
    Taken,
    /// The site's own columns, which only the site can fill.
    #[error("nothing fills {0}")]
    Unfilled(String),
    #[error(transparent)]
    Database(#[from] DbErr),
}

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

/// The accounts table, and how addresses are compared in it.
#[derive(Clone)]
pub struct Accounts {
    table: DynIden,
    case: EmailCase,
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts").field("table", &self.table.inner()).finish_non_exhaustive()
    }
}

impl Accounts {
    /// Those of the table with this name (`--users-table`).
    pub fn new(table: &str, case: EmailCase) -> Self {
        Self { table: Alias::new(table).into_iden(), case }
    }

    /// The account that `email` signs in to: the exact address, the oldest where it has several,
    /// else the only address that differs in nothing but the case of its ASCII letters.
    pub(crate) async fn find_for_login(
        &self,
        connection: &impl ConnectionTrait,
        email: &str,
    ) -> Result<Option<Account>, DbErr> {
        if self.case == EmailCase::Exact {
            return self.find_by_email(connection, email).await;
        }
        let mut spellings = self.find_spellings(connection, email).await?;
        if let Some(exact) = spellings.iter().position(|account| account.email == email) {
            return Ok(Some(spellings.swap_remove(exact)));
        }
        let oldest = spellings.first().map(|account| account.email.clone());
        let is_only = spellings.iter().all(|account| Some(&account.email) == oldest.as_ref());
        Ok(spellings.into_iter().next().filter(|_| is_only))
    }

    /// The account of a session, which names it by its exact address.
    pub(crate) async fn find_by_email(
        &self,
        connection: &impl ConnectionTrait,
        email: &str,
    ) -> Result<Option<Account>, DbErr> {
        if !is_storable(email) {
            return Ok(None);
        }
        let is_it = Expr::col(user::Column::Email).eq(email);
        Ok(self.select(connection, is_it).await?.into_iter().next())
    }

    /// The password hashes of at most `limit` accounts, from the newest on.
    pub(crate) async fn newest_hashes(
        &self,
        connection: &impl ConnectionTrait,
        limit: u64,
    ) -> Result<Vec<String>, DbErr> {
        let select = Query::select()
            .column(user::Column::Password)
            .from(self.table.clone())
            .and_where(Expr::col(user::Column::Password).is_not_null())
            .order_by(user::Column::Id, Order::Desc)
            .limit(limit)
            .to_owned();
        let rows = connection.query_all(&select).await?;
        rows.iter().map(|row| row.try_get_by_index(0)).collect()
    }

    /// Makes an account, unless its address has one, in whatever spelling counts as the same.
    ///
    /// Two registrations of one address at once wait for one another, so that this holds on a
    /// table without a unique index, too. Timestamps of Sequelize's become `now`.
    pub(crate) async fn insert(
        &self,
        transaction: &DatabaseTransaction,
        email: &str,
        password_hash: &str,
        name: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Account, InsertError> {
        let lowered = email.to_ascii_lowercase();
        dialect::lock_name(transaction, &format!("nextbnb register {lowered}")).await?;
        let is_taken = match self.case {
            EmailCase::Ignore => !self.find_spellings(transaction, email).await?.is_empty(),
            EmailCase::Exact => self.find_by_email(transaction, email).await?.is_some(),
        };
        if is_taken {
            return Err(InsertError::Taken);
        }
        let mut columns = vec![
            (user::Column::Email.into_iden(), Expr::val(email)),
            (user::Column::Password.into_iden(), Expr::val(password_hash)),
            (user::Column::Name.into_iden(), Expr::val(name)),
        ];
        for column in self.find_timestamps(transaction, name).await? {
            columns.push((Alias::new(column).into_iden(), Expr::val(now)));
        }
        let (columns, values): (Vec<DynIden>, Vec<SimpleExpr>) = columns.into_iter().unzip();
        let mut insert = Query::insert().into_table(self.table.clone()).columns(columns).to_owned();
        insert.values(values).map_err(|error| DbErr::Custom(error.to_string()))?;
        insert.returning(Query::returning().exprs(Account::columns()));
        match transaction.query_one(&insert).await {
            Ok(Some(row)) => Ok(Account::read(&row)?),
            Ok(None) => Err(DbErr::RecordNotInserted.into()),
            Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {
                Err(InsertError::Taken)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The timestamps that a new account must be given; fails where the table wants of it what only
    /// the site knows.
    async fn find_timestamps(
        &self,
        transaction: &DatabaseTransaction,
        name: Option<&str>,
    ) -> Result<Vec<String>, InsertError> {
        let given = |column: &str| match column {
            "email" | "password" => true,
            "name" => name.is_some(),
            _ => false,
        };
        let unfilled = columns::unfilled(transaction, &self.table.inner()).await?;
        let (times, others): (Vec<_>, Vec<_>) = unfilled
            .into_iter()
            .partition(|column| column.is_time && TIMESTAMPS.contains(&column.name.as_str()));
        let wanted = others.iter().filter(|column| column.is_required && !given(&column.name));
        let wanted: Vec<&str> = wanted.map(|column| column.name.as_str()).collect();
        if !wanted.is_empty() {
            return Err(InsertError::Unfilled(wanted.join(", ")));
        }
        Ok(times.into_iter().map(|column| column.name).collect())
    }

    /// Every account whose address is `email` but for the case of ASCII letters, oldest first.
    async fn find_spellings(
        &self,
        connection: &impl ConnectionTrait,
        email: &str,
    ) -> Result<Vec<Account>, DbErr> {
        if !is_storable(email) {
            return Ok(Vec::new());
        }
        let folded = dialect::ascii_lower(connection.get_database_backend(), user::Column::Email);
        self.select(connection, folded.eq(email.to_ascii_lowercase())).await
    }

    /// The accounts that fulfil `condition`, oldest first.
    async fn select(
        &self,
        connection: &impl ConnectionTrait,
        condition: SimpleExpr,
    ) -> Result<Vec<Account>, DbErr> {
        let select = Query::select()
            .exprs(Account::columns())
            .from(self.table.clone())
            .and_where(condition)
            .order_by(user::Column::Id, Order::Asc)
            .to_owned();
        let rows = connection.query_all(&select).await?;
        rows.iter().map(Account::read).collect()
    }
}

/// Postgres refuses a NUL even in a question.
fn is_storable(email: &str) -> bool {
    !email.contains('\0')
}
