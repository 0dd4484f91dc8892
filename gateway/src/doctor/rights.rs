//! What the role may do, and what follows from what it may not.

use std::fs::OpenOptions;
use std::path::Path;

use nextbnb_migrations::TableNames;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, Statement};

use super::{Finding, Level};
use crate::database::look::Look;

/// What is missing without a right.
struct Need {
    right: &'static str,
    level: Level,
    without: &'static str,
}

const fn need(right: &'static str, level: Level, without: &'static str) -> Need {
    Need { right, level, without }
}

const ON_SESSIONS: [Need; 4] = [
    need("SELECT", Level::Problem, "no session is known"),
    need("INSERT", Level::Problem, "nobody can sign in"),
    need("UPDATE", Level::Problem, "sessions in use end on their day"),
    need("DELETE", Level::Problem, "nobody can sign in again or out, and ended rows stay"),
];

const ON_USERS: [Need; 2] = [
    need("SELECT", Level::Problem, "nobody is known"),
    need("INSERT", Level::Warning, "nobody can register at the gateway"),
];

/// What one role may do with one table.
#[derive(Debug, FromQueryResult)]
struct Rights {
    role: String,
    /// The rights that it has, with commas between.
    held: String,
    /// The sequence that numbers new rows, where the role may not use it.
    barred_sequence: Option<String>,
}

impl Rights {
    fn has(&self, right: &str) -> bool {
        self.held.split(',').any(|held| held == right)
    }
}

/// Looks at the tables that are there; on SQLite at the file.
pub(super) async fn check(look: &Look, names: &TableNames) -> Result<Vec<Finding>, DbErr> {
    if look.backend() != DbBackend::Postgres {
        return Ok(vec![of_file(look)]);
    }
    let transaction = look.begin().await?;
    let mut findings = Vec::new();
    findings.extend(standby(&transaction).await?);
    for (id, table, column, needs) in [
        ("session-rights", &names.sessions, "sid", &ON_SESSIONS[..]),
        ("account-rights", &names.users, names.user_columns.id.as_str(), &ON_USERS[..]),
    ] {
        if let Some(rights) = rights(&transaction, table, column).await? {
            findings.extend(judge(id, table, &rights, needs));
        }
    }
    Ok(findings)
}

fn judge(id: &'static str, table: &str, rights: &Rights, needs: &[Need]) -> Vec<Finding> {
    let Rights { role, barred_sequence, .. } = rights;
    let lack = |right: &str, level, without: &str, on: &str| {
        Finding::new(id, level, format!("{role:?} has no {right} on {on}"))
            .why(without)
            .cure(format!("GRANT {right} ON {on} TO {role:?}"))
            .fact("lacks", right)
    };
    let mut findings: Vec<_> = needs
        .iter()
        .filter(|need| !rights.has(need.right))
        .map(|need| lack(need.right, need.level, need.without, &format!("{table:?}")))
        .collect();
    if let Some(sequence) = barred_sequence {
        let on = format!("SEQUENCE {sequence}");
        findings.push(lack("USAGE", Level::Warning, "nobody can register at the gateway", &on));
    }
    if findings.is_empty() {
        findings.push(Finding::ok(id, format!("{role:?} may do what is needed on {table:?}")));
    }
    let held: Vec<&str> = rights.held.split(',').collect();
    findings.into_iter().map(|finding| finding.fact("has", held.clone())).collect()
}

/// `None` where there is no such table.
async fn rights(
    connection: &impl ConnectionTrait,
    table: &str,
    key: &str,
) -> Result<Option<Rights>, DbErr> {
    let query = r#"SELECT current_user::text AS "role",
            concat_ws(',',
                CASE WHEN has_table_privilege(t, 'SELECT') THEN 'SELECT' END,
                CASE WHEN has_table_privilege(t, 'INSERT') THEN 'INSERT' END,
                CASE WHEN has_table_privilege(t, 'UPDATE') THEN 'UPDATE' END,
                CASE WHEN has_table_privilege(t, 'DELETE') THEN 'DELETE' END,
                CASE WHEN has_table_privilege(t, 'TRIGGER') THEN 'TRIGGER' END) AS "held",
            CASE WHEN NOT has_sequence_privilege(numbers, 'USAGE') THEN numbers END
                AS "barred_sequence"
        FROM (SELECT to_regclass(quote_ident($1::text))::oid AS t) AS named
        LEFT JOIN pg_attribute a ON a.attrelid = t AND a.attname = $2::text
        CROSS JOIN LATERAL pg_get_serial_sequence(quote_ident($1::text), a.attname) AS numbers
        WHERE t IS NOT NULL"#;
    let values = [table.into(), key.into()];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, query, values);
    let row = connection.query_one_raw(statement).await?;
    row.map(|row| Rights::from_query_result(&row, "")).transpose()
}

/// A server that takes no writes, whatever the role may do.
async fn standby(connection: &impl ConnectionTrait) -> Result<Option<Finding>, DbErr> {
    let query = "SELECT pg_is_in_recovery() AS standby";
    let statement = Statement::from_string(DbBackend::Postgres, query);
    let is_standby: bool = match connection.query_one_raw(statement).await? {
        Some(row) => row.try_get("", "standby")?,
        None => false,
    };
    Ok(is_standby.then(|| {
        Finding::problem("session-rights", "the server is a standby, which takes no writes")
            .why("nobody can sign in or out")
            .cure("give --database-url the primary")
    }))
}

/// Opens the file for writing, and writes nothing.
fn of_file(look: &Look) -> Finding {
    let id = "session-rights";
    let file = look.file().unwrap_or(Path::new(""));
    match OpenOptions::new().append(true).open(file) {
        Ok(_) => Finding::ok(id, "the file can be written"),
        Err(error) => Finding::problem(id, format!("the file cannot be written: {error}"))
            .why("nobody can sign in or out")
            .cure("give the file and its folder to the user that runs the gateway (`chown`)"),
    }
}
