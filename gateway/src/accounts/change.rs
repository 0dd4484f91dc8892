//! Accounts that are there already, altered and removed.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SimpleExpr, UpdateStatement};
use sea_orm::{ConnectionTrait, StatementBuilder};

use super::Accounts;
use super::account::Account;
use crate::database::{DatabaseError, dialect};

impl Accounts {
    /// Replaces an account's hash, unless somebody else has meanwhile; then nothing, `false`.
    pub(crate) async fn replace_hash(
        &self,
        connection: &impl ConnectionTrait,
        account: &Account,
        (old, new): (&str, &str),
    ) -> Result<bool, DatabaseError> {
        let mut update = self.hash_update(connection, new);
        update.and_where(Expr::col(self.columns.password.clone()).eq(old));
        self.alter(connection, account, |is_it| update.and_where(is_it).to_owned()).await
    }

    /// Gives an account this hash, whatever it had; `false` where the account is gone.
    pub(crate) async fn set_hash(
        &self,
        connection: &impl ConnectionTrait,
        account: &Account,
        new: &str,
    ) -> Result<bool, DatabaseError> {
        let mut update = self.hash_update(connection, new);
        self.alter(connection, account, |is_it| update.and_where(is_it).to_owned()).await
    }

    /// Removes an account, or marks it as deleted `now` where the site keeps those, as Sequelize does
    /// under `paranoid`; `false` where it is gone.
    pub(crate) async fn remove(
        &self,
        connection: &impl ConnectionTrait,
        account: &Account,
        now: DateTime<Utc>,
    ) -> Result<bool, DatabaseError> {
        let waits_briefly = dialect::waits_briefly(connection.get_database_backend());
        let Some(deleted_at) = self.columns.deleted_at.clone() else {
            let mut delete = Query::delete().from_table(self.table.clone()).to_owned();
            delete.and_where_option(waits_briefly);
            return self.alter(connection, account, |it| delete.and_where(it).to_owned()).await;
        };
        let mut update = Query::update().table(self.table.clone()).to_owned();
        update.value(deleted_at.clone(), now).and_where(Expr::col(deleted_at).is_null());
        update.and_where_option(waits_briefly);
        self.alter(connection, account, |it| update.and_where(it).to_owned()).await
    }

    fn hash_update(&self, connection: &impl ConnectionTrait, new: &str) -> UpdateStatement {
        Query::update()
            .table(self.table.clone())
            .value(self.columns.password.clone(), new)
            .and_where_option(dialect::waits_briefly(connection.get_database_backend()))
            .to_owned()
    }

    /// Sends what `statement` makes of the condition for this account's row; whether there was one.
    async fn alter<S: StatementBuilder>(
        &self,
        connection: &impl ConnectionTrait,
        account: &Account,
        statement: impl FnOnce(SimpleExpr) -> S,
    ) -> Result<bool, DatabaseError> {
        let Some(id) = self.columns.id_kind.value(&account.id.to_string()) else {
            return Ok(false);
        };
        let statement = statement(Expr::col(self.columns.id.clone()).eq(id));
        let altered = connection.execute(&statement).await.map_err(|error| self.failed(error))?;
        Ok(altered.rows_affected() > 0)
    }
}
