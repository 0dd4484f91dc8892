//! Fills up.
fn main() {}
