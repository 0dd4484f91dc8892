//! What a scrape found.

use std::collections::BTreeMap;

use super::families::Family;
use super::histogram::Counts;

/// The numbers of one scrape.
#[derive(Debug, Default)]
pub struct Samples(BTreeMap<&'static str, BTreeMap<Vec<String>, Value>>);

/// A number, or several.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value {
    Count(u64),
    Number(f64),
    Durations(Counts),
}

impl Samples {
    /// Says a whole number of `family` for these values of its labels, in their order.
    pub fn count(&mut self, family: &'static Family, labels: &[&str], count: u64) {
        self.add(family, labels, Value::Count(count));
    }

    /// Says any number.
    pub fn number(&mut self, family: &'static Family, labels: &[&str], number: f64) {
        self.add(family, labels, Value::Number(number));
    }

    pub(super) fn durations(&mut self, family: &'static Family, labels: &[&str], counts: Counts) {
        self.add(family, labels, Value::Durations(counts));
    }

    fn add(&mut self, family: &'static Family, labels: &[&str], more: Value) {
        debug_assert_eq!(labels.len(), family.labels.len(), "{}", family.name);
        let labels = labels.iter().map(|&label| label.to_owned()).collect();
        let all = self.0.entry(family.name).or_default();
        all.entry(labels).and_modify(|value| value.grow(&more)).or_insert(more);
    }

    /// Those of a family, by the values of its labels.
    pub(super) fn of(&self, family: &Family) -> impl Iterator<Item = (&Vec<String>, &Value)> {
        self.0.get(family.name).into_iter().flatten()
    }
}

impl Value {
    fn grow(&mut self, more: &Self) {
        match (self, more) {
            (Self::Count(all), Self::Count(more)) => *all += more,
            (Self::Number(all), Self::Number(more)) => *all += more,
            (Self::Durations(all), Self::Durations(more)) => all.add(more),
            (all, more) => *all = *more, // Nobody says numbers of two kinds of one family.
        }
    }
}
