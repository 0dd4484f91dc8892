//! One row of the accounts.

use std::fmt;

use sea_orm::sea_query::{Alias, DynIden, Expr, IntoIden, SimpleExpr};
use sea_orm::{DbErr, QueryResult};

use crate::database::kinds::{EmailColumn, IdColumn, select_text};
use crate::database::layout::Layout;
use crate::entity::user_id::UserId;

/// Somebody who can sign in. Its `Debug` shows the id only.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) id: UserId,
    /// Empty where there is none, as for somebody who came by another provider.
    pub(crate) email: String,
    pub(crate) name: Option<String>,
    /// None for somebody who signs in by other means, where a site has such.
    pub(crate) password_hash: Option<String>,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The columns of accounts, as the site calls and makes them.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    pub(super) id: DynIden,
    pub(super) id_kind: IdColumn,
    pub(super) email: DynIden,
    pub(super) email_kind: EmailColumn,
    pub(super) password: DynIden,
    /// `None` where accounts have no name.
    pub(super) name: Option<DynIden>,
    /// When an account was deleted, where the site keeps such.
    pub(super) deleted_at: Option<DynIden>,
}

impl Columns {
    pub(super) fn of(layout: &Layout) -> Self {
        let names = &layout.tables.user_columns;
        let iden = |name: &str| Alias::new(name).into_iden();
        Self {
            id: iden(&names.id),
            id_kind: layout.id,
            email: iden(&names.email),
            email_kind: layout.email.clone(),
            password: iden(&names.password),
            name: layout.has_name.then(|| iden(&names.name)),
            deleted_at: layout.user_deleted_at.as_deref().map(iden),
        }
    }

    /// What [`Self::read`] reads, in its order.
    pub(super) fn select(&self) -> [SimpleExpr; 4] {
        let name = self.name.clone().map_or_else(|| Expr::val(None::<String>), select_text);
        [
            self.id_kind.select(self.id.clone()),
            select_text(self.email.clone()),
            select_text(self.password.clone()),
            name,
        ]
    }

    pub(super) fn read(&self, row: &QueryResult) -> Result<Account, DbErr> {
        Ok(Account {
            id: self.id_kind.read(row, 0)?,
            email: row.try_get_by_index::<Option<_>>(1)?.unwrap_or_default(),
            password_hash: row.try_get_by_index(2)?,
            name: row.try_get_by_index(3)?,
        })
    }
}
