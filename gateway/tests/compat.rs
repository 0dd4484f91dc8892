//! `--compat express` sets every switch that has an older way, and what is set beside it wins.
#![allow(clippy::unwrap_used, reason = "a failed set-up should stop the test")]

use clap::{ArgMatches, CommandFactory};
use nextbnb_gateway::config::args::CommandLine;

/// Switch, its own default, its value under the preset, and a third one where there is one.
const SWITCHES: [(&str, &str, &str, &str); 9] = [
    ("touch-interval", "10m", "0s", "never"),
    ("anonymous-sessions", "off", "save", "off"),
    ("rolling", "half", "never", "always"),
    ("login-handover", "0s", "10s", "1s"),
    ("cookie-same-site", "lax", "unset", "strict"),
    ("cookie-secure", "auto", "never", "always"),
    ("auth-statuses", "standard", "express", "standard"),
    ("password-policy", "standard", "none", "standard"),
    ("email-case", "ignore", "exact", "ignore"),
];

fn parse(command: &str, switches: &[String]) -> ArgMatches {
    let line = ["nextbnb-gateway".to_owned(), command.to_owned()];
    let line = line.into_iter().chain(switches.iter().cloned());
    let matches = CommandLine::command().try_get_matches_from(line).unwrap();
    matches.subcommand_matches(command).unwrap().clone()
}

#[track_caller]
fn check(switches: &[&str], name: &str, value: &str) {
    let switches: Vec<_> = switches.iter().map(|&switch| switch.to_owned()).collect();
    for command in ["serve", "dev"] {
        let matches = parse(command, &switches);
        let raw = matches.get_raw(&name.replace('-', "_")).unwrap().next().unwrap();
        assert_eq!(raw, value, "--{name} of {command} {switches:?}");
    }
}

#[test]
fn every_switch_has_a_default_a_preset_and_a_will_of_its_own() {
    for (name, default, preset, other) in SWITCHES {
        check(&[], name, default);
        check(&["--compat", "express"], name, preset);
        let given = format!("--{name}={other}");
        check(&["--compat", "express", &given], name, other);
        check(&[&given, "--compat=express"], name, other);
    }
}

/// So that a switch cannot be forgotten here: its help says what the preset makes of it.
#[test]
fn the_help_tells_what_the_preset_sets() {
    let mut command = CommandLine::command();
    command.build();
    let serve = command.find_subcommand("serve").unwrap();
    let told: Vec<(String, String)> = serve
        .get_arguments()
        .filter_map(|argument| {
            let help = argument.get_help().unwrap().to_string();
            let preset = help.split_once("(express:")?.1.split_once(')')?.0.trim().to_owned();
            Some((argument.get_long().unwrap().to_owned(), preset))
        })
        .collect();
    let mut told: Vec<_> = told.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let mut set: Vec<_> = SWITCHES.map(|(name, _, preset, _)| (name, preset)).to_vec();
    told.sort_unstable();
    set.sort_unstable();
    assert_eq!(told, set);
}
