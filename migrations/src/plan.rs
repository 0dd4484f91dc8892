//! What `migrate` would send, written down for somebody who may send it.
#![expect(
    elided_lifetimes_in_paths,
    reason = "async_trait matches the trait's own spelling, `&SchemaManager`"
)]

use std::fmt::{self, Write as _};

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, Schema, Statement, StatementBuilder,
};
use sea_orm_migration::seaql_migrations::{Column, Entity};

use crate::names::quoted;
use crate::{ADVISORY_LOCK, APPLIED, TableNames, UserColumns};

/// A migration that tells its statements before it sends them.
#[async_trait::async_trait]
pub(crate) trait Planned: MigrationTrait {
    /// What brings the database from what it is to what it should be, in order.
    ///
    /// What an earlier migration makes that is pending as well may not be there yet.
    async fn statements(&self, schema: &SchemaManager) -> Result<Vec<String>, DbErr>;
}

pub(crate) async fn send(schema: &SchemaManager<'_>, statements: Vec<String>) -> Result<(), DbErr> {
    for statement in statements {
        schema.get_connection().execute_unprepared(&statement).await?;
    }
    Ok(())
}

/// What is pending, and what the database holds of a newer release.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The pending migrations, in order.
    pub pending: Vec<Step>,
    /// Migrations of a newer release that were applied.
    pub later: Vec<String>,
    tables: TableNames,
    backend: DbBackend,
    /// Who asks, and where; on Postgres.
    asker: Option<Asker>,
}

/// A pending migration.
#[derive(Debug, Clone)]
pub struct Step {
    /// What it is called in the table of applied ones.
    pub name: String,
    statements: Vec<String>,
}

#[derive(Debug, Clone)]
struct Asker {
    role: String,
    schema: String,
}

impl Plan {
    pub(crate) async fn of(
        transaction: &DatabaseTransaction,
        tables: &TableNames,
        pending: Vec<Box<dyn Planned>>,
        later: Vec<String>,
    ) -> Result<Self, DbErr> {
        let schema = SchemaManager::new(transaction);
        let mut steps = Vec::with_capacity(pending.len());
        for migration in pending {
            let name = migration.name().to_owned();
            steps.push(Step { name, statements: migration.statements(&schema).await? });
        }
        let backend = transaction.get_database_backend();
        let asker = match backend {
            DbBackend::Postgres => Asker::of(transaction).await?,
            _ => None,
        };
        Ok(Self { pending: steps, later, tables: tables.clone(), backend, asker })
    }

    fn write_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_postgres = self.backend == DbBackend::Postgres;
        if is_postgres {
            comment(
                f,
                "The owner of the schema runs this with `psql -1 -f FILE`: all of it or nothing.",
            )?;
            writeln!(f, "SELECT pg_advisory_xact_lock({ADVISORY_LOCK});")?;
        } else {
            comment(f, "Run this with `sqlite3 -bail DATABASE < FILE`: all of it or nothing.")?;
            writeln!(f, "BEGIN IMMEDIATE;")?;
        }
        writeln!(f, "{};", self.bookkeeping_table())?;
        for Step { name, statements } in &self.pending {
            writeln!(f)?;
            comment(f, name)?;
            for statement in statements {
                writeln!(f, "{statement};")?;
            }
            writeln!(f, "{};", self.bookkeeping_row(name))?;
        }
        if !is_postgres {
            writeln!(f, "COMMIT;")?;
        }
        Ok(())
    }

    /// As the library makes it.
    fn bookkeeping_table(&self) -> String {
        let mut create = Schema::new(self.backend).create_table_from_entity(Entity);
        create.table(Alias::new(self.tables.own(APPLIED))).if_not_exists();
        self.text(&create)
    }

    fn bookkeeping_row(&self, name: &str) -> String {
        let now = match self.backend {
            DbBackend::Postgres => "CAST(extract(epoch FROM now()) AS bigint)",
            _ => "CAST(strftime('%s', 'now') AS integer)",
        };
        let insert = Query::insert()
            .into_table(Alias::new(self.tables.own(APPLIED)))
            .columns([Column::Version, Column::AppliedAt])
            .values_panic([Expr::val(name), Expr::cust(now)])
            .to_owned();
        self.text(&insert)
    }

    fn text(&self, statement: &impl StatementBuilder) -> String {
        self.backend.build(statement).to_string()
    }

    /// What the owner's new tables are to a role that is not the owner.
    fn grants(&self, asker: &Asker) -> String {
        let Asker { role, schema } = asker;
        let (role, schema) = (quoted(role), quoted(schema));
        let (sessions, users) = (self.tables.quoted_sessions(), self.tables.quoted_users());
        let applied = quoted(&self.tables.own(APPLIED));
        format!(
            "Where the owner is another than the gateway's role, that needs:\n\
             GRANT SELECT, INSERT, UPDATE, DELETE ON {sessions} TO {role};\n\
             GRANT SELECT, INSERT ON {users} TO {role};\n\
             GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {role};\n\
             GRANT SELECT ON {applied} TO {role};"
        )
    }
}

/// The SQL, ready for the database's own shell; a comment alone where nothing is pending.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TableNames { sessions, users, user_columns } = &self.tables;
        let UserColumns { id, email, password, name } = user_columns;
        comment(f, &format!("nextbnb-gateway {}", env!("CARGO_PKG_VERSION")))?;
        comment(f, &format!("sessions are in the table {sessions:?} and accounts in {users:?}"))?;
        if *user_columns != UserColumns::default() {
            comment(f, &format!("columns of accounts: {id:?}, {email:?}, {password:?}, {name:?}"))?;
        }
        if self.pending.is_empty() {
            return comment(f, "nothing is pending: every migration was applied");
        }
        self.write_sql(f)?;
        match &self.asker {
            Some(asker) => {
                writeln!(f)?;
                comment(f, &self.grants(asker))
            }
            None => Ok(()),
        }
    }
}

impl Asker {
    async fn of(transaction: &DatabaseTransaction) -> Result<Option<Self>, DbErr> {
        let query = r#"SELECT current_user::text AS "role", current_schema()::text AS "schema""#;
        let statement = Statement::from_string(DbBackend::Postgres, query);
        let Some(row) = transaction.query_one_raw(statement).await? else { return Ok(None) };
        let schema: Option<String> = row.try_get("", "schema")?;
        let role = row.try_get("", "role")?;
        Ok(schema.map(|schema| Self { role, schema }))
    }
}

/// Whatever is in a name, no line of it becomes a statement.
fn comment(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    for line in text.split(['\n', '\r']) {
        f.write_str("-- ")?;
        f.write_str(line)?;
        f.write_char('\n')?;
    }
    Ok(())
}
