//! A row of `users`.

use std::fmt;

use sea_orm::entity::prelude::*;

/// One account. Its `Debug` shows the id only.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    /// The number that the frontend keeps its own data under.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The address as it was typed at registration.
    pub email: String,
    /// The bcrypt hash; none for somebody who signs in by other means, where a site has such.
    pub password: Option<String>,
    /// What the person wants to be called; Express knows no such column.
    pub name: Option<String>,
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Other tables refer to accounts in their own ways.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
