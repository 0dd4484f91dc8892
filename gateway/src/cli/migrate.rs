//! `migrate`: the schema brought up to date, or what would do that printed, and nothing else.

use std::io::{self, Write};
use std::path::Path;

use tracing::{info, warn};

use super::block_on;
use super::signals::{HangUp, StopSignals};
use crate::app::open_database;
use crate::config::args::MigrateArgs;
use crate::config::state_dir::StateDir;
use crate::config::units::parse_tables;
use crate::config::{Migrations, database_target};
use crate::database::look::Look;
use crate::database::tables::TableChoice;
use crate::database::{DatabaseLimits, DatabaseTarget};
use crate::error::StartError;

pub(super) fn run(args: &MigrateArgs) -> Result<(), StartError> {
    let state = StateDir::new(args.database.state_dir_or(Path::new(StateDir::DEFAULT)));
    let target = database_target(&args.database, &state)?;
    let tables = parse_tables(&args.database)?;
    if args.print {
        return block_on(HangUp::Ends, print(target, tables));
    }
    if let DatabaseTarget::Embedded(_) = target {
        state.prepare()?;
    }
    block_on(HangUp::Ends, async {
        let migration = open_database(&target, &tables, Migrations::Apply);
        let Some((database, _)) = StopSignals::listen(HangUp::Ends)?.unless_told(migration).await?
        else {
            return Err(StartError::NotMigrated);
        };
        info!("the schema is up to date");
        if let Err(error) = database.close().await {
            warn!(cause = %error, "the database was not closed properly");
        }
        Ok(())
    })
}

async fn print(target: DatabaseTarget, choice: TableChoice) -> Result<(), StartError> {
    let planning = async {
        let look = Look::open(&target, &DatabaseLimits::default()).await?;
        let plan = look.plan(&choice).await?;
        if let Err(error) = look.close().await {
            warn!(cause = %error, "the database was not closed properly");
        }
        Ok(plan)
    };
    let Some(plan) = StopSignals::listen(HangUp::Ends)?.unless_told(planning).await? else {
        return Err(StartError::NotMigrated);
    };
    let sql = plan.to_string();
    io::stdout().write_all(sql.as_bytes()).map_err(|source| StartError::Output { source })
}
