//! What operators are told of sessions in memory, and of the news that they live by.

use serde_json::json;

use crate::ops::admin::health::Part;
use crate::ops::metrics::{Samples, families};
use crate::session::cache::stats::CacheStats;
use crate::session::feed::{FeedReports, FeedStats};

pub(super) fn add_cache(samples: &mut Samples, stats: &CacheStats) {
    let CacheStats { hits, misses, coalesced, evictions, entries, bytes } = *stats;
    samples.count(&families::CACHE_HITS, &[], hits);
    samples.count(&families::CACHE_MISSES, &[], misses);
    samples.count(&families::CACHE_COALESCED, &[], coalesced);
    samples.count(&families::CACHE_EVICTIONS, &[], evictions);
    samples.count(&families::CACHE_ENTRIES, &[], entries as u64);
    samples.count(&families::CACHE_BYTES, &[], bytes);
}

pub(super) fn add_feed(samples: &mut Samples, feed: &FeedReports) {
    let FeedStats { is_up, last_proof, changes, reconnects, .. } = feed.stats();
    samples.count(&families::FEED_UP, &[], is_up.into());
    samples.count(&families::FEED_RECONNECTS, &[], reconnects);
    samples.count(&families::FEED_NOTICES, &[], changes);
    if let Some(ago) = last_proof {
        samples.number(&families::FEED_PROOF_AGE, &[], ago.as_secs_f64());
    }
}

/// Without news requests are as welcome: each asks the database.
pub(super) fn feed_part(feed: &FeedReports) -> Part {
    let FeedStats { is_up, last_proof, changes, reconnects, cause } = feed.stats();
    Part::sound(json!({
        "up": is_up,
        "cause": cause,
        "last_proof_seconds_ago": last_proof.map(|ago| ago.as_secs()),
        "reconnects": reconnects,
        "notices": changes,
    }))
}
