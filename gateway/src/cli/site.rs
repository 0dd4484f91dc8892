//! A site's tables, for commands that neither make nor alter them.

use nextbnb_migrations::TableNames;
use sea_orm::DbErr;
use tokio::runtime::Handle;

use crate::accounts::Accounts;
use crate::accounts::account::Account;
use crate::config::site_target::SiteTarget;
use crate::database::layout::Layout;
use crate::database::look::Look;
use crate::database::{Database, DatabaseError, DatabaseLimits, columns};
use crate::error::{PeopleError, StartError};
use crate::session::records::SessionRecords;

/// Accounts and sessions as they are.
pub(super) struct Site {
    pub(super) layout: Layout,
    pub(super) accounts: Accounts,
    pub(super) sessions: SessionRecords,
}

impl Site {
    /// Opens the database for reading alone.
    pub(super) async fn look_at(target: &SiteTarget) -> Result<(Look, Self), StartError> {
        let look = Look::open(&target.database, &DatabaseLimits::default()).await?;
        let transaction = look.begin().await.map_err(failed)?;
        let names = target.tables.find(&transaction).await?;
        let TableNames { sessions, users, .. } = &names;
        for (table, flag) in [(sessions, "--session-table"), (users, "--users-table")] {
            if !columns::exists(&transaction, table).await.map_err(failed)? {
                return Err(PeopleError::TableMissing { table: table.clone(), flag }.into());
            }
        }
        let layout = Layout::of(&transaction, &names).await?;
        transaction.rollback().await.map_err(failed)?;
        let accounts = Accounts::new(&layout, target.case);
        let (key, secrets) = (target.user_key.clone(), target.secrets.clone());
        let sessions = SessionRecords::new(&layout, accounts.clone(), key, secrets);
        Ok((look, Self { layout, accounts, sessions }))
    }

    /// Opens the database for writing, beside whoever serves on it. It is looked at first, so that no
    /// file is made.
    pub(super) async fn open(target: &SiteTarget) -> Result<(Database, Self), StartError> {
        let (look, site) = Self::look_at(target).await?;
        look.close().await.map_err(failed)?;
        let limits = DatabaseLimits { connections: 2, ..DatabaseLimits::default() };
        let database = Database::connect(&target.database, &limits, Handle::current()).await?;
        Ok((database, site))
    }

    /// The account that signs in with this address.
    pub(super) async fn account(
        &self,
        connection: &impl sea_orm::ConnectionTrait,
        email: &str,
    ) -> Result<Account, StartError> {
        let found = self.accounts.find_for_login(connection, email).await.map_err(refused)?;
        Ok(found.ok_or_else(|| PeopleError::NoAccount { email: email.to_owned() })?)
    }
}

pub(super) fn failed(error: DbErr) -> StartError {
    refused(error.into())
}

pub(super) fn refused(error: DatabaseError) -> StartError {
    PeopleError::Database { source: error.into() }.into()
}
