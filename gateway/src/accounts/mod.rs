//! The accounts in table `users`.

use std::fmt;

use clap::ValueEnum;
use sea_orm::sea_query::{Alias, DynIden, Expr, ExprTrait, IntoIden, Order, Query, SimpleExpr};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, FromQueryResult, SqlErr};

use crate::database::dialect;
use crate::entity::user;

const COLUMNS: [user::Column; 4] =
    [user::Column::Id, user::Column::Email, user::Column::Password, user::Column::Name];

/// Somebody who can sign in. Its `Debug` shows the id only.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) id: i32,
    pub(crate) email: String,
    pub(crate) name: Option<String>,
    pub(crate) password_hash: Option<String>,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("id", &self.id).finish_non_exhaustive()
    }
}

impl From<user::Model> for Account {
    fn from(user: user::Model) -> Self {
        Self { id: user.id, email: user.email, name: user.name, password_hash: user.password }
    }
}

/// Why an account is not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InsertError {
    #[error("the address has an account already")]
    Taken,
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
        if let Some(exact) = spellings.iter().position(|user| user.email == email) {
            return Ok(Some(spellings.swap_remove(exact).into()));
        }
        let oldest = spellings.first().map(|user| user.email.clone());
        let is_only = spellings.iter().all(|user| Some(&user.email) == oldest.as_ref());
        Ok(spellings.into_iter().next().filter(|_| is_only).map(Account::from))
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
        let user = self.select(connection, is_it).await?.into_iter().next();
        Ok(user.map(Account::from))
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
    /// table without a unique index, too.
    pub(crate) async fn insert(
        &self,
        transaction: &DatabaseTransaction,
        email: &str,
        password_hash: &str,
        name: Option<&str>,
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
        let columns = [user::Column::Email, user::Column::Password, user::Column::Name];
        let values = [Expr::val(email), Expr::val(password_hash), Expr::val(name)];
        let mut insert = Query::insert().into_table(self.table.clone()).columns(columns).to_owned();
        insert.values(values).map_err(|error| DbErr::Custom(error.to_string()))?;
        insert.returning(Query::returning().columns(COLUMNS));
        match transaction.query_one(&insert).await {
            Ok(Some(row)) => Ok(user::Model::from_query_result(&row, "")?.into()),
            Ok(None) => Err(DbErr::RecordNotInserted.into()),
            Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {
                Err(InsertError::Taken)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Every account whose address is `email` but for the case of ASCII letters, oldest first.
    async fn find_spellings(
        &self,
        connection: &impl ConnectionTrait,
        email: &str,
    ) -> Result<Vec<user::Model>, DbErr> {
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
    ) -> Result<Vec<user::Model>, DbErr> {
        let select = Query::select()
            .columns(COLUMNS)
            .from(self.table.clone())
            .and_where(condition)
            .order_by(user::Column::Id, Order::Asc)
            .to_owned();
        let rows = connection.query_all(&select).await?;
        rows.iter().map(|row| user::Model::from_query_result(row, "")).collect()
    }
}

/// Postgres refuses a NUL even in a question.
fn is_storable(email: &str) -> bool {
    !email.contains('\0')
}
