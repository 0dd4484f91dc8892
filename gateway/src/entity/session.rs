//! A row of `"Sessions"`, laid out by connect-session-sequelize.

use std::fmt;

use sea_orm::entity::prelude::*;

/// One stored session. Its `Debug` shows neither the sid nor whose session it is.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "Sessions")]
pub struct Model {
    /// The session id in clear, as Express stores it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub sid: String,
    /// From this moment on the row authenticates nobody; NULL is no end.
    pub expires: Option<ChronoDateTimeUtc>,
    /// The session's JSON text.
    pub data: Option<String>,
    /// When the session began; never changes.
    #[sea_orm(column_name = "createdAt")]
    pub created_at: ChronoDateTimeUtc,
    /// When the row was last written, a touch included.
    #[sea_orm(column_name = "updatedAt")]
    pub updated_at: ChronoDateTimeUtc,
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// Sessions belong to an account only through their JSON text.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
