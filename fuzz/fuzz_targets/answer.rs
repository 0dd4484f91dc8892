#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| nextbnb_tests::properties::answer::check(bytes));
