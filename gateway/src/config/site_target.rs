//! A site's database and how the site uses it, checked, for commands that serve nobody.

use std::path::Path;

use super::args::DatabaseArgs;
use super::site_args::{CaseArgs, PasswordArgs, SecretArgs, UserKeyArgs};
use super::state_dir::StateDir;
use super::{database_target, secrets, site, units};
use crate::accounts::EmailCase;
use crate::auth::by_hand::AccountRules;
use crate::database::DatabaseTarget;
use crate::database::tables::TableChoice;
use crate::error::StartError;
use crate::session::secrets::Secrets;
use crate::session::user_key::UserKey;

/// A database, and how accounts and sessions are known in it.
#[derive(Debug)]
pub struct SiteTarget {
    /// Where it is.
    pub database: DatabaseTarget,
    /// What its tables are called, as far as that is typed.
    pub tables: TableChoice,
    /// Whether addresses that differ in case are one.
    pub case: EmailCase,
    /// What sessions name accounts by.
    pub user_key: UserKey,
    /// What the log calls sessions with, where that is known.
    pub secrets: Option<Secrets>,
}

impl SiteTarget {
    /// Checks what was typed, as far as the command has it. Makes neither folder nor secret.
    pub fn of(
        database: &DatabaseArgs,
        case: Option<&CaseArgs>,
        key: Option<&UserKeyArgs>,
        secrets: Option<&SecretArgs>,
    ) -> Result<Self, StartError> {
        let state = StateDir::new(database.state_dir_or(Path::new(StateDir::DEFAULT)));
        let target = database_target(database, &state)?;
        let kept = matches!(target, DatabaseTarget::Embedded(_)).then(|| state.secret_file());
        let secrets = match secrets {
            Some(args) => {
                let file = args.session_secret_file.as_deref();
                secrets::known(file, args.allow_short_secret, kept.as_deref())?
            }
            None => None,
        };
        let user_key = key.map(|args| site::parse_user_key(&args.session_user_key)).transpose()?;
        Ok(Self {
            database: target,
            tables: units::parse_tables(database)?,
            case: case.map_or(EmailCase::Ignore, |args| args.email_case),
            user_key: user_key.unwrap_or(UserKey::Email),
            secrets,
        })
    }
}

impl AccountRules {
    /// As typed.
    pub fn of(args: &PasswordArgs) -> Self {
        Self { policy: args.password_policy, cost: args.rehash_cost }
    }
}
