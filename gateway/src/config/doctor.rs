//! What `doctor` looks at, checked.

use std::path::Path;

use super::doctor_args::DoctorDatabaseArgs;
use super::state_dir::StateDir;
use super::{database_target, secrets, site, units};
use crate::database::DatabaseTarget;
use crate::database::tables::TableChoice;
use crate::error::StartError;
use crate::session::secrets::Secrets;
use crate::session::user_key::UserKey;

/// A database, and how the gateway would use it.
#[derive(Debug)]
pub struct DatabaseSubject {
    /// Where it is.
    pub database: DatabaseTarget,
    /// What its tables are called, as far as that is typed.
    pub tables: TableChoice,
    /// What sessions name accounts by.
    pub user_key: UserKey,
    /// What the session cookie is called.
    pub cookie_name: String,
    /// What signs it, where that is known; an unusable secret is a finding like others.
    pub secrets: Result<Option<Secrets>, StartError>,
    /// How many rows of each table are read; all, where nothing is said.
    pub sample: Option<u64>,
}

impl DatabaseSubject {
    /// Checks what was typed. Makes neither folder nor secret.
    pub fn of(args: &DoctorDatabaseArgs) -> Result<Self, StartError> {
        let state = StateDir::new(args.database.state_dir_or(Path::new(StateDir::DEFAULT)));
        let database = database_target(&args.database, &state)?;
        let kept = matches!(database, DatabaseTarget::Embedded(_)).then(|| state.secret_file());
        let file = args.session_secret_file.as_deref();
        Ok(Self {
            secrets: secrets::known(file, args.allow_short_secret, kept.as_deref()),
            database,
            tables: units::parse_tables(&args.database)?,
            user_key: site::parse_user_key(&args.session_user_key)?,
            cookie_name: units::parse_cookie_name(&args.cookie_name)?,
            sample: args.sample,
        })
    }
}
