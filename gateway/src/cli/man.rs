//! `man`: the manual, made from the command line's own words.

use std::fs;
use std::io::{self, Write};

use clap::Command;
use clap_mangen::Man;

use crate::config::args::{ManArgs, VERSION};
use crate::error::{PeopleError, StartError};

pub(super) fn run(args: &ManArgs, mut command: Command) -> Result<(), StartError> {
    command.build();
    let pages = pages(&command);
    let Some(folder) = &args.folder else {
        let mut all = Vec::new();
        let written = pages.iter().try_for_each(|page| page.render(&mut all));
        return written
            .and_then(|()| io::stdout().write_all(&all))
            .map_err(|source| StartError::Output { source });
    };
    let writing = fs::create_dir_all(folder)
        .and_then(|()| pages.iter().try_for_each(|page| page.generate_to(folder).map(drop)));
    let failed = |source| PeopleError::Manual { folder: folder.display().to_string(), source };
    Ok(writing.map_err(failed)?)
}

/// The page of a command, and those of its own commands after it.
fn pages(command: &Command) -> Vec<Man> {
    let page = Man::new(command.clone()).source(format!("nextbnb-gateway {VERSION}"));
    let is_shown = |command: &&Command| !command.is_hide_set() && command.get_name() != "help";
    let parts = command.get_subcommands().filter(is_shown);
    std::iter::once(page).chain(parts.flat_map(pages)).collect()
}
