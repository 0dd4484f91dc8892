//! New certificates while the gateway serves.

use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::Signal;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{error, info};

use super::tls::Tls;

/// Reads the certificates again when their files have changed, looking each `pause`, and whenever
/// `asked` comes. One that cannot be used is told, and the old one stays.
///
/// A renewal writes several files. A change is acted upon once nothing has changed for a `pause`,
/// so that a certificate is not read without its key.
pub(super) async fn keep_fresh(tls: Arc<Tls>, pause: Duration, mut asked: Signal) {
    let (mut served, mut seen) = (tls.first_stamps(), tls.first_stamps());
    let mut ticks = interval(pause);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let is_asked = tokio::select! {
            _ = ticks.tick() => false,
            _ = asked.recv() => true,
        };
        let of_files = tls.clone();
        let Ok(now) = tokio::task::spawn_blocking(move || of_files.stamps()).await else { return };
        let is_new = now != served && now == seen;
        seen.clone_from(&now);
        if is_asked || is_new {
            served = now;
            read_again(tls.clone()).await;
        }
    }
}

async fn read_again(tls: Arc<Tls>) {
    let reading = tokio::task::spawn_blocking(move || tls.read_again());
    match reading.await {
        Ok(Ok(())) => info!("the certificates of --tls-cert were read again"),
        Ok(Err(failed)) => {
            error!(cause = %crate::error::chain(&failed), "the certificates served stay the old ones");
        }
        Err(failed) => error!(cause = %failed, "the certificates could not be read again"),
    }
}
