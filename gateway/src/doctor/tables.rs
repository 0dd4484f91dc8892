//! Which tables are meant, and whether they are there.

use nextbnb_migrations::TableNames;
use sea_orm::DbErr;

use super::Finding;
use crate::database::look::Look;
use crate::database::tables::TableChoice;
use crate::database::{cause, columns};
use crate::error::{StartError, chain};

/// Finds them as a start does.
pub(super) async fn find(
    look: &Look,
    choice: &TableChoice,
) -> Result<(TableNames, Vec<Finding>), Finding> {
    let unread = |error: DbErr| Finding::problem("tables", cause(&error));
    let transaction = look.begin().await.map_err(unread)?;
    let names = choice.find(&transaction).await.map_err(|error| unclear(&error))?;
    let mut findings = Vec::new();
    for (id, flag, name) in [
        ("session-table", "--session-table", &names.sessions),
        ("users-table", "--users-table", &names.users),
    ] {
        let is_there = columns::exists(&transaction, name).await.map_err(unread)?;
        findings.push(told_of(id, flag, name, is_there));
    }
    Ok((names, findings))
}

fn told_of(id: &'static str, flag: &str, name: &str, is_there: bool) -> Finding {
    let finding = if is_there {
        Finding::ok(id, format!("{name:?} is there"))
    } else {
        Finding::warning(id, format!("there is none; {name:?} would be made, and be empty"))
            .why("where the site has one under another name, nobody of it would be known")
            .cure(format!("{flag} NAME names it, letter by letter; a new site needs nothing"))
    };
    finding.fact("name", name).fact("exists", is_there)
}

fn unclear(error: &StartError) -> Finding {
    let finding = Finding::problem("tables", chain(error));
    match error {
        StartError::TablesAmbiguous { flag, .. } => finding
            .why("the gateway does not start before it knows which the site uses")
            .cure(format!("{flag} NAME names the one that the site's models use")),
        _ => finding,
    }
}
