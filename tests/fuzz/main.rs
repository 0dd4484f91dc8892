//! What no bytes may do: the corpus of `fuzz/`, and mutated streams before and behind the gateway.
//!
//! `FUZZ_MUTATIONS` says how many streams there are, `FUZZ_SEED` which: a failure names its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::format_collect,
    reason = "a failed set-up should stop the test"
)]

mod answers;
mod corpus;
mod gateway;
mod judge;
mod mutate;
mod requests;

/// Streams of a test run; `make fuzz-differential` has more.
const MUTATIONS: usize = 1000;

/// Streams to try.
fn mutations() -> usize {
    setting("FUZZ_MUTATIONS").map_or(MUTATIONS, |count| count.try_into().unwrap())
}

/// What decides on the mutations: the same for the same seed.
fn seed() -> u64 {
    setting("FUZZ_SEED").unwrap_or(23)
}

#[expect(clippy::disallowed_methods, reason = "a setting of the tests")]
fn setting(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|value| value.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}
