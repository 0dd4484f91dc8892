//! Whether the tables are there.

use nextbnb_migrations::TableNames;
use sea_orm::sea_query::{Alias, IntoIden, Query, SelectStatement};
use sea_orm::{ConnectionTrait, Iterable};

use super::{Database, cause};
use crate::entity::{session, user};
use crate::error::StartError;

impl Database {
    /// Fails unless both tables have every column that is read.
    pub async fn check(&self, tables: &TableNames) -> Result<(), StartError> {
        let connection = self.connection().clone();
        let [sessions, users] = [
            reading(&tables.sessions, session::Column::iter()),
            reading(&tables.users, user::Column::iter()),
        ];
        let checking = async move {
            connection.query_all(&sessions).await?;
            connection.query_all(&users).await.map(drop)
        };
        self.run(checking)
            .await
            .map_err(|error| StartError::Tables { source: cause(&error).into() })
    }
}

/// Reads no row. Each column is named with its table: SQLite takes a lone name that it does not
/// know for a text.
fn reading(table: &str, columns: impl Iterator<Item = impl IntoIden>) -> SelectStatement {
    let table = Alias::new(table);
    let columns = columns.map(|column| (table.clone(), column));
    Query::select().columns(columns).from(table.clone()).limit(0).to_owned()
}
