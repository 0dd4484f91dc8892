//! Reports as text for people, and as JSON for programs.

use std::fmt::{self, Write};

use serde_json::{Map, Value, json};

use super::{Finding, Level, Report};

/// Raised when a member of the JSON goes or changes its meaning.
const JSON_VERSION: u32 = 1;

/// Whether levels have their colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// For a terminal.
    On,
    /// For files, pipes and whoever sets `NO_COLOR`.
    Off,
}

/// One line a finding, with what to know and do below it.
pub fn text(report: &Report, colour: Colour) -> String {
    let mut text = String::new();
    let widest = report.findings.iter().map(|finding| finding.id.len()).max().unwrap_or(0);
    let written = report
        .findings
        .iter()
        .try_for_each(|finding| write_finding(&mut text, finding, widest, colour))
        .and_then(|()| writeln!(text, "\n{}", verdict(report)));
    debug_assert!(written.is_ok(), "a String takes everything");
    text
}

fn write_finding(
    text: &mut String,
    finding: &Finding,
    widest: usize,
    colour: Colour,
) -> fmt::Result {
    let Finding { id, level, what, why, cure, .. } = finding;
    let (begin, end) = match colour {
        Colour::On => (code_of(*level), "\x1b[0m"),
        Colour::Off => ("", ""),
    };
    writeln!(text, "{begin}{:<7}{end}  {id:<widest$}  {}", level.name(), visible(what))?;
    for (label, told) in [("why", why), ("cure", cure)] {
        if let Some(told) = told {
            writeln!(text, "{:<7}  {label:>widest$}  {}", "", visible(told))?;
        }
    }
    Ok(())
}

/// Names from the database are not to move a terminal's cursor.
pub(crate) fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn code_of(level: Level) -> &'static str {
    match level {
        Level::Ok => "\x1b[32m",
        Level::Warning => "\x1b[33m",
        Level::Problem => "\x1b[31m",
    }
}

fn verdict(report: &Report) -> String {
    let count = |level, one: &str| super::counted(report.count(level) as u64, one);
    format!("{}, {}", count(Level::Problem, "problem"), count(Level::Warning, "warning"))
}

/// One object in one line; see `docs/doctor.md`.
pub fn json(report: &Report) -> String {
    let findings: Vec<Value> = report.findings.iter().map(finding_as_json).collect();
    let object = json!({
        "version": JSON_VERSION,
        "healthy": report.is_healthy(),
        "problems": report.count(Level::Problem),
        "warnings": report.count(Level::Warning),
        "findings": findings,
    });
    format!("{object}\n")
}

fn finding_as_json(finding: &Finding) -> Value {
    let Finding { id, level, what, why, cure, facts } = finding;
    let mut object = Map::new();
    object.insert("id".to_owned(), json!(id));
    object.insert("level".to_owned(), json!(level.name()));
    object.insert("what".to_owned(), json!(what));
    for (name, told) in [("why", why), ("cure", cure)] {
        object.insert(name.to_owned(), json!(told));
    }
    object.insert("facts".to_owned(), Value::Object(facts.clone()));
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let warning = Finding::warning("accounts", "2 are\x1b[2J odd").why("they wait").cure("ask");
        let findings = vec![Finding::ok("db", "there").fact("milliseconds", 3), warning];
        Report { findings }
    }

    #[test]
    fn people_read_aligned_lines_and_what_to_do_below_them() {
        let expected = "\
ok       db        there
warning  accounts  2 are\u{fffd}[2J odd
              why  they wait
             cure  ask

0 problems, 1 warning
";
        let lines: Vec<String> = expected.lines().map(str::to_owned).collect();
        let written = text(&report(), Colour::Off);
        assert_eq!(written.lines().collect::<Vec<_>>(), lines);
        assert!(text(&report(), Colour::On).contains("\x1b[33mwarning\x1b[0m  accounts"));
    }

    #[test]
    fn programs_read_one_object_in_one_line() {
        let written = json(&report());
        assert_eq!(written.lines().count(), 1);
        let object: Value = serde_json::from_str(&written).unwrap();
        assert_eq!(object["healthy"], true);
        assert_eq!((&object["problems"], &object["warnings"]), (&json!(0), &json!(1)));
        assert_eq!(object["findings"][0]["facts"]["milliseconds"], 3);
        assert_eq!(object["findings"][0]["cure"], Value::Null);
        assert_eq!(object["findings"][1]["level"], "warning");
    }

    #[test]
    fn a_problem_alone_is_no_health() {
        let problem = Report { findings: vec![Finding::problem("db", "gone")] };
        assert!(report().is_healthy() && !problem.is_healthy());
    }
}
