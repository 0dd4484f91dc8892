//! A Next.js application that does what applications may do, straight and through the gateway:
//! the gateway must change nothing but what `compare` names.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a failed set-up should stop the test"
)]

mod actions;
mod browser;
mod check;
mod checks;
mod compare;
mod curl;
mod fronts;
mod keep_alive;
mod limits;
mod memory;
mod play;
mod site;
mod streams;

use self::check::Check;
use self::compare::{Mode, differences, shortcomings};
use self::fronts::Fronts;
use self::play::{Seen, Way, play};
use self::site::Site;

#[tokio::test(flavor = "multi_thread")]
async fn a_built_application_is_the_same_through_the_gateway() {
    compare_all(&Site::built().await, Mode::Production).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_in_development_is_the_same_through_the_gateway() {
    compare_all(&Site::in_development().await, Mode::Development).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn server_actions_work_under_every_name_of_the_site_and_for_no_other_site() {
    let site = Site::built().await;
    actions::check_all(&Box::pin(Fronts::open(site.next())).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn server_actions_in_development_work_under_every_name_of_the_site() {
    let site = Site::in_development().await;
    actions::check_all(&Box::pin(Fronts::open(site.next())).await).await;
}

async fn compare_all(site: &Site, mode: Mode) {
    let checks = checks::all();
    let played = checks.iter().filter(|check| mode == Mode::Production || !check.is_for_production);
    let (mut count, mut failures) = (0, Vec::new());
    for check in played {
        count += 1;
        failures.extend(faults(site, check, mode).await);
    }
    assert!(count >= 100, "only {count} checks were played");
    let said = failures.join("\n");
    assert!(failures.is_empty(), "{} faults in {count} checks:\n{said}", failures.len());
}

/// What is wrong with the application, or with the gateway before it.
async fn faults(site: &Site, check: &Check, mode: Mode) -> Vec<String> {
    let names = site.names();
    let straight = settled(site, check, mode).await;
    let mut found = Vec::new();
    for (step, seen) in check.steps.iter().zip(&straight) {
        found.extend(shortcomings(step, seen).into_iter().map(|text| ("straight", text)));
    }
    for (name, way) in [
        ("HTTP/1.1", Way::Gateway(site.gateway())),
        ("HTTP/2", Way::GatewayByHttp2(site.gateway())),
    ] {
        let through = play(check, way, names).await;
        for (before, after) in straight.iter().zip(&through) {
            let texts = differences(before, after, mode, site.next());
            found.extend(texts.into_iter().map(|text| (name, text)));
        }
        for (step, seen) in check.steps.iter().zip(&through) {
            found.extend(shortcomings(step, seen).into_iter().map(|text| (name, text)));
        }
    }
    found.into_iter().map(|(way, text)| format!("{} ({way}): {text}", check.name)).collect()
}

/// What the application answers once its caches are filled: the same twice.
async fn settled(site: &Site, check: &Check, mode: Mode) -> Vec<Seen> {
    let way = Way::Straight(site.next());
    let mut before = play(check, way, site.names()).await;
    for _ in 0..10 {
        let seen = play(check, way, site.names()).await;
        let mut pairs = before.iter().zip(&seen);
        if pairs.all(|(one, other)| differences(one, other, mode, site.next()).is_empty()) {
            return seen;
        }
        before = seen;
    }
    before
}
