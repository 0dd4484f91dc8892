//! The schema that the gateway shares with Sequelize, and what the gateway adds to it.
//!
//! Nothing here alters or removes a table, a column or a row that Express owns: Sequelize's tables
//! are adopted where they exist, and going back to Express stays possible at any time.

mod additions;
mod email;
mod names;
mod tables;

pub use names::TableNames;

use sea_orm_migration::MigratorTraitSelf;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbBackend, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};

/// Holds every replica that starts meanwhile until the first one has migrated: `nextbnb` in bytes.
const ADVISORY_LOCK: i64 = 0x006e_6578_7462_6e62;

/// The migrations of the tables with these names, in order; what was applied stands in a table of
/// its own for each pair of names.
#[derive(Debug)]
struct Migrator<'a>(&'a TableNames);

impl MigratorTraitSelf for Migrator<'_> {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        let Self(names) = self;
        vec![
            Box::new(tables::Tables((*names).clone())),
            Box::new(additions::Additions((*names).clone())),
        ]
    }

    fn migration_table_name(&self) -> DynIden {
        Alias::new(self.0.own("nextbnb_migrations")).into_iden()
    }
}

/// What [`migrate`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// The migrations applied by this run, in order; empty when there was nothing to do.
    pub names: Vec<String>,
    /// What the operator should know about the tables, in whole sentences' words.
    pub notes: Vec<String>,
}

/// Applies what is pending, all of it or nothing.
///
/// Asks first, so that a role without the right to create tables can start on a schema that is
/// complete. Replicas that start at once wait for one another.
pub async fn migrate(
    connection: &DatabaseConnection,
    tables: &TableNames,
) -> Result<Applied, DbErr> {
    let migrator = Migrator(tables);
    let mut names = Vec::new();
    if !migrator.get_pending_migrations_read_only(connection).await?.is_empty() {
        let transaction = begin_alone(connection).await?;
        let pending = migrator.get_pending_migrations(&transaction).await?;
        names.extend(pending.iter().map(|migration| migration.name().to_owned()));
        migrator.up(&transaction, None).await?;
        transaction.commit().await?;
    }
    let notes = email::notes(connection, tables).await?;
    Ok(Applied { names, notes })
}

/// Takes back what the gateway added, and nothing else: see the `down` of each migration.
pub async fn revert(connection: &DatabaseConnection, tables: &TableNames) -> Result<(), DbErr> {
    let transaction = begin_alone(connection).await?;
    Migrator(tables).reset(&transaction).await?;
    transaction.commit().await
}

async fn begin_alone(connection: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let transaction = connection.begin_with_options(options).await?;
    if transaction.get_database_backend() == DbBackend::Postgres {
        let lock = format!("SELECT pg_advisory_xact_lock({ADVISORY_LOCK})");
        transaction.execute_unprepared(&lock).await?;
    }
    Ok(transaction)
}
