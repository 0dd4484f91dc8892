//! Adds a name to accounts, and the indexes that the gateway's queries need.
#![expect(
    elided_lifetimes_in_paths,
    reason = "async_trait matches the trait's own spelling, `&SchemaManager`"
)]

use sea_orm_migration::prelude::*;

use crate::email;

pub(crate) struct Additions;

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
        let connection = manager.get_connection();
        if !manager.has_column("users", "name").await? {
            connection.execute_unprepared(r#"ALTER TABLE "users" ADD COLUMN "name" TEXT"#).await?;
        }
        connection
            .execute_unprepared(&format!(
                r#"CREATE INDEX IF NOT EXISTS "{EXPIRES_INDEX}" ON "Sessions" ("expires")"#
            ))
            .await?;
        email::add_indexes(connection).await
    }

    /// Keeps `users.name`: it may hold what people wrote, or have been the site's own column.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        for index in [EXPIRES_INDEX, email::UNIQUE_INDEX, email::CASE_INDEX] {
            let drop = format!(r#"DROP INDEX IF EXISTS "{index}""#);
            connection.execute_unprepared(&drop).await?;
        }
        Ok(())
    }
}
