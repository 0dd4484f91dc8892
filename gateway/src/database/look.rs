//! A database that is only looked at.

use std::path::{Path, PathBuf};

use nextbnb_migrations::plan::Plan;
use sea_orm::{
    AccessMode, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, TransactionTrait,
};

use super::layout::missing_users_column;
use super::tables::TableChoice;
use super::{DatabaseLimits, DatabaseTarget, cause, kind_of, postgres, sqlite};
use crate::error::StartError;

/// A connection that writes nothing: a file is opened for reading and never made, and whatever a
/// server is asked stands in a transaction that it was told only reads.
#[derive(Debug)]
pub struct Look {
    connection: DatabaseConnection,
    place: String,
    file: Option<PathBuf>,
}

impl Look {
    /// Opens the database and proves that it answers.
    pub async fn open(
        target: &DatabaseTarget,
        limits: &DatabaseLimits,
    ) -> Result<Self, StartError> {
        let limits = DatabaseLimits { connections: 1, ..limits.clone() };
        let (connection, file) = match target {
            DatabaseTarget::Embedded(path) => sqlite::look_at_embedded(path, &limits).await?,
            DatabaseTarget::Url(url) if kind_of(url)? == DbBackend::Sqlite => {
                sqlite::look_at_url(url, &limits).await?
            }
            DatabaseTarget::Url(url) => {
                let connection = postgres::open(url, &limits).await?;
                return Ok(Self { connection, place: postgres::place_of(url)?, file: None });
            }
        };
        Ok(Self { connection, place: format!("file {}", file.display()), file: Some(file) })
    }

    /// Where the database is, without a password.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The file, where it is one.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Which kind it is.
    pub fn backend(&self) -> DbBackend {
        self.connection.get_database_backend()
    }

    /// Begins a transaction that cannot write.
    pub(crate) async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        match self.backend() {
            // Not a setting of the connection: behind a pooler the next client would inherit it.
            DbBackend::Postgres => {
                self.connection.begin_with_config(None, Some(AccessMode::ReadOnly)).await
            }
            _ => self.connection.begin().await,
        }
    }

    /// What `migrate` would send for the tables that are meant; fails where it would.
    pub async fn plan(&self, choice: &TableChoice) -> Result<Plan, StartError> {
        let failed = |error: DbErr| StartError::Plan { source: cause(&error).into() };
        let transaction = self.begin().await.map_err(failed)?;
        let tables = choice.find(&transaction).await?;
        if let Some(missing) = missing_users_column(&transaction, &tables).await {
            return Err(missing);
        }
        nextbnb_migrations::plan(&transaction, &tables).await.map_err(failed)
    }

    /// Closes the connection.
    pub async fn close(self) -> Result<(), DbErr> {
        self.connection.close().await
    }
}
