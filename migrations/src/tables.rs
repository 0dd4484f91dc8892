//! Adopts Sequelize's tables, or makes them as Sequelize would.
#![expect(
    elided_lifetimes_in_paths,
    reason = "async_trait matches the trait's own spelling, `&SchemaManager`"
)]

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::names::quoted;
use crate::plan::{Planned, send};
use crate::{TableNames, UserColumns};

pub(crate) struct Tables(pub(crate) TableNames);

impl MigrationName for Tables {
    fn name(&self) -> &'static str {
        "m0001_sequelize_tables"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Tables {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        send(manager, self.statements(manager).await?).await
    }

    /// Leaves both tables: the sessions and accounts in them are the site's, whoever made them.
    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}

#[async_trait::async_trait]
impl Planned for Tables {
    async fn statements(&self, schema: &SchemaManager) -> Result<Vec<String>, DbErr> {
        let (sessions, users) = match schema.get_database_backend() {
            DbBackend::Sqlite => (SESSIONS_ON_SQLITE, users_on_sqlite(&self.0.user_columns)),
            _ => (SESSIONS_ON_POSTGRES, users_on_postgres(&self.0.user_columns)),
        };
        let tables =
            [(self.0.quoted_sessions(), sessions), (self.0.quoted_users(), users.as_str())];
        let create = |(name, columns)| format!("CREATE TABLE IF NOT EXISTS {name} {columns}");
        Ok(tables.map(create).into())
    }
}

/// The columns that `sync()` of Sequelize 6 makes, of sessions.
const SESSIONS_ON_POSTGRES: &str = r#"(
    "sid" VARCHAR(36),
    "expires" TIMESTAMP WITH TIME ZONE,
    "data" TEXT,
    "createdAt" TIMESTAMP WITH TIME ZONE NOT NULL,
    "updatedAt" TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY ("sid"))"#;

const SESSIONS_ON_SQLITE: &str = r#"(
    "sid" VARCHAR(36) PRIMARY KEY,
    "expires" DATETIME,
    "data" TEXT,
    "createdAt" DATETIME NOT NULL,
    "updatedAt" DATETIME NOT NULL)"#;

/// Those that it makes of accounts.
fn users_on_postgres(columns: &UserColumns) -> String {
    let [id, email, password] = quoted_three(columns);
    let name = their_name(columns);
    format!(
        "({id} SERIAL, {email} VARCHAR(255) NOT NULL UNIQUE, {password} VARCHAR(255) NOT NULL{name},
        PRIMARY KEY ({id}))"
    )
}

fn users_on_sqlite(columns: &UserColumns) -> String {
    let [id, email, password] = quoted_three(columns);
    let name = their_name(columns);
    format!(
        "({id} INTEGER PRIMARY KEY AUTOINCREMENT, {email} VARCHAR(255) NOT NULL UNIQUE,
        {password} VARCHAR(255) NOT NULL{name})"
    )
}

fn quoted_three(columns: &UserColumns) -> [String; 3] {
    [&columns.id, &columns.email, &columns.password].map(|name| quoted(name))
}

/// A name's column that the site has a word for; ours is added later, as to every other table.
fn their_name(columns: &UserColumns) -> String {
    if columns.name_is_ours() {
        return String::new();
    }
    format!(", {} TEXT", quoted(&columns.name))
}
