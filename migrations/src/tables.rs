//! Adopts Sequelize's tables, or makes them as Sequelize would.
#![expect(
    elided_lifetimes_in_paths,
    reason = "async_trait matches the trait's own spelling, `&SchemaManager`"
)]

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::TableNames;

pub(crate) struct Tables(pub(crate) TableNames);

impl MigrationName for Tables {
    fn name(&self) -> &'static str {
        "m0001_sequelize_tables"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Tables {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let statements = match manager.get_database_backend() {
            DbBackend::Sqlite => SQLITE,
            _ => POSTGRES,
        };
        let [sessions, users] = statements;
        let connection = manager.get_connection();
        for (name, columns) in
            [(self.0.quoted_sessions(), sessions), (self.0.quoted_users(), users)]
        {
            let create = format!("CREATE TABLE IF NOT EXISTS {name} {columns}");
            connection.execute_unprepared(&create).await?;
        }
        Ok(())
    }

    /// Leaves both tables: the sessions and accounts in them are the site's, whoever made them.
    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}

/// The columns that `sync()` of Sequelize 6 makes, of sessions and of accounts.
const POSTGRES: [&str; 2] = [
    r#"(
        "sid" VARCHAR(36),
        "expires" TIMESTAMP WITH TIME ZONE,
        "data" TEXT,
        "createdAt" TIMESTAMP WITH TIME ZONE NOT NULL,
        "updatedAt" TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY ("sid"))"#,
    r#"(
        "id" SERIAL,
        "email" VARCHAR(255) NOT NULL UNIQUE,
        "password" VARCHAR(255) NOT NULL,
        PRIMARY KEY ("id"))"#,
];

const SQLITE: [&str; 2] = [
    r#"(
        "sid" VARCHAR(36) PRIMARY KEY,
        "expires" DATETIME,
        "data" TEXT,
        "createdAt" DATETIME NOT NULL,
        "updatedAt" DATETIME NOT NULL)"#,
    r#"(
        "id" INTEGER PRIMARY KEY AUTOINCREMENT,
        "email" VARCHAR(255) NOT NULL UNIQUE,
        "password" VARCHAR(255) NOT NULL)"#,
];
