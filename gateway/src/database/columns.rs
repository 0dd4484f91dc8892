//! What a table's columns are, and what they want of whoever inserts a row.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, Statement};

/// A column, whatever it is for.
#[derive(Debug, FromQueryResult)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// Its type in small letters, without a length: `character varying` on Postgres, what was
    /// declared on SQLite.
    pub(crate) kind: String,
    /// The most characters that it takes, where that is limited; on Postgres.
    pub(crate) length: Option<i32>,
}

/// A column that the database does not fill by itself.
#[derive(Debug, FromQueryResult)]
pub(crate) struct Unfilled {
    pub(crate) name: String,
    /// Whether it holds a date with a time.
    pub(crate) is_time: bool,
    /// Whether a row without a value is refused, or should be.
    pub(crate) is_required: bool,
}

/// The columns of `table`; none where there is no such table.
pub(crate) async fn columns_of(
    connection: &impl ConnectionTrait,
    table: &str,
) -> Result<Vec<Column>, DbErr> {
    query(connection, table, (KINDS_ON_POSTGRES, KINDS_ON_SQLITE)).await
}

/// Whether there is such a table.
pub(crate) async fn exists(connection: &impl ConnectionTrait, table: &str) -> Result<bool, DbErr> {
    Ok(!columns_of(connection, table).await?.is_empty())
}

/// The columns of `table` that have no default and are not generated.
pub(crate) async fn unfilled(
    connection: &impl ConnectionTrait,
    table: &str,
) -> Result<Vec<Unfilled>, DbErr> {
    query(connection, table, (UNFILLED_ON_POSTGRES, UNFILLED_ON_SQLITE)).await
}

async fn query<T: FromQueryResult>(
    connection: &impl ConnectionTrait,
    table: &str,
    (on_postgres, on_sqlite): (&str, &str),
) -> Result<Vec<T>, DbErr> {
    let backend = connection.get_database_backend();
    let (query, table) = match backend {
        DbBackend::Sqlite => (on_sqlite, table.to_owned()),
        _ => (on_postgres, format!("\"{}\"", table.replace('"', "\"\""))),
    };
    let statement = Statement::from_sql_and_values(backend, query, [table.into()]);
    let rows = connection.query_all_raw(statement).await?;
    rows.iter().map(|row| T::from_query_result(row, "")).collect()
}

/// A domain counts as what it is made of. A text's modifier is its length and the four bytes that
/// Postgres counts in.
const KINDS_ON_POSTGRES: &str = r#"SELECT "name", format_type("base", NULL) AS "kind",
        CASE WHEN "base" IN ('varchar'::regtype, 'bpchar'::regtype) AND "modifier" > 4
            THEN "modifier" - 4 END AS "length"
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    CROSS JOIN LATERAL (SELECT a.attname::text AS "name",
        CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END AS "base",
        CASE t.typtype WHEN 'd' THEN t.typtypmod ELSE a.atttypmod END AS "modifier") AS "told"
    WHERE a.attrelid = to_regclass($1::text) AND a.attnum > 0 AND NOT a.attisdropped"#;

const KINDS_ON_SQLITE: &str = r#"SELECT "name", lower("type") AS "kind", NULL AS "length"
    FROM pragma_table_info(?)"#;

const UNFILLED_ON_POSTGRES: &str = r#"SELECT a.attname::text AS "name", a.attnotnull AS "is_required",
        a.atttypid IN ('timestamptz'::regtype, 'timestamp'::regtype) AS "is_time"
    FROM pg_attribute a
    WHERE a.attrelid = to_regclass($1::text) AND a.attnum > 0 AND NOT a.attisdropped
      AND NOT a.atthasdef AND a.attidentity = ''"#;

/// A key of the type `INTEGER` is a row's number, which is filled; any other may be NULL there,
/// whatever SQL says.
const UNFILLED_ON_SQLITE: &str = r#"SELECT "name", "notnull" OR "pk" > 0 AS "is_required",
        "type" LIKE 'datetime%' OR "type" LIKE 'timestamp%' AS "is_time"
    FROM pragma_table_info(?)
    WHERE "dflt_value" IS NULL AND NOT ("pk" = 1 AND "type" LIKE 'integer')"#;
