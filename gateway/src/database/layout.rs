//! What the tables' columns are like, as far as sites differ in that.

use nextbnb_migrations::{DELETED_AT, TableNames, UserColumns};

use sea_orm::{ConnectionTrait, DbBackend, DbErr};

use super::columns::{Column, columns_of};
use super::kinds::{DataColumn, EmailColumn, IdColumn, SidColumn};
use super::{Database, cause};
use crate::error::StartError;

/// The tables of a site, and what their columns hold.
#[derive(Debug, Clone)]
pub struct Layout {
    pub(crate) tables: TableNames,
    pub(crate) sid: SidColumn,
    pub(crate) data: DataColumn,
    /// When a session's row was made; `None` where the site's models have no `timestamps`.
    pub(crate) created_at: Option<String>,
    /// When a session's row was last written; `None` as above.
    pub(crate) updated_at: Option<String>,
    pub(crate) id: IdColumn,
    pub(crate) email: EmailColumn,
    /// Whether accounts have a column for a name.
    pub(crate) has_name: bool,
    /// The column that tells when an account was deleted, where a site keeps those (Sequelize's
    /// `paranoid`): whoever has a time there is nobody.
    pub(crate) user_deleted_at: Option<String>,
    /// The same of sessions: one with a time there is over.
    pub(crate) session_deleted_at: Option<String>,
}

impl Database {
    /// Looks at the columns of the tables, which are up to date as far as they can be.
    ///
    /// Fails with [`StartError::ColumnKind`] where a column can hold nothing of what belongs there.
    pub async fn layout(&self, tables: &TableNames) -> Result<Layout, StartError> {
        let (connection, tables) = (self.connection().clone(), tables.clone());
        let looking = async move { Ok(Layout::of(&connection, &tables).await) };
        let failed = |error: DbErr| StartError::Tables { source: cause(&error).into() };
        self.run(looking).await.map_err(failed)?
    }
}

/// The first column that accounts must have and that a table of the site's has not; none where
/// there is no table, or it cannot be looked at.
pub(super) async fn missing_users_column(
    connection: &impl ConnectionTrait,
    tables: &TableNames,
) -> Option<StartError> {
    let users = columns_of(connection, &tables.users).await.ok()?;
    let users = Some(users).filter(|users| !users.is_empty())?;
    let UserColumns { id, email, password, .. } = &tables.user_columns;
    let wanted = [("id", id.as_str()), ("email", email), ("password", password)];
    wanted.into_iter().find_map(|column| find_of_users(&users, tables, column).err())
}

impl Layout {
    /// As [`Database::layout`].
    pub(crate) async fn of(
        connection: &impl ConnectionTrait,
        tables: &TableNames,
    ) -> Result<Self, StartError> {
        let failed = |error: DbErr| StartError::Tables { source: cause(&error).into() };
        let sessions = columns_of(connection, &tables.sessions).await.map_err(failed)?;
        let users = columns_of(connection, &tables.users).await.map_err(failed)?;
        Self::told_by(connection.get_database_backend(), tables, &sessions, &users)
    }

    fn told_by(
        backend: DbBackend,
        tables: &TableNames,
        sessions: &[Column],
        users: &[Column],
    ) -> Result<Self, StartError> {
        let (sid, data) = sessions_told_by(backend, tables, sessions)?;
        let UserColumns { id, email, .. } = &tables.user_columns;
        let id = find_of_users(users, tables, ("id", id))?;
        let email = find_of_users(users, tables, ("email", email))?;
        Ok(Self {
            tables: tables.clone(),
            sid,
            data,
            created_at: timestamp(sessions, ["createdAt", "created_at"]),
            updated_at: timestamp(sessions, ["updatedAt", "updated_at"]),
            id: IdColumn::of(backend, &id.kind),
            email: EmailColumn::of(backend, &email.kind),
            has_name: has_name(users, tables)?,
            user_deleted_at: timestamp(users, DELETED_AT),
            session_deleted_at: timestamp(sessions, DELETED_AT),
        })
    }
}

/// A table that is yet to be made has Sequelize's columns then.
fn sessions_told_by(
    backend: DbBackend,
    tables: &TableNames,
    sessions: &[Column],
) -> Result<(SidColumn, DataColumn), StartError> {
    if sessions.is_empty() {
        return Ok((SidColumn::Text, DataColumn::Text));
    }
    let [sid, data] = ["sid", "data"].map(|name| find(sessions, &tables.sessions, name));
    let (sid, data) = (sid?, data?);
    let kind = |column: &Column, wanted| StartError::ColumnKind {
        table: tables.sessions.clone(),
        column: column.name.clone(),
        kind: column.kind.clone(),
        wanted,
    };
    Ok((
        SidColumn::of(backend, &sid.kind)
            .ok_or_else(|| kind(sid, "character varying(36) or text"))?,
        DataColumn::of(backend, &data.kind).ok_or_else(|| kind(data, "text, json or jsonb"))?,
    ))
}

/// The column that Sequelize calls so, in one of its two spellings, and that holds a time; not a mark
/// of the site's own.
fn timestamp(columns: &[Column], names: [&str; 2]) -> Option<String> {
    let is_it = |column: &&Column| {
        names.contains(&column.name.as_str())
            && ["timestamp", "datetime"].iter().any(|kind| column.kind.starts_with(kind))
    };
    columns.iter().find(is_it).map(|column| column.name.clone())
}

/// Whether there is a name; one that the site named must be there, as its password.
fn has_name(users: &[Column], tables: &TableNames) -> Result<bool, StartError> {
    let UserColumns { password, name, .. } = &tables.user_columns;
    find_of_users(users, tables, ("password", password))?;
    let found = find_of_users(users, tables, ("name", name));
    if tables.user_columns.name_is_ours() { Ok(found.is_ok()) } else { found.map(|_| true) }
}

fn find<'a>(columns: &'a [Column], table: &str, name: &str) -> Result<&'a Column, StartError> {
    let missing = || StartError::Tables { source: format!("{table:?} has no {name:?}").into() };
    columns.iter().find(|column| column.name == name).ok_or_else(missing)
}

fn find_of_users<'a>(
    users: &'a [Column],
    tables: &TableNames,
    (role, name): (&'static str, &str),
) -> Result<&'a Column, StartError> {
    find(users, &tables.users, name).map_err(|_| StartError::UsersColumnMissing {
        role,
        name: name.to_owned(),
        table: tables.users.clone(),
    })
}
