//! Adds a name to accounts, and the indexes that the gateway's queries need.
#![expect(
    elided_lifetimes_in_paths,
    reason = "async_trait matches the trait's own spelling, `&SchemaManager`"
)]

use sea_orm_migration::prelude::*;

use crate::names::quoted;
use crate::plan::{Planned, send};
use crate::{TableNames, email};

pub(crate) struct Additions(pub(crate) TableNames);

impl MigrationName for Additions {
    fn name(&self) -> &'static str {
        "m0002_names_and_indexes"
    }
}

/// Without it every sweep reads the whole table.
const EXPIRES_INDEX: &str = "nextbnb_sessions_expires";

#[async_trait::async_trait]
impl MigrationTrait for Additions {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        send(manager, self.statements(manager).await?).await
    }

    /// Keeps `users.name`: it may hold what people wrote, or have been the site's own column.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        for index in [EXPIRES_INDEX, email::UNIQUE_INDEX, email::CASE_INDEX] {
            let drop = format!(r#"DROP INDEX IF EXISTS "{}""#, self.0.own(index));
            connection.execute_unprepared(&drop).await?;
        }
        Ok(())
    }
}

#[async_trait::async_trait]
impl Planned for Additions {
    async fn statements(&self, schema: &SchemaManager) -> Result<Vec<String>, DbErr> {
        let (names, mut statements) = (&self.0, Vec::new());
        let name = &names.user_columns.name;
        if names.user_columns.name_is_ours() && !schema.has_column(&names.users, name).await? {
            let (users, name) = (names.quoted_users(), quoted(name));
            statements.push(format!("ALTER TABLE {users} ADD COLUMN {name} TEXT"));
        }
        let (index, sessions) = (names.own(EXPIRES_INDEX), names.quoted_sessions());
        statements
            .push(format!(r#"CREATE INDEX IF NOT EXISTS "{index}" ON {sessions} ("expires")"#));
        statements.extend(email::indexes(schema, names).await?);
        Ok(statements)
    }
}
