//! E-mail addresses: unique where the accounts allow it, and found whatever their case.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::names::{literal, quoted};
use crate::{DELETED_AT, TableNames};

/// One account per address, where Sequelize did not see to that.
pub(crate) const UNIQUE_INDEX: &str = "nextbnb_users_email";

/// Finds an address by its ASCII lower case, as login and register do.
pub(crate) const CASE_INDEX: &str = "nextbnb_users_email_case";

/// The statements that make both, as far as they can be made.
pub(crate) async fn indexes(
    schema: &SchemaManager<'_>,
    names: &TableNames,
) -> Result<Vec<String>, DbErr> {
    let (connection, users) = (schema.get_connection(), names.quoted_users());
    let email = quoted(&names.user_columns.email);
    let folded = match connection.get_database_backend() {
        DbBackend::Postgres => format!(r#"lower({email} COLLATE "C")"#),
        _ => format!("lower({email})"),
    };
    let index = names.own(CASE_INDEX);
    let mut statements =
        vec![format!(r#"CREATE INDEX IF NOT EXISTS "{index}" ON {users} ({folded})"#)];
    // A table that is yet to be made is made with unique addresses.
    if schema.has_table(&names.users).await?
        && !is_unique(connection, names).await?
        && count_doubled(connection, names).await? == 0
        && !keeps_deleted(schema, names).await?
    {
        let index = names.own(UNIQUE_INDEX);
        statements
            .push(format!(r#"CREATE UNIQUE INDEX IF NOT EXISTS "{index}" ON {users} ({email})"#));
    }
    Ok(statements)
}

/// Whether accounts are kept after their deletion: who then registers anew is one address twice, and
/// Express's to allow.
async fn keeps_deleted(schema: &SchemaManager<'_>, names: &TableNames) -> Result<bool, DbErr> {
    for column in DELETED_AT {
        if schema.has_column(&names.users, column).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What an operator should know about the addresses.
pub(crate) async fn notes(
    connection: &impl ConnectionTrait,
    names: &TableNames,
) -> Result<Vec<String>, DbErr> {
    if is_unique(connection, names).await? {
        return Ok(Vec::new());
    }
    let doubled = count_doubled(connection, names).await?;
    Ok(vec![format!(
        "{}.{} is not unique; addresses with more than one account: {doubled}; \
         each signs in to the one with the lowest {}",
        names.users, names.user_columns.email, names.user_columns.id
    )])
}

/// Whether some index, whoever made it, lets each address occur once.
async fn is_unique(connection: &impl ConnectionTrait, names: &TableNames) -> Result<bool, DbErr> {
    let query = match connection.get_database_backend() {
        DbBackend::Postgres => unique_on_postgres(names),
        _ => unique_on_sqlite(names),
    };
    Ok(count(connection, &query).await? > 0)
}

/// How many addresses have several accounts.
async fn count_doubled(
    connection: &impl ConnectionTrait,
    names: &TableNames,
) -> Result<i64, DbErr> {
    let (users, email) = (names.quoted_users(), quoted(&names.user_columns.email));
    let query = format!(
        r#"SELECT count(*) AS "n" FROM
        (SELECT 1 FROM {users} WHERE {email} IS NOT NULL GROUP BY {email} HAVING count(*) > 1) AS "doubled""#
    );
    count(connection, &query).await
}

async fn count(connection: &impl ConnectionTrait, query: &str) -> Result<i64, DbErr> {
    let statement = Statement::from_string(connection.get_database_backend(), query);
    match connection.query_one_raw(statement).await? {
        Some(row) => row.try_get("", "n"),
        None => Ok(0),
    }
}

/// Valid, not partial, and on the one column: anything else lets some address occur twice.
fn unique_on_postgres(names: &TableNames) -> String {
    let (users, email) = (literal(&names.quoted_users()), literal(&names.user_columns.email));
    format!(
        r#"SELECT count(*) AS "n"
        FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        WHERE i.indrelid = {users}::regclass AND i.indisunique AND i.indisvalid
          AND i.indpred IS NULL AND i.indnkeyatts = 1 AND a.attname = {email}"#
    )
}

fn unique_on_sqlite(names: &TableNames) -> String {
    let (users, email) = (literal(&names.users), literal(&names.user_columns.email));
    format!(
        r#"SELECT count(*) AS "n" FROM pragma_index_list({users}) AS "list"
        WHERE "list"."unique" = 1 AND "list"."partial" = 0
          AND (SELECT group_concat("name") FROM pragma_index_info("list"."name")) = {email}"#
    )
}
