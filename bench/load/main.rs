//! What the scripts of `bench/` load servers with.
//!
//! ```text
//! bench-load upstream                             the fixed upstream; prints its port
//! bench-load paced PORT PATH RATE SECONDS COOKIES so many requests a second, and how long they took
//! bench-load idle PORT PATH COOKIES STEP…         connections that rest after one request
//! bench-load sign-ins PORT PARALLEL SECONDS       so many sign-ins under way all the time
//! ```
//!
//! Everything is on 127.0.0.1, with one thread a connection: none of it is on the core that is measured.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement that cannot go on should stop"
)]

mod browser;
mod connection;
mod idle;
mod paced;
mod sign_ins;
mod upstream;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["upstream"] => upstream::serve(),
        ["paced", port, path, rate, seconds, cookies] => {
            paced::run(number(port), &visits(path, cookies), number(rate), number(seconds));
        }
        ["idle", port, path, cookies, steps @ ..] => {
            let steps: Vec<usize> = steps.iter().map(|step| number(step)).collect();
            idle::run(number(port), &visits(path, cookies), &steps);
        }
        ["sign-ins", port, parallel, seconds] => {
            sign_ins::run(number(port), number(parallel), number(seconds));
        }
        _ => panic!("see the top of bench/load/main.rs"),
    }
}

/// The same page, by everybody whose cookies are in the file, one a line.
fn visits(path: &str, cookies: &str) -> Vec<Vec<u8>> {
    let cookies = std::fs::read_to_string(cookies).expect("a file of cookies");
    cookies.lines().map(|cookies| browser::get(path, cookies)).collect()
}

fn number<T: std::str::FromStr>(word: &str) -> T {
    word.parse().ok().unwrap_or_else(|| panic!("no number: {word}"))
}
