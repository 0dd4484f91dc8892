//! Sign-ins that never cease.

use std::collections::BTreeMap;
use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use crate::browser;
use crate::connection::Connection;

/// Keeps so many sign-ins under way, each of another account, and tells what they were answered.
/// A connection that ends is counted as 0, and opened anew.
pub(crate) fn run(port: u16, parallel: usize, seconds: f64) {
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let browsers: Vec<_> = (1..=parallel)
        .map(|person| thread::spawn(move || sign_in_until(end, port, person)))
        .collect();
    let mut answered = BTreeMap::<u16, usize>::new();
    for browser in browsers {
        for status in browser.join().unwrap() {
            *answered.entry(status).or_default() += 1;
        }
    }
    let counts: Vec<_> =
        answered.iter().map(|(status, times)| format!(r#""{status}":{times}"#)).collect();
    println!("{{{}}}", counts.join(","));
}

fn sign_in_until(end: Instant, port: u16, person: usize) -> Vec<u16> {
    let request = browser::sign_in(person);
    let mut connection = Connection::open(port);
    let mut answered = Vec::new();
    while Instant::now() < end {
        connection.let_go_at(end);
        let is_sent = connection.writer().write_all(&request).is_ok();
        let status = is_sent.then(|| connection.read_answer()).flatten();
        if Instant::now() >= end {
            break;
        }
        if status.is_none() {
            connection = Connection::open(port);
        }
        answered.push(status.unwrap_or(0));
    }
    answered
}
