//! Looks that change nothing, and what they found.

mod accounts;
mod ask;
mod change_feed;
mod clock;
mod columns;
mod connection;
mod cookie;
pub mod database;
pub mod everything;
mod exposure;
mod frontend;
mod hot_reload;
mod machine;
mod migrations;
mod next_release;
mod ports;
pub mod render;
mod rights;
mod sessions;
mod site;
mod tables;
mod upstream;

use std::fmt::Display;

use serde_json::{Map, Value};

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As it should be.
    Ok,
    /// Some people or rows are not served as they might expect.
    Warning,
    /// The gateway does not start, or nobody is signed in or can be.
    Problem,
}

impl Level {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

/// One thing that was looked at. It never holds a secret, a session id, a password's hash or an
/// e-mail address.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What was looked at, the same in every release; see `docs/doctor.md`.
    pub id: &'static str,
    /// How much it matters.
    pub level: Level,
    /// What was found.
    pub what: String,
    /// Why that matters.
    pub why: Option<String>,
    /// The command or setting that cures it.
    pub cure: Option<String>,
    /// The numbers and names in it, for programs.
    pub facts: Map<String, Value>,
}

impl Finding {
    fn new(id: &'static str, level: Level, what: impl Into<String>) -> Self {
        let what = what.into();
        Self { id, level, what, why: None, cure: None, facts: Map::new() }
    }

    /// What is as it should be.
    pub fn ok(id: &'static str, what: impl Into<String>) -> Self {
        Self::new(id, Level::Ok, what)
    }

    /// What some will notice.
    pub fn warning(id: &'static str, what: impl Into<String>) -> Self {
        Self::new(id, Level::Warning, what)
    }

    /// What everybody will notice.
    pub fn problem(id: &'static str, what: impl Into<String>) -> Self {
        Self::new(id, Level::Problem, what)
    }

    /// Says why it matters.
    #[must_use]
    pub fn why(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }

    /// Says what cures it.
    #[must_use]
    pub fn cure(mut self, cure: impl Into<String>) -> Self {
        self.cure = Some(cure.into());
        self
    }

    /// Adds a number or name for programs.
    #[must_use]
    pub fn fact(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(name.to_owned(), value.into());
        self
    }
}

/// All that was found, in the order in which it was looked at.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// The findings.
    pub findings: Vec<Finding>,
}

impl Report {
    /// How many findings are of this level.
    pub fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }

    /// Whether nothing keeps the gateway from serving; warnings are no obstacle.
    pub fn is_healthy(&self) -> bool {
        self.count(Level::Problem) == 0
    }
}

/// `1 row`, `2 rows`.
pub(crate) fn counted(count: u64, one: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {one}{plural}")
}

/// Each name with how often it occurs: `a (2), b (1)`.
fn listed<'a, T: Display + 'a>(counts: impl IntoIterator<Item = (&'a T, &'a u64)>) -> String {
    let each = counts.into_iter().map(|(name, count)| format!("{name} ({count})"));
    each.collect::<Vec<_>>().join(", ")
}
