//! Has Postgres tell of changed sessions and accounts, whoever changes them.
#![expect(
    elided_lifetimes_in_paths,
    reason = "async_trait matches the trait's own spelling, `&SchemaManager`"
)]

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::TableNames;
use crate::names::{literal, quoted};
use crate::notices;
use crate::plan::{Planned, send};

pub(crate) struct ChangeFeed(pub(crate) TableNames);

/// What the migration is called in the table of applied ones.
pub const CHANGE_FEED: &str = "m0003_change_feed";

impl MigrationName for ChangeFeed {
    fn name(&self) -> &'static str {
        CHANGE_FEED
    }
}

/// A trigger of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// What it is called.
    pub name: String,
    event: &'static str,
}

/// What happens to a row, and how a trigger sees it. Postgres lets no trigger for several of these
/// see rows.
const EVENTS: [(&str, &str); 4] = [
    ("inserted", "AFTER INSERT {table} REFERENCING NEW TABLE AS new_rows"),
    ("updated", "AFTER UPDATE {table} REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows"),
    ("deleted", "AFTER DELETE {table} REFERENCING OLD TABLE AS old_rows"),
    ("truncated", "AFTER TRUNCATE {table}"),
];

/// The triggers on the table of sessions, all of which the change feed needs.
pub fn session_triggers(names: &TableNames) -> Vec<Trigger> {
    triggers(names, "sessions", &EVENTS)
}

/// Those on the table of accounts. A new one needs none: nobody was told that it is missing.
pub fn user_triggers(names: &TableNames) -> Vec<Trigger> {
    triggers(names, "users", EVENTS.split_at(1).1)
}

fn triggers(names: &TableNames, of: &str, events: &[(&str, &'static str)]) -> Vec<Trigger> {
    let trigger = |&(what, event): &(&str, &'static str)| Trigger {
        name: names.own(&format!("nextbnb_{of}_{what}")),
        event,
    };
    events.iter().map(trigger).collect()
}

/// A table, what tells of it, and when.
struct Told<'a> {
    table: &'a str,
    function: String,
    body: String,
    triggers: Vec<Trigger>,
}

fn told(names: &TableNames) -> [Told<'_>; 2] {
    [
        Told {
            table: &names.sessions,
            function: quoted(&names.own("nextbnb_tell_sessions")),
            body: notices::of_sessions(),
            triggers: session_triggers(names),
        },
        Told {
            table: &names.users,
            function: quoted(&names.own("nextbnb_tell_users")),
            body: notices::of_users(&names.user_columns),
            triggers: user_triggers(names),
        },
    ]
}

#[async_trait::async_trait]
impl MigrationTrait for ChangeFeed {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        send(manager, self.statements(manager).await?).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        let connection = manager.get_connection();
        for Told { table, function, triggers, .. } in told(&self.0) {
            for Trigger { name, .. } in triggers {
                let drop = format!("DROP TRIGGER IF EXISTS {} ON {}", quoted(&name), quoted(table));
                connection.execute_unprepared(&drop).await?;
            }
            connection.execute_unprepared(&format!("DROP FUNCTION IF EXISTS {function}()")).await?;
        }
        Ok(())
    }
}

#[async_trait::async_trait]
impl Planned for ChangeFeed {
    /// Mends what is there in part: a restored dump, or a trigger that somebody disabled. On SQLite
    /// the gateway looks at the file instead.
    async fn statements(&self, schema: &SchemaManager) -> Result<Vec<String>, DbErr> {
        let mut statements = Vec::new();
        if schema.get_database_backend() != DbBackend::Postgres {
            return Ok(statements);
        }
        for Told { table, function, body, triggers } in told(&self.0) {
            statements.push(format!(
                "CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql\n\
                 SET search_path = pg_catalog, pg_temp AS {}",
                as_text(&body)
            ));
            let quoted_table = quoted(table);
            for Trigger { name, event } in triggers {
                let state = state(schema.get_connection(), &quoted_table, &name).await?;
                let name = quoted(&name);
                statements.extend(match state.as_deref() {
                    Some("O" | "A") => None,
                    Some(_) => Some(format!("ALTER TABLE {quoted_table} ENABLE TRIGGER {name}")),
                    None => Some(format!(
                        "CREATE TRIGGER {name} {} FOR EACH STATEMENT EXECUTE FUNCTION {function}()",
                        event.replace("{table}", &format!("ON {quoted_table}"))
                    )),
                });
            }
        }
        Ok(statements)
    }
}

/// As whoever reads the printed SQL would write it, where no column's name ends that.
fn as_text(body: &str) -> String {
    const MARK: &str = "$nextbnb$";
    if body.contains(MARK) { literal(body) } else { format!("{MARK}{body}{MARK}") }
}

/// Whether a trigger is there and fires, by the letter of `pg_trigger.tgenabled`.
async fn state(
    connection: &impl ConnectionTrait,
    quoted_table: &str,
    name: &str,
) -> Result<Option<String>, DbErr> {
    let query = r#"SELECT tgenabled::text AS "state" FROM pg_trigger
        WHERE tgrelid = to_regclass($1::text) AND tgname = $2::text"#;
    let values = [quoted_table.into(), name.into()];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, query, values);
    let row = connection.query_one_raw(statement).await?;
    row.map(|row| row.try_get("", "state")).transpose()
}
