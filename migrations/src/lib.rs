//! The schema that the gateway shares with Sequelize, and what the gateway adds to it.
//!
//! Nothing here alters or removes a table, a column or a row that Express owns: Sequelize's tables
//! are adopted where they exist, and going back to Express stays possible at any time.

mod additions;
mod email;
mod tables;

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbBackend, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};

/// Holds every replica that starts meanwhile until the first one has migrated: `nextbnb` in bytes.
const ADVISORY_LOCK: i64 = 0x006e_6578_7462_6e62;

/// The migrations, in order; what was applied stands in table `nextbnb_migrations`.
#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(tables::Tables), Box::new(additions::Additions)]
    }

    fn migration_table_name() -> DynIden {
        Alias::new("nextbnb_migrations").into_iden()
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
pub async fn migrate(connection: &DatabaseConnection) -> Result<Applied, DbErr> {
    let mut names = Vec::new();
    if !Migrator::get_pending_migrations_read_only(connection).await?.is_empty() {
        let transaction = begin_alone(connection).await?;
        let pending = Migrator::get_pending_migrations(&transaction).await?;
        names.extend(pending.iter().map(|migration| migration.name().to_owned()));
        Migrator::up(&transaction, None).await?;
        transaction.commit().await?;
    }
    let notes = email::notes(connection).await?;
    Ok(Applied { names, notes })
}

/// Takes back what the gateway added, and nothing else: see the `down` of each migration.
pub async fn revert(connection: &DatabaseConnection) -> Result<(), DbErr> {
    let transaction = begin_alone(connection).await?;
    Migrator::reset(&transaction).await?;
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
