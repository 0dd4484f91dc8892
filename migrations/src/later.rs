//! Migrations that a newer release applied before somebody went back to this one.
#![expect(
    elided_lifetimes_in_paths,
    reason = "async_trait matches the trait's own spelling, `&SchemaManager`"
)]

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, Statement};

use crate::names::quoted;

/// One of them: known by its name alone.
struct Later(String);

pub(crate) fn migration(name: &str) -> Box<dyn MigrationTrait> {
    Box::new(Later(name.to_owned()))
}

impl MigrationName for Later {
    fn name(&self) -> &str {
        &self.0
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Later {
    async fn up(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(unknown(&self.0))
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(unknown(&self.0))
    }
}

fn unknown(name: &str) -> DbErr {
    DbErr::Migration(format!("{name} is of a newer release, which alone can take it back"))
}

/// Those that stand in the table `applied` and are not among `known`, in order.
pub(crate) async fn names<'c, C>(
    connection: &'c C,
    applied: &str,
    known: &[Box<dyn MigrationTrait>],
) -> Result<Vec<String>, DbErr>
where
    C: ConnectionTrait,
    &'c C: IntoSchemaManagerConnection<'c>,
{
    if !SchemaManager::new(connection).has_table(applied).await? {
        return Ok(Vec::new());
    }
    let query = format!(r#"SELECT "version" FROM {} ORDER BY "version""#, quoted(applied));
    let statement = Statement::from_string(connection.get_database_backend(), query);
    let rows = connection.query_all_raw(statement).await?;
    let mut names: Vec<String> =
        rows.iter().map(|row| row.try_get("", "version")).collect::<Result<_, _>>()?;
    names.retain(|name| known.iter().all(|migration| migration.name() != name));
    Ok(names)
}

/// What an operator should know about them.
pub(crate) fn note(names: &[String]) -> Option<String> {
    let list = names.join(", ");
    (!names.is_empty()).then(|| {
        format!("the database was migrated by a newer release, which this one does without: {list}")
    })
}
