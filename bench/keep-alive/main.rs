//! 100,000 requests to real `next start` through the gateway, with rests around Node's 5 s and
//! restarts of Next.js. See `run.sh` beside this.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement on a terminal"
)]

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use nextbnb_tests::load::{Plan, Restart, run};
use nextbnb_tests::next::Group;
use nextbnb_tests::next_app::NextApp;
use nextbnb_tests::wait_until;

/// 25 rounds of 200 clients with 20 requests each.
const ROUNDS: usize = 25;
const CLIENTS: usize = 200;
const BURST: usize = 20;

/// Before Node closes, as it does, and after; and where the gateway itself lets connections go.
const RESTS_MILLIS: [u64; 10] = [4900, 4950, 4980, 5000, 5020, 5050, 5100, 3950, 4020, 980];

#[tokio::main]
async fn main() {
    let mut words = std::env::args().skip(1);
    let gateway = words.next().expect("the path of the gateway");
    let flags: Vec<String> = words.collect();
    let mut next = NextApp::start().await;
    let state = tempfile::tempdir().unwrap();
    let (_process, address) = serve(&gateway, &flags, next.address(), state.path()).await;
    let rests = RESTS_MILLIS.iter().cycle().take(ROUNDS);
    let plan = Plan {
        clients: CLIENTS,
        burst: BURST,
        rests: rests.map(|millis| Duration::from_millis(*millis)).collect(),
        restarts: [
            (4, Restart::Terminated),
            (8, Restart::Killed),
            (12, Restart::Terminated),
            (16, Restart::Killed),
            (20, Restart::Terminated),
        ]
        .into(),
    };
    let begun = Instant::now();
    let outcome = run(&plan, address, &mut next).await;
    println!("{} requests in {:?}", outcome.sent, begun.elapsed());
    println!("failed while Next.js accepted, or unanswered: {}", outcome.failed.len());
    println!("orders carried out twice: {}", outcome.doubled.len());
    println!("orders answered and not carried out: {}", outcome.lost.len());
    println!("while Next.js was down, by status: {:?}", outcome.during_restarts);
    println!("of those not 200: {:?}", outcome.unserved);
    println!("answers that a kill cut: {}", outcome.cut);
    println!("of the former without 200 and Retry-After: {}", outcome.without_retry_after);
    println!("Next.js was down for {:?}", outcome.gaps);
    for failure in outcome.failed.iter().take(20) {
        println!("  {failure}");
    }
    let is_clean =
        outcome.failed.is_empty() && outcome.doubled.is_empty() && outcome.lost.is_empty();
    assert!(is_clean, "not clean");
}

/// The gateway as a process of its own, on a port of its choice.
async fn serve(
    program: &str,
    flags: &[String],
    next: SocketAddr,
    state: &Path,
) -> (Group, SocketAddr) {
    let log = state.join("log");
    let mut command = Command::new(program);
    command.arg("serve").args(flags).args(["--host", "127.0.0.1", "--port", "0", "--upstream"]);
    command.arg(format!("http://{next}")).arg("--state-dir").arg(state.join("state"));
    command.stderr(std::fs::File::create(&log).unwrap());
    let process = Group::spawn(&mut command);
    let mut address = None;
    wait_until("the gateway serves", async || {
        let said = std::fs::read_to_string(&log).unwrap();
        let at = said.split("http://127.0.0.1:").nth(1);
        let port = at.and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next());
        address = port.and_then(|port| format!("127.0.0.1:{port}").parse().ok());
        said.contains("serving on") && address.is_some()
    })
    .await;
    (process, address.unwrap())
}
