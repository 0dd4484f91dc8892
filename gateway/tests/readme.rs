//! The README's settings are those of the command line.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed set-up should stop the test")]

use std::fmt::Write as _;
use std::path::Path;

use clap::{Arg, Command, CommandFactory};
use nextbnb_gateway::config::args::CommandLine;
use nextbnb_gateway::config::limits::Limits;
use nextbnb_gateway::ops::metrics::families::{ALL, Family};

const BEGIN: &str =
    "<!-- settings: made from `--help`; UPDATE_README=1 cargo test writes them -->\n";
const END: &str = "<!-- end of settings -->";

#[test]
fn the_command_line_is_consistent() {
    CommandLine::command().debug_assert();
}

#[test]
fn the_readme_lists_every_setting() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = std::fs::read_to_string(&file).unwrap();
    let (before, rest) = readme.split_once(BEGIN).expect("the README has lost its settings");
    let (_, after) = rest.split_once(END).expect("the README's settings have no end");
    let expected = format!("{before}{BEGIN}{}{END}{after}", settings());
    #[expect(clippy::disallowed_methods, reason = "a switch of this test, not a setting")]
    let update = std::env::var_os("UPDATE_README").is_some();
    if update {
        std::fs::write(&file, expected).unwrap();
    } else {
        assert!(
            readme == expected,
            "the README's settings are old: run UPDATE_README=1 cargo test"
        );
    }
}

#[test]
fn the_readme_tells_every_limit() {
    let readme = include_str!("../../README.md");
    let (_, rest) = readme.split_once("\n## Limits\n").expect("the README has lost its limits");
    let (table, _) = rest.split_once("\n## ").expect("nothing comes after the limits");
    let limits = format!("{:#?}", Limits::default());
    let fields = limits.lines().filter_map(|line| line.strip_prefix("    ")?.split_once(": "));
    let fields: Vec<&str> =
        fields.map(|(name, _)| name).filter(|name| !name.starts_with(' ')).collect();
    assert!(fields.contains(&"request_head"), "{fields:?}");
    for field in fields {
        let flag = format!("`--max-{}`", field.replace('_', "-"));
        assert!(table.contains(&format!("`{field}`")) || table.contains(&flag), "{field}");
    }
}

/// `UPDATE_README=1` writes it.
#[test]
fn the_page_of_metrics_lists_every_family() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md");
    let page = std::fs::read_to_string(&file).unwrap();
    let head = "| Metric | Type | Labels | Meaning |\n|---|---|---|---|\n";
    let (before, rest) = page.split_once(head).expect("the page has lost its table");
    let (_, after) = rest.split_once("\n\n").expect("nothing comes after the table");
    let rows: String = ALL.iter().map(|family| family_row(family)).collect();
    let expected = format!("{before}{head}{rows}\n{after}");
    #[expect(clippy::disallowed_methods, reason = "a switch of this test, not a setting")]
    let update = std::env::var_os("UPDATE_README").is_some();
    if update {
        std::fs::write(&file, expected).unwrap();
    } else {
        assert!(page == expected, "docs/metrics.md is old: run UPDATE_README=1 cargo test");
    }
}

fn family_row(family: &Family) -> String {
    let kind = format!("{:?}", family.kind).to_lowercase();
    let labels: Vec<_> = family.labels.iter().map(|label| format!("`{label}`")).collect();
    format!("| `{}` | {kind} | {} | {} |\n", family.exposed_name(), labels.join(", "), family.help)
}

fn settings() -> String {
    let mut command = CommandLine::command();
    command.build();
    let mut text = String::new();
    for name in [
        "serve",
        "dev",
        "migrate",
        "users add",
        "users list",
        "users set-password",
        "users remove",
        "sessions list",
        "sessions end",
        "doctor",
        "doctor database",
        "health",
        "completions",
        "man",
    ] {
        let find = |command, part| Command::find_subcommand(command, part);
        let found = name.split(' ').try_fold(&command, find);
        let command = found.expect("a command is gone");
        write!(text, "\n#### `{name}`\n\n").unwrap();
        writeln!(text, "{}\n", command.get_about().unwrap()).unwrap();
        text.push_str("| Flag | Variable | Default | Meaning |\n|---|---|---|---|\n");
        let is_shown = |argument: &&Arg| argument.get_id() != "help" && !argument.is_hide_set();
        for setting in command.get_arguments().filter(is_shown) {
            text.push_str(&row(setting));
        }
    }
    text.push('\n');
    text
}

fn row(setting: &Arg) -> String {
    let value = match setting.get_value_names() {
        Some([value]) if setting.get_action().takes_values() => format!(" {value}"),
        _ => String::new(),
    };
    let (name, variable) = if setting.is_positional() {
        (String::new(), String::new())
    } else {
        let name = setting.get_long().expect("a flag has no name");
        let variable = setting.get_env().expect("a flag has no variable").to_str().unwrap();
        (format!("--{name}"), format!("`{variable}`"))
    };
    let defaults =
        setting.get_default_values().iter().filter(|_| setting.get_action().takes_values());
    let default: Vec<_> = defaults.map(|value| format!("`{}`", value.to_str().unwrap())).collect();
    let help = setting.get_long_help().or_else(|| setting.get_help()).unwrap().to_string();
    let help = help.replace('\n', " ").replace('|', "\\|");
    let (help, spoken_default) = match help.split_once(" [default: ") {
        Some((help, default)) => (help.to_owned(), default.trim_end_matches(']').to_owned()),
        None => (help, default.join(", ")),
    };
    let value = value.replace('|', "\\|");
    let values: Vec<_> =
        setting.get_possible_values().iter().map(|v| v.get_name().to_owned()).collect();
    let value = match values.as_slice() {
        [] => value,
        _ if value.is_empty() => value,
        values => format!(" {}", values.join("\\|")),
    };
    let setting = format!("{name}{value}");
    format!("| `{}` | {variable} | {spoken_default} | {help} |\n", setting.trim_start())
}
