//! Health in parts: each room that others wait for tells of itself.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long a report is told again: looks cost the database and the upstreams something.
const FRESH: Duration = Duration::from_secs(1);

/// What a part of the gateway tells of itself.
#[derive(Debug)]
pub struct Part {
    /// For people: no secrets, no ids of sessions, nothing of accounts.
    pub details: Value,
    /// Why requests should go elsewhere; empty where they are welcome.
    pub faults: Vec<String>,
}

impl Part {
    /// A part for whose sake nobody need go elsewhere.
    pub fn sound(details: Value) -> Self {
        Self { details, faults: Vec::new() }
    }
}

type Look = Box<dyn Fn() -> Pin<Box<dyn Future<Output = Part> + Send>> + Send + Sync>;

/// The parts, and how each is looked at.
pub struct Health {
    began: Instant,
    parts: Vec<(&'static str, Look)>,
    last: Mutex<Option<(Instant, Arc<Report>)>>,
}

impl Health {
    /// A process without parts, which has just begun.
    pub fn new() -> Self {
        Self { began: Instant::now(), parts: Vec::new(), last: Mutex::default() }
    }

    /// Looks at one part more; a look should not take longer than some seconds.
    pub fn add<F>(&mut self, name: &'static str, look: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = Part> + Send + 'static,
    {
        self.parts.push((name, Box::new(move || Box::pin(look()))));
    }

    /// Looks at all parts at once, unless somebody has just done so.
    pub(super) async fn report(&self) -> Arc<Report> {
        let mut last = self.last.lock().await; // Who comes meanwhile is told the same.
        if let Some((at, report)) = &*last
            && at.elapsed() < FRESH
        {
            return report.clone();
        }
        let looks = self.parts.iter().map(async |(name, look)| (*name, look().await));
        let parts = join_all(looks).await;
        let report = Arc::new(Report { uptime: self.began.elapsed(), parts });
        *last = Some((Instant::now(), report.clone()));
        report
    }
}

impl Default for Health {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<_> = self.parts.iter().map(|(name, _)| name).collect();
        f.debug_struct("Health").field("parts", &parts).finish_non_exhaustive()
    }
}

/// What all parts told.
#[derive(Debug)]
pub(super) struct Report {
    uptime: Duration,
    parts: Vec<(&'static str, Part)>,
}

impl Report {
    pub(super) fn is_ready(&self) -> bool {
        self.parts.iter().all(|(_, part)| part.faults.is_empty())
    }

    /// Whether requests are welcome, and why not.
    pub(super) fn verdict(&self) -> Value {
        let reasons: Vec<&String> = self.parts.iter().flat_map(|(_, part)| &part.faults).collect();
        let status = if reasons.is_empty() { "ready" } else { "not ready" };
        json!({ "status": status, "reasons": reasons })
    }

    /// The same with all details.
    pub(super) fn told(&self) -> String {
        let mut told = Map::new();
        if let Value::Object(verdict) = self.verdict() {
            told.extend(verdict);
        }
        told.insert("version".to_owned(), env!("CARGO_PKG_VERSION").into());
        told.insert("uptime_seconds".to_owned(), self.uptime.as_secs().into());
        let parts =
            self.parts.iter().map(|(name, part)| ((*name).to_owned(), part.details.clone()));
        told.extend(parts);
        Value::Object(told).to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_part_that_is_not_well_is_enough_and_is_named() {
        let mut health = Health::new();
        health.add("sound", async || Part::sound(json!({ "size": 3 })));
        assert!(health.report().await.is_ready());
        tokio::time::advance(FRESH).await;
        health.add("ill", async || Part {
            details: json!("broken"),
            faults: vec!["it broke".to_owned()],
        });
        let report = health.report().await;
        let expected = json!({ "status": "not ready", "reasons": ["it broke"] });
        assert_eq!((report.is_ready(), report.verdict()), (false, expected));
        let told: Value = serde_json::from_str(&report.told()).unwrap();
        assert_eq!((&told["sound"]["size"], &told["ill"]), (&json!(3), &json!("broken")));
        assert_eq!(told["uptime_seconds"], 1);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_asks_often_costs_no_more_looks() {
        let looks = Arc::new(AtomicUsize::new(0));
        let mut health = Health::new();
        let counted = looks.clone();
        health.add("part", move || {
            counted.fetch_add(1, Relaxed);
            async {
                tokio::task::yield_now().await;
                Part::sound(Value::Null)
            }
        });
        tokio::join!(health.report(), health.report());
        health.report().await;
        assert_eq!(looks.load(Relaxed), 1);
        tokio::time::advance(FRESH).await;
        health.report().await;
        assert_eq!(looks.load(Relaxed), 2);
    }
}
