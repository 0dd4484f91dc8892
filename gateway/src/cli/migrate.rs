//! `migrate`: the schema brought up to date, and nothing else.

use std::path::Path;

use tracing::info;

use super::block_on;
use super::signals::StopSignals;
use crate::app::open_database;
use crate::config::args::MigrateArgs;
use crate::config::state_dir::StateDir;
use crate::config::units::parse_tables;
use crate::config::{Migrations, database_target};
use crate::database::DatabaseTarget;
use crate::error::StartError;

pub(super) fn run(args: &MigrateArgs) -> Result<(), StartError> {
    let state = StateDir::new(args.database.state_dir_or(Path::new(StateDir::DEFAULT)));
    let target = database_target(&args.database, &state)?;
    let tables = parse_tables(&args.database)?;
    if let DatabaseTarget::Embedded(_) = target {
        state.prepare()?;
    }
    block_on(async {
        let migration = open_database(&target, &tables, Migrations::Apply);
        let Some((database, _)) = StopSignals::listen()?.unless_told(migration).await? else {
            return Err(StartError::NotMigrated);
        };
        info!("the schema is up to date");
        if let Err(error) = database.close().await {
            tracing::warn!(cause = %error, "the database was not closed properly");
        }
        Ok(())
    })
}
