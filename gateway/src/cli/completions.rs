//! `completions`: what a shell needs to complete the command line.

use std::io::{self, Write};

use clap::Command;
use clap_complete::{Shell, generate};

use crate::config::args::CompletionsArgs;
use crate::error::StartError;

pub(super) fn run(args: &CompletionsArgs, mut command: Command) -> Result<(), StartError> {
    let name = command.get_name().to_owned();
    // Whole, since it panics where it cannot write.
    let mut script = Vec::new();
    generate(args.shell, &mut command, name.clone(), &mut script);
    if args.shell == Shell::Bash {
        script = with_one_spelling(&String::from_utf8_lossy(&script), &name).into_bytes();
    }
    io::stdout().write_all(&script).map_err(|source| StartError::Output { source })
}

/// `clap_complete` 4.6 spells a hyphen of the program's name in two ways, and so completes nothing behind
/// a subcommand in bash (<https://github.com/clap-rs/clap/issues/6421>).
fn with_one_spelling(script: &str, name: &str) -> String {
    script.replace(&name.replace('-', "__subcmd__"), &name.replace('-', "__"))
}
