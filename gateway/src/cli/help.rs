//! The command line as it explains itself: short with `-h`, whole with `--help`, and in answer to a
//! mistake.

use std::process::ExitCode;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, CommandFactory, Error};

use crate::config::args::CommandLine;

/// The exit code of a mistyped command line.
const MISTYPED: u8 = 2;

/// Ends of a first statement, behind which the rest is for `--help`.
const ENDS: [&str; 3] = [". ", "; ", ": "];

/// The commands, with a short help for each setting.
pub(super) fn command() -> Command {
    shortened(CommandLine::command())
}

fn shortened(command: Command) -> Command {
    let names: Vec<String> =
        command.get_subcommands().map(|part| part.get_name().to_owned()).collect();
    let command = command.mut_args(|arg| {
        let Some(long) = arg.get_help().map(ToString::to_string) else { return arg };
        if arg.get_long_help().is_some() { arg } else { with_short(arg, &long) }
    });
    names.iter().fold(command, |command, name| command.mut_subcommand(name, shortened))
}

fn with_short(arg: Arg, long: &str) -> Arg {
    arg.help(short(long)).long_help(long.to_owned())
}

/// The first statement, and the default where that is told in words.
fn short(long: &str) -> String {
    let (text, default) = long.find(" [default: ").map_or((long, ""), |at| long.split_at(at));
    let end = ENDS.iter().filter_map(|end| text.find(end)).min().unwrap_or(text.len());
    let statement = text.get(..end).unwrap_or(text);
    let open = statement.rfind(" (").filter(|at| !statement.split_at(*at).1.contains(')'));
    format!("{}{default}", open.and_then(|at| statement.get(..at)).unwrap_or(statement))
}

/// Tells what is wrong with the command line, and where a setting belongs that another command has;
/// or what was asked for, as the version.
pub(super) fn refuse(mut error: Error) -> ExitCode {
    if error.kind() == ErrorKind::UnknownArgument
        && let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg)
        && let Some(tip) = tip(&CommandLine::command(), flag)
    {
        // What is only spelt alike is another thing.
        drop(error.remove(ContextKind::SuggestedArg));
        drop(error.remove(ContextKind::Usage));
        let tips = ContextValue::StyledStrs(vec![StyledStr::from(tip)]);
        drop(error.insert(ContextKind::Suggested, tips));
    }
    drop(error.print()); // Nobody reads a closed terminal.
    match error.exit_code() {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::from(MISTYPED),
    }
}

fn tip(program: &Command, flag: &str) -> Option<String> {
    let flag = flag.strip_prefix("--")?.split('=').next()?;
    let mut owners = Vec::new();
    find_owners(program, "", flag, &mut owners);
    let owners = owners.split_last().map(|(last, others)| match others {
        [] => last.clone(),
        others => format!("{} and {last}", others.join(", ")),
    })?;
    Some(format!("'--{flag}' is a setting of {owners}"))
}

/// The commands that have a setting, as they are typed.
fn find_owners(command: &Command, typed: &str, flag: &str, owners: &mut Vec<String>) {
    for part in command.get_subcommands() {
        let typed = format!("{typed} {}", part.get_name()).trim_start().to_owned();
        let is_it = |arg: &Arg| arg.get_long() == Some(flag) && !arg.is_hide_set();
        if part.get_arguments().any(is_it) {
            owners.push(format!("`{typed}`"));
        }
        find_owners(part, &typed, flag, owners);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_help_is_the_first_statement_with_the_default() {
        assert_eq!(short("TCP port to listen on"), "TCP port to listen on");
        assert_eq!(short("A, b; c: d. E"), "A, b");
        assert_eq!(short("A (b), c (d: e)"), "A (b), c");
        assert_eq!(short("`a://b` or c. D [default: e; f]"), "`a://b` or c [default: e; f]");
    }

    #[test]
    fn a_setting_is_told_with_the_commands_that_have_it() {
        let tip = |flag| tip(&CommandLine::command(), flag);
        assert_eq!(tip("--legacy-session=x").unwrap(), "'--legacy-session' is a setting of `dev`");
        assert_eq!(tip("--rolling").unwrap(), "'--rolling' is a setting of `serve` and `dev`");
        assert_eq!(tip("--print").unwrap(), "'--print' is a setting of `migrate`");
        assert_eq!(tip("--nothing"), None);
        assert_eq!(tip("-x"), None);
    }
}
