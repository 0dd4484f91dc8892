//! Which tables hold sessions and accounts, and whether they are complete.

use nextbnb_migrations::discovery::tables_with;
use nextbnb_migrations::{TableNames, UserColumns};
use sea_orm::sea_query::{Alias, IntoIden, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, TransactionTrait};

use super::{Database, cause};
use crate::entity::session::Column;
use crate::error::StartError;

/// How a table is known that nobody named.
struct Sought {
    flag: &'static str,
    /// What Sequelize calls it, by its model's name or the site's own.
    candidates: &'static [&'static str],
}

const SESSIONS: Sought =
    Sought { flag: "--session-table", candidates: &["Sessions", "Session", "sessions"] };

const USERS: Sought =
    Sought { flag: "--users-table", candidates: &["users", "Users", "user", "User"] };

/// The tables' names as far as they are given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableChoice {
    /// The table of sessions (`--session-table`); else it is found by its columns.
    pub sessions: Option<String>,
    /// The table of accounts (`--users-table`); else it is found by its columns.
    pub users: Option<String>,
    /// The columns of accounts (`--users-column`).
    pub user_columns: UserColumns,
}

impl TableChoice {
    /// The names that are given, else those of the tables that are there and have the columns,
    /// else Sequelize's own for tables that are still to be made.
    ///
    /// Fails with [`StartError::TablesAmbiguous`] where several could be meant, and with
    /// [`StartError::TableName`] where one would be both.
    pub(crate) async fn find(
        &self,
        transaction: &DatabaseTransaction,
    ) -> Result<TableNames, StartError> {
        let default = TableNames::default();
        let UserColumns { id, email, password, .. } = &self.user_columns;
        let of_sessions = ["sid", "expires", "data"].map(str::to_owned);
        let of_users = [id, email, password].map(String::to_owned);
        let sessions = SESSIONS.find(transaction, self.sessions.as_ref(), &of_sessions).await?;
        let users = USERS.find(transaction, self.users.as_ref(), &of_users).await?;
        let tables = TableNames {
            sessions: sessions.unwrap_or(default.sessions),
            users: users.unwrap_or(default.users),
            user_columns: self.user_columns.clone(),
        };
        if tables.sessions == tables.users {
            let flag = if self.users.is_some() { USERS.flag } else { SESSIONS.flag };
            return Err(StartError::TableName { flag, name: tables.users });
        }
        Ok(tables)
    }
}

impl Sought {
    async fn find(
        &self,
        transaction: &DatabaseTransaction,
        given: Option<&String>,
        columns: &[String],
    ) -> Result<Option<String>, StartError> {
        if given.is_some() {
            return Ok(given.cloned());
        }
        let finding = tables_with(transaction, self.candidates, columns);
        let mut found = finding.await.map_err(|error| failed(&error))?;
        if found.len() > 1 {
            return Err(StartError::TablesAmbiguous { flag: self.flag, found: found.join(", ") });
        }
        Ok(found.pop())
    }
}

impl Database {
    /// The names of the tables that are meant, as far as that can be told without doubt.
    pub async fn find_tables(&self, choice: &TableChoice) -> Result<TableNames, StartError> {
        let (connection, choice) = (self.connection().clone(), choice.clone());
        let finding = async move { Ok(choice.find(&connection.begin().await?).await) };
        self.run(finding).await.map_err(|error| failed(&error))?
    }

    /// Fails unless both tables have every column that must be read.
    pub async fn check(&self, tables: &TableNames) -> Result<(), StartError> {
        let connection = self.connection().clone();
        let UserColumns { id, email, password, name } = &tables.user_columns;
        let name = (!tables.user_columns.name_is_ours()).then_some(name);
        let of_users = [id, email, password].into_iter().chain(name);
        let [sessions, users] = [
            reading(&tables.sessions, [Column::Sid, Column::Expires, Column::Data].into_iter()),
            reading(&tables.users, of_users.map(Alias::new)),
        ];
        let checking = async move {
            connection.query_all(&sessions).await?;
            connection.query_all(&users).await.map(drop)
        };
        self.run(checking).await.map_err(|error| failed(&error))
    }
}

fn failed(error: &DbErr) -> StartError {
    StartError::Tables { source: cause(error).into() }
}

/// Reads no row. Each column is named with its table: SQLite takes a lone name that it does not
/// know for a text.
fn reading(table: &str, columns: impl Iterator<Item = impl IntoIden>) -> SelectStatement {
    let table = Alias::new(table);
    let columns = columns.map(|column| (table.clone(), column));
    Query::select().columns(columns).from(table.clone()).limit(0).to_owned()
}
