//! What Prometheus reads, read as strictly as its own parser does.

use std::collections::{BTreeMap, BTreeSet};

/// The labels of a number, by name.
pub type Labels = BTreeMap<String, String>;

/// The numbers of one scrape.
#[derive(Debug, Default)]
pub struct Scrape {
    /// Each family's type, by its name.
    pub types: BTreeMap<String, String>,
    /// As they are written.
    samples: BTreeMap<(String, Labels), String>,
}

impl Scrape {
    /// Reads version 0.0.4 of the text format; panics where it is not well-formed.
    ///
    /// Each family has its help, its type and then all of its samples, and comes once; a sample
    /// has a name of its family's, labels of its own, and a number.
    #[track_caller]
    pub fn parse(text: &str) -> Self {
        assert!(text.ends_with('\n'), "the last line has no end");
        let (mut scrape, mut family, mut helped) = (Self::default(), String::new(), String::new());
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, help) = help.split_once(' ').expect(line);
                assert!(!help.is_empty(), "{line}");
                name.clone_into(&mut helped);
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').expect(line);
                assert_eq!(name, helped, "{line}");
                assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
                assert!(scrape.types.insert(name.to_owned(), kind.to_owned()).is_none(), "{line}");
                name.clone_into(&mut family);
            } else {
                scrape.add_sample(line, &family);
            }
        }
        scrape.check_histograms();
        scrape
    }

    #[track_caller]
    fn add_sample(&mut self, line: &str, family: &str) {
        let end = line.find(['{', ' ']).expect(line);
        let (name, rest) = line.split_at(end);
        let of_family = name.strip_prefix(family).expect(line);
        let is_histogram = self.types[family] == "histogram";
        let suffixes: &[&str] = if is_histogram { &["_bucket", "_sum", "_count"] } else { &[""] };
        assert!(suffixes.contains(&of_family), "{line}");
        let is_counter = self.types[family] == "counter";
        assert_eq!(name.ends_with("_total"), is_counter, "{line}");
        let (labels, value) = labels_of(rest);
        let value = value.strip_prefix(' ').expect(line);
        let number: f64 = value.parse().expect(line);
        assert!(number.is_finite() && number >= 0.0, "{line}");
        let sample = (name.to_owned(), labels);
        assert!(self.samples.insert(sample, value.to_owned()).is_none(), "twice: {line}");
    }

    /// Buckets hold those before them, and the last holds all.
    #[track_caller]
    fn check_histograms(&self) {
        for family in self.types.iter().filter(|(_, kind)| *kind == "histogram") {
            let name = family.0;
            let counts = self.samples.iter().filter(|((of, _), _)| *of == format!("{name}_count"));
            for ((_, labels), count) in counts {
                let mut buckets: Vec<(f64, u64)> = self
                    .samples
                    .iter()
                    .filter(|((of, _), _)| *of == format!("{name}_bucket"))
                    .filter_map(|((_, own), value)| {
                        let mut own = own.clone();
                        let bound = own.remove("le").expect("a bucket has no bound");
                        (own == *labels).then(|| (bound.parse().unwrap(), whole(value)))
                    })
                    .collect();
                buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
                assert!(buckets.is_sorted_by(|one, next| one.1 <= next.1), "{name} {buckets:?}");
                let (last, all) = *buckets.last().expect(name);
                assert!(last.is_infinite() && all == whole(count), "{name}");
                assert!(self.samples.contains_key(&(format!("{name}_sum"), labels.clone())));
            }
        }
    }

    /// The whole number with exactly these labels; zero where there is none.
    #[track_caller]
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        let labels =
            labels.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        self.samples.get(&(name.to_owned(), labels)).map_or(0, |value| whole(value))
    }

    /// The sum of all whole numbers that have this name.
    #[track_caller]
    pub fn sum(&self, name: &str) -> u64 {
        let samples = self.samples.iter().filter(|((of, _), _)| of == name);
        samples.map(|(_, value)| whole(value)).sum()
    }

    /// The names of the labels that a family's samples have.
    pub fn labels(&self, family: &str) -> BTreeSet<String> {
        let of_family = |name: &str| {
            let rest = name.strip_prefix(family);
            rest.is_some_and(|rest| ["", "_bucket", "_sum", "_count"].contains(&rest))
        };
        let samples = self.samples.keys().filter(|(name, _)| of_family(name));
        let mut labels: BTreeSet<_> =
            samples.flat_map(|(_, labels)| labels.keys().cloned()).collect();
        labels.remove("le");
        labels
    }
}

#[track_caller]
fn whole(value: &str) -> u64 {
    value.parse().unwrap_or_else(|_| panic!("{value} is no whole number"))
}

/// The labels at the beginning of a text, and what follows.
#[track_caller]
fn labels_of(text: &str) -> (Labels, &str) {
    let mut labels = Labels::new();
    let Some(mut rest) = text.strip_prefix('{') else { return (labels, text) };
    while !rest.starts_with('}') {
        let (name, quoted) = rest.split_once("=\"").expect(text);
        let is_plain = |c: char| c.is_ascii_lowercase() || c == '_';
        assert!(!name.is_empty() && name.chars().all(is_plain), "{text}");
        let (value, after) = unquoted(quoted);
        assert!(labels.insert(name.to_owned(), value).is_none(), "{text}");
        rest = after.strip_prefix(',').unwrap_or(after);
    }
    (labels, &rest[1..])
}

/// A label's value up to its quote, and what follows.
#[track_caller]
fn unquoted(text: &str) -> (String, &str) {
    let (mut value, mut characters) = (String::new(), text.char_indices());
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.push(match characters.next().expect(text).1 {
                'n' => '\n',
                same @ ('\\' | '"') => same,
                other => panic!("\\{other} in {text}"),
            }),
            character => value.push(character),
        }
    }
    panic!("no end of {text}");
}
