//! What a table's columns want of whoever inserts a row.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, Statement};

/// A column that the database does not fill by itself.
#[derive(Debug, FromQueryResult)]
pub(crate) struct Unfilled {
    pub(crate) name: String,
    /// Whether it holds a date with a time.
    pub(crate) is_time: bool,
    /// Whether a row without a value is refused.
    pub(crate) is_required: bool,
}

/// The columns of `table` that have no default and are not generated.
pub(crate) async fn unfilled(
    connection: &impl ConnectionTrait,
    table: &str,
) -> Result<Vec<Unfilled>, DbErr> {
    let backend = connection.get_database_backend();
    let (query, table) = match backend {
        DbBackend::Sqlite => (ON_SQLITE, table.to_owned()),
        _ => (ON_POSTGRES, format!("\"{}\"", table.replace('"', "\"\""))),
    };
    let statement = Statement::from_sql_and_values(backend, query, [table.into()]);
    let rows = connection.query_all_raw(statement).await?;
    rows.iter().map(|row| Unfilled::from_query_result(row, "")).collect()
}

const ON_POSTGRES: &str = r#"SELECT a.attname::text AS "name", a.attnotnull AS "is_required",
        a.atttypid IN ('timestamptz'::regtype, 'timestamp'::regtype) AS "is_time"
    FROM pg_attribute a
    WHERE a.attrelid = $1::text::regclass AND a.attnum > 0 AND NOT a.attisdropped
      AND NOT a.atthasdef AND a.attidentity = ''"#;

/// The key is a row's number, which is filled.
const ON_SQLITE: &str = r#"SELECT "name", "notnull" AS "is_required",
        "type" LIKE 'datetime%' OR "type" LIKE 'timestamp%' AS "is_time"
    FROM pragma_table_info(?) WHERE "dflt_value" IS NULL AND "pk" = 0"#;
