//! The tables as `serve` would use them.

use nextbnb_migrations::TableNames;
use sea_orm::DbErr;

use crate::accounts::{Accounts, EmailCase};
use crate::config::doctor::DatabaseSubject;
use crate::database::layout::Layout;
use crate::database::look::Look;
use crate::session::user_key::UserKey;

/// Accounts, and a table of sessions that is there or yet to be made.
pub(super) struct Site {
    pub(super) layout: Layout,
    pub(super) accounts: Accounts,
    pub(super) user_key: UserKey,
}

impl Site {
    /// `None` where there are no accounts, or columns are such as [`super::columns`] complains of.
    pub(super) async fn of(
        look: &Look,
        names: &TableNames,
        subject: &DatabaseSubject,
    ) -> Result<Option<Self>, DbErr> {
        let transaction = look.begin().await?;
        let layout = Layout::of(&transaction, names).await.ok();
        Ok(layout.map(|layout| Self {
            accounts: Accounts::new(&layout, EmailCase::Ignore),
            layout,
            user_key: subject.user_key.clone(),
        }))
    }
}
