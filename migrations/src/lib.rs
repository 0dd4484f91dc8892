//! The schema that the gateway shares with Sequelize, and what the gateway adds to it.
//!
//! Nothing here alters or removes a table, a column or a row that Express owns: Sequelize's tables
//! are adopted where they exist, and going back to Express stays possible at any time.

mod additions;
mod change_feed;
pub mod discovery;
mod email;
mod later;
mod names;
pub mod notices;
pub mod plan;
mod tables;

pub use change_feed::{CHANGE_FEED, Trigger, session_triggers, user_triggers};
pub use names::{DELETED_AT, TableNames, UserColumns};

use plan::{Plan, Planned};
use sea_orm_migration::MigratorTraitSelf;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};

/// Holds every replica that starts meanwhile until the first one has migrated: `nextbnb` in bytes.
const ADVISORY_LOCK: i64 = 0x006e_6578_7462_6e62;

/// The migrations of the tables with these names, in order; what was applied stands in a table of
/// its own for each pair of names.
#[derive(Debug)]
struct Migrator<'a> {
    tables: &'a TableNames,
    later: Vec<String>,
}

impl<'a> Migrator<'a> {
    async fn over<'c, C>(connection: &'c C, tables: &'a TableNames) -> Result<Self, DbErr>
    where
        C: ConnectionTrait,
        &'c C: IntoSchemaManagerConnection<'c>,
    {
        let mut migrator = Self { tables, later: Vec::new() };
        let known = migrator.migrations();
        migrator.later = later::names(connection, &tables.own(APPLIED), &known).await?;
        Ok(migrator)
    }

    /// Those of this release.
    fn known(&self) -> Vec<Box<dyn Planned>> {
        let tables = self.tables;
        vec![
            Box::new(tables::Tables(tables.clone())),
            Box::new(additions::Additions(tables.clone())),
            Box::new(change_feed::ChangeFeed(tables.clone())),
        ]
    }
}

impl MigratorTraitSelf for Migrator<'_> {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        let known = self.known().into_iter();
        let mut migrations: Vec<Box<dyn MigrationTrait>> =
            known.map(|migration| migration as Box<dyn MigrationTrait>).collect();
        migrations.extend(self.later.iter().map(|name| later::migration(name)));
        migrations
    }

    fn migration_table_name(&self) -> DynIden {
        Alias::new(self.tables.own(APPLIED)).into_iden()
    }
}

/// The table that tells which migrations were applied.
const APPLIED: &str = "nextbnb_migrations";

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
/// Those of a newer release are left as they are: each leaves the tables fit for the release
/// before it, so that going back by one stays possible. Asks first, so that a role without the right to create tables can start on a schema that is
/// complete. Replicas that start at once wait for one another.
pub async fn migrate(
    connection: &DatabaseConnection,
    tables: &TableNames,
) -> Result<Applied, DbErr> {
    let mut migrator = Migrator::over(connection, tables).await?;
    let mut names = Vec::new();
    if !migrator.get_pending_migrations_read_only(connection).await?.is_empty() {
        let transaction = begin_alone(connection).await?;
        migrator = Migrator::over(&transaction, tables).await?;
        let pending = migrator.get_pending_migrations(&transaction).await?;
        names.extend(pending.iter().map(|migration| migration.name().to_owned()));
        migrator.up(&transaction, None).await?;
        transaction.commit().await?;
    }
    let looking = begin_unhurried(connection, TransactionOptions::default()).await?;
    let mut notes = email::notes(&looking, tables).await?;
    looking.rollback().await?;
    notes.extend(later::note(&migrator.later));
    Ok(Applied { names, notes })
}

/// What [`migrate`] would send; asks only, and needs no right but to read the catalogue and count
/// addresses.
pub async fn plan(transaction: &DatabaseTransaction, tables: &TableNames) -> Result<Plan, DbErr> {
    let migrator = Migrator::over(transaction, tables).await?;
    let pending = migrator.get_pending_migrations_read_only(transaction).await?;
    let is_pending = |name: &str| pending.iter().any(|migration| migration.name() == name);
    let mut known = migrator.known();
    known.retain(|migration| is_pending(migration.name()));
    Plan::of(transaction, tables, known, migrator.later).await
}

/// Takes back what the gateway added, and nothing else: see the `down` of each migration.
///
/// Fails, and changes nothing, where a newer release has added more.
pub async fn revert(connection: &DatabaseConnection, tables: &TableNames) -> Result<(), DbErr> {
    let transaction = begin_alone(connection).await?;
    Migrator::over(&transaction, tables).await?.reset(&transaction).await?;
    transaction.commit().await
}

async fn begin_alone(connection: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let transaction = begin_unhurried(connection, options).await?;
    if transaction.get_database_backend() == DbBackend::Postgres {
        let lock = format!("SELECT pg_advisory_xact_lock({ADVISORY_LOCK})");
        transaction.execute_unprepared(&lock).await?;
    }
    Ok(transaction)
}

/// A transaction whose statements take as long as they take, whatever the connection's limit.
async fn begin_unhurried(
    connection: &DatabaseConnection,
    options: TransactionOptions,
) -> Result<DatabaseTransaction, DbErr> {
    let transaction = connection.begin_with_options(options).await?;
    if transaction.get_database_backend() == DbBackend::Postgres {
        transaction.execute_unprepared("SET LOCAL statement_timeout = 0").await?;
    }
    Ok(transaction)
}
