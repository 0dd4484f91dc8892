//! Whether Postgres tells of changes.

use nextbnb_migrations::{CHANGE_FEED, TableNames, session_triggers, user_triggers};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

use super::Finding;
use crate::database::look::Look;
use crate::database::tables::TableChoice;

const ID: &str = "change-feed";

/// Says nothing where the triggers are yet to be made: that is pending.
pub(super) async fn check(
    look: &Look,
    choice: &TableChoice,
    names: &TableNames,
) -> Result<Vec<Finding>, DbErr> {
    let is_planned = look.plan(choice).await.is_ok_and(|plan| {
        let mut pending = plan.pending.iter();
        pending.any(|step| step.name == CHANGE_FEED)
    });
    if look.backend() != DbBackend::Postgres || is_planned {
        return Ok(Vec::new());
    }
    let transaction = look.begin().await?;
    let mut missing = Vec::new();
    for (table, triggers) in
        [(&names.sessions, session_triggers(names)), (&names.users, user_triggers(names))]
    {
        let fire = firing(&transaction, table).await?;
        let names = triggers.into_iter().map(|trigger| trigger.name);
        missing.extend(names.filter(|name| !fire.contains(name)));
    }
    Ok(vec![judge(names, missing)])
}

fn judge(names: &TableNames, missing: Vec<String>) -> Finding {
    if missing.is_empty() {
        return Finding::ok(ID, "the triggers that tell of changes are there, and fire");
    }
    let applied = names.own("nextbnb_migrations");
    Finding::warning(ID, format!("triggers are missing or disabled: {}", missing.join(", ")))
        .why("no session is kept in memory: each request with a cookie asks the database")
        .cure(format!(
            "DELETE FROM \"{applied}\" WHERE version = '{CHANGE_FEED}', and then `migrate`"
        ))
        .fact("missing", missing)
}

async fn firing(connection: &impl ConnectionTrait, table: &str) -> Result<Vec<String>, DbErr> {
    let query = r#"SELECT tgname::text AS "name" FROM pg_trigger
        WHERE tgrelid = to_regclass(quote_ident($1::text)) AND tgenabled IN ('O', 'A')"#;
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, query, [table.into()]);
    let rows = connection.query_all_raw(statement).await?;
    rows.iter().map(|row| row.try_get("", "name")).collect()
}
