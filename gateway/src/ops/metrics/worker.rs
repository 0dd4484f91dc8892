//! What one worker counts.

use std::array;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use http::{Method, StatusCode};

use super::families;
use super::histogram::Histogram;
use super::labels::{
    AuthAction, AuthResult, Lookup, MethodKind, Reason, RouteKind, StaticFile, UpstreamConnection,
};
use super::samples::Samples;
use super::status::Statuses;
use crate::error::RequestError;

/// As many counters as a label has values.
type PerLabel = Box<[AtomicU64]>;

fn counters(count: usize) -> PerLabel {
    (0..count).map(|_| AtomicU64::new(0)).collect()
}

fn add_one(counters: &[AtomicU64], at: usize) {
    if let Some(counter) = counters.get(at) {
        counter.fetch_add(1, Relaxed);
    }
}

/// The counters of one worker, which no other touches: an addition is a few nanoseconds, and waits
/// for nobody's cache.
#[derive(Debug)]
#[repr(align(128))]
pub struct WorkerMetrics {
    statuses: Statuses,
    requests: PerLabel,
    durations: [Histogram; RouteKind::LABELS.len()],
    upstream: Histogram,
    upstream_connections: PerLabel,
    upstream_retries: AtomicU64,
    begun: AtomicU64,
    ended: AtomicU64,
    request_bytes: AtomicU64,
    response_bytes: AtomicU64,
    refused: PerLabel,
    auth: PerLabel,
    lookups: PerLabel,
    static_files: PerLabel,
    connections: AtomicU64,
}

impl WorkerMetrics {
    pub(super) fn new() -> Self {
        let statuses = Statuses::new();
        let series = MethodKind::LABELS.len() * RouteKind::LABELS.len() * statuses.labels().len();
        Self {
            requests: counters(series),
            statuses,
            durations: array::from_fn(|_| Histogram::new()),
            upstream: Histogram::new(),
            upstream_connections: counters(UpstreamConnection::LABELS.len()),
            upstream_retries: AtomicU64::new(0),
            begun: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            request_bytes: AtomicU64::new(0),
            response_bytes: AtomicU64::new(0),
            refused: counters(Reason::LABELS.len()),
            auth: counters(AuthAction::LABELS.len() * AuthResult::LABELS.len()),
            lookups: counters(Lookup::LABELS.len()),
            static_files: counters(StaticFile::LABELS.len()),
            connections: AtomicU64::new(0),
        }
    }

    /// Notes a connection.
    pub fn accepted(&self) {
        self.connections.fetch_add(1, Relaxed);
    }

    /// Notes a request's head.
    pub(in crate::ops) fn request_begun(&self) {
        self.begun.fetch_add(1, Relaxed);
    }

    /// Notes the head of an answer that `took` so long, or that nobody waited for one.
    pub(in crate::ops) fn answered(
        &self,
        method: &Method,
        route: RouteKind,
        status: Option<StatusCode>,
        took: Duration,
    ) {
        let row = MethodKind::of(method) as usize * RouteKind::LABELS.len() + route as usize;
        let at = row * self.statuses.labels().len() + self.statuses.place(status);
        add_one(&self.requests, at);
        if let Some(durations) = self.durations.get(route as usize)
            && status.is_some()
        {
            durations.note(took);
        }
    }

    /// Notes the end of an answer of so many `bytes`.
    pub(in crate::ops) fn request_ended(&self, bytes: u64) {
        self.ended.fetch_add(1, Relaxed);
        self.response_bytes.fetch_add(bytes, Relaxed);
    }

    /// Notes a piece of a request's body.
    pub fn passed_on(&self, bytes: u64) {
        self.request_bytes.fetch_add(bytes, Relaxed);
    }

    /// Notes an upstream's answer.
    pub fn upstream_answered(&self, took: Duration) {
        self.upstream.note(took);
    }

    /// Notes what a request is sent on.
    pub fn upstream_connection(&self, connection: UpstreamConnection) {
        add_one(&self.upstream_connections, connection as usize);
    }

    /// Notes a request that is sent once more.
    pub fn upstream_retried(&self) {
        self.upstream_retries.fetch_add(1, Relaxed);
    }

    /// Notes a request that is not passed on.
    pub fn refused(&self, error: &RequestError) {
        add_one(&self.refused, Reason::of(error) as usize);
    }

    /// Notes how a sign-in and its like ended.
    pub fn signed_in(&self, action: AuthAction, result: AuthResult) {
        add_one(&self.auth, action as usize * AuthResult::LABELS.len() + result as usize);
    }

    /// Notes what was found of a session.
    pub fn looked_up(&self, lookup: Lookup) {
        add_one(&self.lookups, lookup as usize);
    }

    /// Notes what memory did for a request for a built file.
    pub fn static_file(&self, result: StaticFile) {
        add_one(&self.static_files, result as usize);
    }

    pub(super) fn add(&self, samples: &mut Samples) {
        let value = |counter: &AtomicU64| counter.load(Relaxed);
        self.add_requests(samples);
        for (reason, counter) in Reason::LABELS.iter().zip(&self.refused) {
            samples.count(&families::REFUSED, &[reason], value(counter));
        }
        let mut auth = self.auth.iter();
        for action in AuthAction::LABELS {
            for (result, counter) in AuthResult::LABELS.iter().zip(&mut auth) {
                samples.count(&families::AUTH, &[action, result], value(counter));
            }
        }
        for (result, counter) in Lookup::LABELS.iter().zip(&self.lookups) {
            samples.count(&families::SESSIONS, &[result], value(counter));
        }
        for (result, counter) in StaticFile::LABELS.iter().zip(&self.static_files) {
            samples.count(&families::STATIC_REQUESTS, &[result], value(counter));
        }
        // Read in this order there is never more that ended than that had begun.
        let ended = value(&self.ended);
        let in_flight = value(&self.begun).saturating_sub(ended);
        samples.count(&families::REQUESTS_IN_FLIGHT, &[], in_flight);
        samples.count(&families::REQUEST_BYTES, &[], value(&self.request_bytes));
        samples.count(&families::RESPONSE_BYTES, &[], value(&self.response_bytes));
        samples.count(&families::CONNECTIONS_ACCEPTED, &[], value(&self.connections));
        samples.count(&families::WORKERS, &[], 1);
        for (route, durations) in RouteKind::LABELS.iter().zip(&self.durations) {
            samples.durations(&families::REQUEST_DURATION, &[route], durations.counts());
        }
        samples.durations(&families::UPSTREAM_DURATION, &[], self.upstream.counts());
        for (result, counter) in UpstreamConnection::LABELS.iter().zip(&self.upstream_connections) {
            samples.count(&families::UPSTREAM_CONNECTIONS, &[result], value(counter));
        }
        samples.count(&families::UPSTREAM_RETRIES, &[], value(&self.upstream_retries));
    }

    /// Those that there were: most methods are never answered with most statuses.
    fn add_requests(&self, samples: &mut Samples) {
        let mut requests = self.requests.iter();
        for method in MethodKind::LABELS {
            for route in RouteKind::LABELS {
                for (status, counter) in self.statuses.labels().iter().zip(&mut requests) {
                    let count = counter.load(Relaxed);
                    if count > 0 {
                        samples.count(&families::REQUESTS, &[method, route, status], count);
                    }
                }
            }
        }
    }
}
