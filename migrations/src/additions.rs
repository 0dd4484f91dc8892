//! Adds a name to accounts, and the indexes that the gateway's queries need.
#![expect(
    elided_lifetimes_in_paths,
    reason = "async_trait matches the trait's own spelling, `&SchemaManager`"
)]

use sea_orm_migration::prelude::*;

use crate::names::quoted;
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
        let (connection, names) = (manager.get_connection(), &self.0);
        let name = &names.user_columns.name;
        if names.user_columns.name_is_ours() && !manager.has_column(&names.users, name).await? {
            let (users, name) = (names.quoted_users(), quoted(name));
            let add = format!("ALTER TABLE {users} ADD COLUMN {name} TEXT");
            connection.execute_unprepared(&add).await?;
        }
        let (index, sessions) = (names.own(EXPIRES_INDEX), names.quoted_sessions());
        let create = format!(r#"CREATE INDEX IF NOT EXISTS "{index}" ON {sessions} ("expires")"#);
        connection.execute_unprepared(&create).await?;
        email::add_indexes(connection, names).await
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
