//! Every file of `fuzz/corpus/` is tried with the property that it is of.

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use nextbnb_tests::next::repository;
use nextbnb_tests::properties::ALL;

use crate::mutate::Mutator;
use crate::{mutations, seed};

#[test]
fn every_file_of_the_corpus_keeps_its_property() {
    let mut broken = Vec::new();
    for (name, property) in ALL {
        let files = entries(&repository().join("fuzz/corpus").join(name));
        assert!(!files.is_empty(), "{name} has no corpus");
        for file in files {
            let bytes = fs::read(&file).unwrap();
            if catch_unwind(|| property(&bytes)).is_err() {
                broken.push(file);
            }
        }
    }
    assert!(broken.is_empty(), "broken by {broken:#?}");
}

#[test]
fn every_property_holds_for_changes_of_its_corpus() {
    let mut broken = Vec::new();
    for (name, property) in ALL {
        let files = entries(&repository().join("fuzz/corpus").join(name));
        let corpus: Vec<_> = files.iter().map(|file| fs::read(file).unwrap()).collect();
        let mut mutator = Mutator::new(seed());
        for _ in 0..mutations() {
            let mut bytes = mutator.choose(&corpus).clone();
            mutator.change(&mut bytes);
            if catch_unwind(|| property(&bytes)).is_err() {
                broken.push(format!("{name}: {}", bytes.escape_ascii()));
            }
        }
    }
    assert!(broken.is_empty(), "seed {}: broken by {broken:#?}", seed());
}

#[test]
fn every_property_has_a_target_and_a_corpus_and_none_is_left_over() {
    let names: BTreeSet<String> = ALL.iter().map(|(name, _)| (*name).to_owned()).collect();
    let fuzz = repository().join("fuzz");
    let stems = |folder: &str| -> BTreeSet<String> {
        let files = entries(&fuzz.join(folder));
        files.iter().map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
    };
    assert_eq!(stems("fuzz_targets"), names);
    assert_eq!(stems("corpus"), names);
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    for name in &names {
        let path = format!("path = \"fuzz_targets/{name}.rs\"");
        assert_eq!(manifest.matches(&path).count(), 1, "{name} is no [[bin]]");
        let target = fs::read_to_string(fuzz.join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(target.contains(&format!("properties::{name}::check")), "{name} fuzzes another");
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
