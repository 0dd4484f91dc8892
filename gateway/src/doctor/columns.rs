//! Whether the tables have the columns that the gateway reads and writes, in types that hold them.

use nextbnb_migrations::{TableNames, UserColumns};
use sea_orm::{DbBackend, DbErr};

use super::site::Site;
use super::{Finding, Level};
use crate::database::DatabaseError;
use crate::database::columns::{self, Column};
use crate::database::kinds::{DataColumn, SidColumn};
use crate::database::look::Look;

/// Characters of a session id that the gateway makes.
const SID_LENGTH: i32 = 32;

/// Characters of a bcrypt hash.
const HASH_LENGTH: i32 = 60;

/// What a column must be able to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Sid,
    Data,
    /// A text of any length.
    Text,
    Hash,
    Moment,
    /// Numbers, UUIDs, or whatever else a site knows accounts by.
    Anything,
}

const SESSIONS: [(&str, Holds); 5] = [
    ("sid", Holds::Sid),
    ("expires", Holds::Moment),
    ("data", Holds::Data),
    ("createdAt", Holds::Moment),
    ("updatedAt", Holds::Moment),
];

/// A name of ours is not among them: a migration adds it.
fn of_accounts(columns: &UserColumns) -> Vec<(&str, Holds)> {
    let mut wanted = vec![
        (columns.id.as_str(), Holds::Anything),
        (&columns.email, Holds::Text),
        (&columns.password, Holds::Hash),
    ];
    if !columns.name_is_ours() {
        wanted.push((&columns.name, Holds::Text));
    }
    wanted
}

/// Looks at both tables, as far as they are there.
pub(super) async fn check(look: &Look, names: &TableNames) -> Result<Vec<Finding>, DbErr> {
    let transaction = look.begin().await?;
    let mut findings = Vec::new();
    for (id, table, wanted, cure) in [
        ("session-columns", &names.sessions, SESSIONS.to_vec(), "--session-table NAME"),
        (
            "account-columns",
            &names.users,
            of_accounts(&names.user_columns),
            "--users-column ROLE=COLUMN",
        ),
    ] {
        let found = columns::columns_of(&transaction, table).await?;
        if !found.is_empty() {
            findings.extend(compare((id, cure), look.backend(), &found, &wanted));
        }
    }
    Ok(findings)
}

fn compare(
    (id, cure): (&'static str, &str),
    backend: DbBackend,
    found: &[Column],
    wanted: &[(&str, Holds)],
) -> Vec<Finding> {
    let mut findings: Vec<_> = wanted
        .iter()
        .filter_map(|&(name, holds)| match found.iter().find(|column| column.name == name) {
            None => Some(missing(id, name, cure)),
            // SQLite's columns take whatever they are given.
            Some(_) if backend == DbBackend::Sqlite => None,
            Some(column) => misfit(id, column, holds),
        })
        .collect();
    if findings.iter().all(|finding| finding.level == Level::Ok) {
        findings.push(Finding::ok(id, "every column is there, in a type that will do"));
    }
    findings
}

fn missing(id: &'static str, name: &str, cure: &str) -> Finding {
    Finding::problem(id, format!("there is no column {name:?}"))
        .why("the gateway reads and writes it, and no migration adds a column of Express's")
        .cure(format!("{cure} names the right one; else add the column as Sequelize would"))
        .fact("column", name)
}

/// What is wrong with the type of a column that is there, on Postgres.
fn misfit(id: &'static str, column: &Column, holds: Holds) -> Option<Finding> {
    let Column { name, kind, length } = column;
    let postgres = DbBackend::Postgres;
    let is_moment = kind == "timestamp with time zone";
    let is_text = matches!(kind.as_str(), "text" | "character varying" | "citext");
    let (fits, least) = match holds {
        Holds::Anything => (true, 0),
        Holds::Sid => (SidColumn::of(postgres, kind).is_some(), SID_LENGTH),
        Holds::Data => (DataColumn::of(postgres, kind).is_some(), 1024),
        Holds::Text => (is_text, 0),
        // One that is filled up with blanks has none where every hash is as long as it.
        Holds::Hash => (is_text || *length == Some(HASH_LENGTH), HASH_LENGTH),
        Holds::Moment => (is_moment, 0),
    };
    let is_short = length.is_some_and(|length| length < least);
    if fits && !is_short {
        return None;
    }
    let alter = |to: &str| format!(r#"ALTER TABLE … ALTER COLUMN "{name}" TYPE {to}"#);
    let is_local = kind == "timestamp without time zone" && holds == Holds::Moment;
    let (level, why, cure) = match holds {
        _ if is_short => (
            Level::Problem,
            format!("what the gateway writes there has {least} characters and more"),
            alter("varchar(255)"),
        ),
        Holds::Moment if is_local => (
            Level::Warning,
            "it has no time zone: the gateway takes it for UTC, as Sequelize does".to_owned(),
            format!(r#"{} USING "{name}" AT TIME ZONE 'UTC'"#, alter("timestamptz")),
        ),
        Holds::Moment => (
            Level::Problem,
            "the gateway compares moments with it".to_owned(),
            alter("timestamptz"),
        ),
        _ if kind == "character" => (
            Level::Problem,
            "it fills every text up with blanks, and so is another text".to_owned(),
            alter("varchar(255)"),
        ),
        _ => (
            Level::Problem,
            "the gateway reads and writes text there, as Express does".to_owned(),
            alter("text"),
        ),
    };
    let length = length.map(|length| format!("({length})")).unwrap_or_default();
    let finding = Finding::new(id, level, format!("{name:?} is of type {kind}{length}"))
        .fact("column", name.as_str())
        .fact("type", kind.as_str());
    Some(finding.why(why).cure(cure))
}

/// Whether the gateway can make an account.
pub(super) async fn registration(look: &Look, site: &Site) -> Result<Vec<Finding>, DatabaseError> {
    let id = "registration";
    let unfilled = site.accounts.unfilled(&look.begin().await?).await?;
    if unfilled.is_empty() {
        return Ok(vec![Finding::ok(id, "registration fills every column that must be")]);
    }
    let list = unfilled.join(", ");
    let finding = Finding::problem(id, format!("nothing fills {list}"))
        .why("every registration at the gateway answers 500; sign-ins are not concerned")
        .cure(format!("give {list} a default, or let it be NULL"));
    Ok(vec![finding.fact("columns", unfilled)])
}
