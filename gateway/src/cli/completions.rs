//! `completions`: what a shell needs to complete the command line.

use std::io::{self, Write};

use clap::Command;
use clap_complete::generate;

use crate::config::args::CompletionsArgs;
use crate::error::StartError;

pub(super) fn run(args: &CompletionsArgs, mut command: Command) -> Result<(), StartError> {
    let name = command.get_name().to_owned();
    // Whole, since it panics where it cannot write.
    let mut script = Vec::new();
    generate(args.shell, &mut command, name, &mut script);
    io::stdout().write_all(&script).map_err(|source| StartError::Output { source })
}
