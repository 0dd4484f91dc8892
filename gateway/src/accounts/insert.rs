//! A new account.

use chrono::{DateTime, Utc};
use rand::TryRng;
use rand::rngs::SysRng;
use sea_orm::sea_query::{Alias, DynIden, Expr, IntoIden, Query, SimpleExpr};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, SqlErr};
use uuid::Builder;

use super::account::Account;
use super::{Accounts, EmailCase};
use crate::database::{DatabaseError, columns, dialect};

/// Columns that Sequelize fills with the time of the INSERT under `timestamps: true`, which is its
/// default, in its two spellings.
const TIMESTAMPS: [&str; 4] = ["createdAt", "updatedAt", "created_at", "updated_at"];

/// Why an account is not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InsertError {
    #[error("the address has an account already")]
    Taken,
    /// The site's own columns, which only the site can fill.
    #[error("nothing fills {0}")]
    Unfilled(String),
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// Who registers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewAccount<'a> {
    pub(crate) email: &'a str,
    pub(crate) password_hash: &'a str,
    /// Not kept where accounts have no column for it.
    pub(crate) name: Option<&'a str>,
}

/// What the database does not fill of a new account.
#[derive(Default)]
struct Lacking {
    /// Sequelize's timestamps.
    times: Vec<DynIden>,
    /// The key, where one can be made here.
    id: Option<DynIden>,
    /// What only the site can fill.
    unfilled: Vec<String>,
}

impl Accounts {
    /// Makes an account, unless its address has one, in whatever spelling counts as the same.
    ///
    /// Two registrations of one address at once wait for one another, as [`dialect::waits_briefly`]
    /// says, so that this holds on a table without a unique index, too. Timestamps of Sequelize's
    /// become `now`.
    pub(crate) async fn insert(
        &self,
        transaction: &DatabaseTransaction,
        new: NewAccount<'_>,
        now: DateTime<Utc>,
    ) -> Result<Account, InsertError> {
        let NewAccount { email, password_hash, name } = new;
        let lock = format!("nextbnb register {}", email.to_ascii_lowercase());
        dialect::lock_name(transaction, &lock).await.map_err(DatabaseError::from)?;
        let is_taken = match self.case {
            EmailCase::Ignore => !self.find_spellings(transaction, email).await?.is_empty(),
            EmailCase::Exact => self.find_by_email(transaction, email).await?.is_some(),
        };
        if is_taken {
            return Err(InsertError::Taken);
        }
        let mut values = vec![
            (self.columns.email.clone(), Expr::val(email)),
            (self.columns.password.clone(), Expr::val(password_hash)),
        ];
        if let (Some(column), Some(name)) = (&self.columns.name, name) {
            values.push((column.clone(), Expr::val(name)));
        }
        self.fill(transaction, &mut values, now).await?;
        let (columns, values): (Vec<DynIden>, Vec<SimpleExpr>) = values.into_iter().unzip();
        let mut insert = Query::insert().into_table(self.table.clone()).columns(columns).to_owned();
        insert
            .values(values)
            .map_err(|error| self.failed(DbErr::Custom(error.to_string())))?
            .returning(Query::returning().exprs(self.columns.select()));
        match transaction.query_one(&insert).await {
            Ok(Some(row)) => Ok(self.columns.read(&row).map_err(|error| self.failed(error))?),
            Ok(None) => Err(self.failed(DbErr::RecordNotInserted).into()),
            Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {
                Err(InsertError::Taken)
            }
            Err(error) => Err(self.failed(error).into()),
        }
    }

    /// The columns that a new account lacks and only the site can fill; see [`Self::insert`].
    pub(crate) async fn unfilled(
        &self,
        connection: &impl ConnectionTrait,
    ) -> Result<Vec<String>, DatabaseError> {
        let given = [&self.columns.email, &self.columns.password];
        Ok(self.lacking(connection, &given).await?.unfilled)
    }

    /// What a new account lacks that is given `given`.
    async fn lacking(
        &self,
        connection: &impl ConnectionTrait,
        given: &[&DynIden],
    ) -> Result<Lacking, DatabaseError> {
        let columns = columns::unfilled(connection, &self.table.inner()).await;
        let mut lacking = Lacking::default();
        for column in columns.map_err(|error| self.failed(error))? {
            let iden = Alias::new(&column.name).into_iden();
            if given.contains(&&iden) {
                continue;
            }
            if column.is_time && TIMESTAMPS.contains(&column.name.as_str()) {
                lacking.times.push(iden);
            } else if iden == self.columns.id && self.columns.id_kind.is_uuid() {
                lacking.id = Some(iden);
            } else if column.is_required {
                lacking.unfilled.push(column.name);
            }
        }
        Ok(lacking)
    }

    /// Adds what Sequelize would have filled in; fails where the table wants of a new account what
    /// only the site knows.
    async fn fill(
        &self,
        transaction: &DatabaseTransaction,
        values: &mut Vec<(DynIden, SimpleExpr)>,
        now: DateTime<Utc>,
    ) -> Result<(), InsertError> {
        let given: Vec<_> = values.iter().map(|(column, _)| column).collect();
        let Lacking { times, id, unfilled } = self.lacking(transaction, &given).await?;
        if !unfilled.is_empty() {
            return Err(InsertError::Unfilled(unfilled.join(", ")));
        }
        values.extend(times.into_iter().map(|column| (column, Expr::val(now))));
        if let Some(column) = id {
            let id = new_uuid().map_err(|error| self.failed(error))?;
            values.extend(self.columns.id_kind.value(&id).map(|id| (column, id)));
        }
        Ok(())
    }
}

/// Version 4 (RFC 9562 §5.4), in the spelling of Node's `uuid`.
fn new_uuid() -> Result<String, DbErr> {
    let mut bytes = [0; 16];
    SysRng.try_fill_bytes(&mut bytes).map_err(|error| DbErr::Custom(error.to_string()))?;
    Ok(Builder::from_random_bytes(bytes).into_uuid().to_string())
}
