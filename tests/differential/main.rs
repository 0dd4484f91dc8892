//! The gateway beside the real packages: the same requests to both, on one database, in turns.
//!
//! `scenarios/` says what is asked, `allowed.rs` what may differ and why.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a failed set-up should stop the test"
)]

mod allowed;
mod client;
mod compare;
mod corners;
mod express;
mod fill;
mod judge;
mod look;
mod made_up;
mod player;
mod properties;
mod races;
mod sabotage;
mod scenario;
mod site;
mod step;
mod trace;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::{StreamExt, stream};

use crate::allowed::Mode;
use crate::express::Express;
use crate::judge::Judge;
use crate::site::{Contender, Site, WAYS};

/// Sites that play at the same time.
const STAGES: usize = 3;

/// Longest wait for rows that are written after the answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The folder of the scenarios.
fn scenarios() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("differential/scenarios")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_gateway_and_express_differ_only_where_the_list_says_so() {
    let chapters = scenario::read_all(&scenarios());
    let count: usize = chapters.iter().map(|chapter| chapter.scenarios.len()).sum();
    assert!(count >= 150, "only {count} scenarios");

    let judges = [Mode::Default, Mode::Express].map(Judge::new);
    let mut express = Express::start();
    let application = express.serve_application();
    let mut sites = Vec::new();
    for chapter in chapters {
        sites.push(Site::open(&mut express, chapter).await);
    }
    let playing = sites.iter().map(|site| play_all(site, &judges, application));
    let complaints: Vec<Vec<String>> = stream::iter(playing).buffered(STAGES).collect().await;
    let mut complaints = complaints.concat();
    complaints.extend(judges.iter().flat_map(Judge::idle));
    let total = complaints.len();
    assert!(complaints.is_empty(), "{}\n{total} in {count} scenarios", complaints.join("\n"));
}

/// Plays every scenario of a site in every way; tells what differs and is not meant to.
async fn play_all(site: &Site, judges: &[Judge], application: SocketAddr) -> Vec<String> {
    let mut gateways = Vec::new();
    for judge in judges {
        gateways.push((site.gateway(judge.mode(), application).await, judge));
    }
    let mut complaints = Vec::new();
    for scenario in &site.chapter.scenarios {
        let expected = site.expected(scenario).await;
        for (gateway, judge) in &gateways {
            for way in WAYS {
                let contender = Contender { address: gateway.address(), judge, patience: PATIENCE };
                complaints.extend(site.compare(scenario, way, contender, &expected).await);
            }
        }
    }
    complaints
}
