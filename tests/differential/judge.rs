//! Tells which differences are meant, and which entries of the list nothing needs.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::allowed::{ALLOWED, Allowed, Change, Mode};
use crate::compare::Difference;

/// The list, and which of its entries were needed.
#[derive(Debug)]
pub(crate) struct Judge {
    mode: Mode,
    entries: Vec<(&'static Allowed, AtomicBool)>,
}

impl Judge {
    pub(crate) fn new(mode: Mode) -> Self {
        let entries = ALLOWED.iter().filter(|entry| entry.modes.contains(&mode));
        Self { mode, entries: entries.map(|entry| (entry, AtomicBool::new(false))).collect() }
    }

    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether a difference is meant; notes which entries say so.
    pub(crate) fn allows(&self, scenario: &str, difference: &Difference) -> bool {
        let relevant = self.entries.iter().filter(|(entry, _)| {
            matches(entry.scenario, scenario) && matches(entry.what, &difference.what)
        });
        let mut gateway = difference.gateway.clone();
        let mut needed = Vec::new();
        for (entry, is_needed) in relevant {
            match entry.change {
                Change::Reads(express, ours)
                    if gateway.contains(ours) && !difference.express.contains(ours) =>
                {
                    gateway = gateway.replace(ours, express);
                    needed.push(is_needed);
                }
                Change::From(express, ours)
                    if matches(express, &difference.express)
                        && matches(ours, &difference.gateway) =>
                {
                    is_needed.store(true, Ordering::Relaxed);
                    return true;
                }
                _ => {}
            }
        }
        let is_equal = gateway == difference.express;
        if is_equal {
            for is_needed in needed {
                is_needed.store(true, Ordering::Relaxed);
            }
        }
        is_equal
    }

    /// Complaints about entries that allowed nothing.
    pub(crate) fn idle(&self) -> Vec<String> {
        let idle = self.entries.iter().filter(|(_, needed)| !needed.load(Ordering::Relaxed));
        let complaint = |entry: &Allowed| {
            let Allowed { row, scenario, what, change, .. } = entry;
            format!("{:?} {row:?}: nothing needs {what:?} {change:?} in {scenario:?}", self.mode)
        };
        idle.map(|(entry, _)| complaint(entry)).collect()
    }
}

/// Whether `text` is `pattern`, in which `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(start) else { return false };
    let mut parts: Vec<_> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        let Some((_, after)) = text.split_once(part) else { return false };
        text = after;
    }
    text.ends_with(end)
}
