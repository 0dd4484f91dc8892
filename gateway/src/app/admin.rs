//! What operators are told of: every room with numbers or health, registered here.

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tracing::warn;

use super::admin_sessions::{add_cache, add_feed, feed_part};
use crate::config::Config;
use crate::database::{self, Database};
use crate::downstream::crowd::{Crowd, CrowdStats};
use crate::error::{FrontError, StartError};
use crate::gateway::Crowds;
use crate::ops::admin::Admin;
use crate::ops::admin::health::{Health, Part};
use crate::ops::drain::Drain;
use crate::ops::logs::lost_lines;
use crate::ops::metrics::{Metrics, Samples, families};
use crate::proxy::reachable::is_reachable;
use crate::proxy::routing::{PathPrefix, PathRoutes, Target};
use crate::server::admin::AdminServer;
use crate::server::listen_at::ListenAt;
use crate::server::listeners::Listeners;
use crate::server::tls::Tls;
use crate::server::worker::Address;
use crate::session::Sessions;
use crate::session::feed::FeedReports;
use crate::static_files::StaticFiles;

/// Longest wait for the database or an upstream when it is asked how it is.
const LOOK_LIMIT: Duration = Duration::from_secs(2);

/// What there is to tell of.
pub(super) struct Watched {
    pub(super) metrics: Metrics,
    pub(super) database: Database,
    pub(super) sessions: Sessions,
    pub(super) feed: FeedReports,
    pub(super) routes: PathRoutes<Target<Address>>,
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) crowds: Crowds,
    pub(super) static_files: Option<Arc<StaticFiles>>,
    pub(super) drain: Drain,
    pub(super) workers: usize,
}

impl Watched {
    /// Answers operators where `--admin` says, if it does.
    pub(super) async fn answer(self, config: &Config) -> Result<Option<AdminServer>, StartError> {
        let Some(place) = config.admin.clone() else { return Ok(None) };
        let listeners = open(place.clone(), self.upstreams()).await?;
        if listeners.addresses().iter().any(|address| !address.ip().is_loopback()) {
            warn!(
                "--admin {place} can be reached from other machines: whoever can connect reads \
                 metrics and health"
            );
        }
        let host = match place {
            ListenAt::Tcp { host, .. } => Some(host),
            ListenAt::Unix { .. } => None,
        };
        let drain = self.drain.clone();
        let admin = Admin::new(self.metrics(), self.health(), host);
        AdminServer::start(listeners, admin, drain).map(Some)
    }

    fn upstreams(&self) -> Vec<Address> {
        self.routes.iter().map(|(_, target)| target.upstream.clone()).collect()
    }

    /// Each room's numbers; those of requests are counted by the workers.
    fn metrics(&self) -> Metrics {
        let metrics = self.metrics.clone();
        let (drain, database) = (self.drain.clone(), self.database.clone());
        metrics.add_source(move |samples| {
            samples.count(&families::DRAINING, &[], drain.has_begun().into());
            samples.count(&families::LOG_LINES_LOST, &[], lost_lines());
        });
        metrics.add_source(move |samples| add_database(samples, &database));
        let (sessions, feed) = (self.sessions.clone(), self.feed.clone());
        metrics.add_source(move |samples| {
            add_feed(samples, &feed);
            if let Some(stats) = sessions.cache_stats() {
                add_cache(samples, &stats);
            }
        });
        let crowds = self.crowds.clone();
        metrics.add_source(move |samples| {
            add_crowd(samples, "connections", &crowds.connections);
            add_crowd(samples, "requests", &crowds.requests);
            add_crowd(samples, "upgrades", &crowds.upgrades);
        });
        let static_files = self.static_files.clone();
        metrics.add_source(move |samples| add_static_files(samples, static_files.as_deref()));
        if let Some(tls) = self.tls.clone() {
            metrics.add_source(move |samples| add_certificates(samples, &tls));
        }
        metrics
    }

    /// Each room's health; of those that requests need, what keeps them from being welcome.
    fn health(self) -> Health {
        let Self { database, feed, routes, tls, crowds, drain, workers, .. } = self;
        let mut health = Health::new();
        health.add("draining", move || ready(drain_part(drain.has_begun())));
        health.add("database", move || database_part(database.clone()));
        health.add("change_feed", move || ready(feed_part(&feed)));
        let upstreams: Arc<[_]> = routes
            .iter()
            .map(|(prefix, target)| {
                let prefix = prefix.map_or_else(|| "/".to_owned(), PathPrefix::to_string);
                (prefix, target.upstream.clone())
            })
            .collect();
        health.add("upstreams", move || upstreams_part(upstreams.clone()));
        health.add("certificates", move || ready(certificates_part(tls.as_deref())));
        health.add("workers", move || ready(open_part(workers, &crowds)));
        health
    }
}

/// Listens at `place`, which none of the `upstreams` may lead to.
///
/// On a thread of its own, since a name server that hangs must not hold up a signal.
async fn open(place: ListenAt, upstreams: Vec<Address>) -> Result<Listeners, StartError> {
    let opening = tokio::task::spawn_blocking(move || {
        let listeners = Listeners::open(std::slice::from_ref(&place), 1)
            .map_err(|error| of_admin(&place, error))?;
        for upstream in upstreams.iter().filter_map(|address| address.borrow().clone()) {
            if listeners.are_reached_by(&upstream) {
                let upstream = upstream.to_string();
                return Err(FrontError::UpstreamIsAdmin { upstream }.into());
            }
        }
        Ok(listeners)
    });
    opening.await.unwrap_or_else(|error| {
        Err(StartError::System { what: "a thread that listens", source: error.into() })
    })
}

/// The same error, which names the flag that this place was typed with.
fn of_admin(place: &ListenAt, error: StartError) -> StartError {
    let other = |text: &str| std::io::Error::other(text.to_owned());
    let (holder, source) = match error {
        StartError::Listen { holder, source, .. } => (holder, source),
        StartError::Host { source, .. } | StartError::Front(FrontError::Socket { source, .. }) => {
            (None, source)
        }
        StartError::Front(FrontError::SocketTaken { holder, .. }) => {
            (holder, other("it is in use"))
        }
        StartError::Front(FrontError::NoSocket { .. }) => {
            (None, other("what is there is no socket"))
        }
        error => return error,
    };
    StartError::Admin { place: place.to_string(), holder, source }
}

fn add_database(samples: &mut Samples, database: &Database) {
    let stats = database.stats();
    samples.count(&families::STATEMENTS, &["done"], stats.done);
    samples.count(&families::STATEMENTS, &["failed"], stats.failed);
    samples.number(&families::STATEMENT_SECONDS, &[], stats.took.as_secs_f64());
    samples.count(&families::POOL, &["idle"], stats.idle);
    samples.count(&families::POOL, &["used"], stats.used);
    samples.count(&families::POOL_LIMIT, &[], stats.most);
}

fn add_static_files(samples: &mut Samples, files: Option<&StaticFiles>) {
    let stats = files.map(StaticFiles::stats).unwrap_or_default();
    samples.count(&families::STATIC_FILES, &[], stats.files as u64);
    samples.count(&families::STATIC_BYTES, &[], stats.bytes);
}

fn add_crowd(samples: &mut Samples, what: &str, crowd: &Crowd) {
    let CrowdStats { open, most, turned_away_in_total, turned_away_of_client } = crowd.stats();
    samples.count(&families::OPEN, &[what], open);
    samples.count(&families::OPEN_LIMIT, &[what], most);
    samples.count(&families::TURNED_AWAY, &[what, "total"], turned_away_in_total);
    samples.count(&families::TURNED_AWAY, &[what, "client"], turned_away_of_client);
}

fn add_certificates(samples: &mut Samples, tls: &Tls) {
    for (file, end) in tls.ends() {
        // Every date that a certificate can have is exact as a number of seconds.
        #[expect(clippy::cast_precision_loss, reason = "dates are far below 2^53 seconds")]
        samples.number(&families::CERTIFICATE_END, &[&file.to_string_lossy()], end as f64);
    }
}

fn drain_part(has_begun: bool) -> Part {
    let faults = if has_begun { vec!["the process is ending".to_owned()] } else { Vec::new() };
    Part { details: has_begun.into(), faults }
}

async fn database_part(database: Database) -> Part {
    let answered = database.ping(LOOK_LIMIT).await;
    let stats = database.stats();
    let failure = answered.err().map(|error| database::cause(&error));
    let details = json!({
        "kind": stats.kind,
        "answers": failure.is_none(),
        "cause": failure,
        "connections": { "used": stats.used, "idle": stats.idle, "most": stats.most },
        "statements": { "done": stats.done, "failed": stats.failed },
        "last_failure_seconds_ago": stats.last_failure.map(|ago| ago.as_secs()),
    });
    let faults = failure.map(|cause| format!("the database does not answer: {cause}"));
    Part { details, faults: faults.into_iter().collect() }
}

async fn upstreams_part(upstreams: Arc<[(String, Address)]>) -> Part {
    let looks = upstreams.iter().map(|(_, address)| is_reachable(address, LOOK_LIMIT));
    let (mut details, mut faults) = (Vec::new(), Vec::new());
    for ((prefix, address), reachable) in upstreams.iter().zip(join_all(looks).await) {
        let address = address.borrow().as_ref().map(ToString::to_string);
        if !reachable {
            faults.push(format!("the upstream of {prefix} cannot be reached"));
        }
        details.push(json!({ "prefix": prefix, "address": address, "reachable": reachable }));
    }
    Part { details: details.into(), faults }
}

fn certificates_part(tls: Option<&Tls>) -> Part {
    let ends = tls.map(Tls::ends).unwrap_or_default();
    let ends = ends.into_iter().map(|(file, end)| {
        let end = chrono::DateTime::from_timestamp(end, 0).map(|end| end.to_rfc3339());
        json!({ "file": file, "not_after": end })
    });
    Part::sound(ends.collect())
}

fn open_part(workers: usize, crowds: &Crowds) -> Part {
    let told = |crowd: &Crowd| -> Value {
        let stats = crowd.stats();
        json!({ "open": stats.open, "most": stats.most })
    };
    Part::sound(json!({
        "threads": workers,
        "connections": told(&crowds.connections),
        "requests": told(&crowds.requests),
        "upgrades": told(&crowds.upgrades),
    }))
}
