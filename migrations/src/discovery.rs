//! Tables that a site has already.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseTransaction;

/// Those of `candidates` that are tables with all of `columns`, in the order given.
pub async fn tables_with(
    transaction: &DatabaseTransaction,
    candidates: &[&str],
    columns: &[String],
) -> Result<Vec<String>, DbErr> {
    let schema = SchemaManager::new(transaction);
    let mut found = Vec::new();
    for table in candidates {
        if schema.has_table(table).await? && has_all(&schema, table, columns).await? {
            found.push((*table).to_owned());
        }
    }
    Ok(found)
}

async fn has_all(
    schema: &SchemaManager<'_>,
    table: &str,
    columns: &[String],
) -> Result<bool, DbErr> {
    for column in columns {
        if !schema.has_column(table, column).await? {
            return Ok(false);
        }
    }
    Ok(true)
}
