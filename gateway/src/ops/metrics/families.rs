//! Every family of metrics: its name by the conventions of Prometheus, its labels, its meaning.
//!
//! Labels have few values, none of which a client makes up. `docs/metrics.md` is compared with this.

/// What a family's numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows, from zero at the start of the process.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts of durations by how long they were.
    Histogram,
}

/// A family of metrics.
#[derive(Debug)]
pub struct Family {
    /// Its name, without the `_total` that a counter is exposed with.
    pub name: &'static str,
    /// What its numbers are.
    pub kind: Kind,
    /// What tells its numbers apart.
    pub labels: &'static [&'static str],
    /// What they mean, for whoever reads them.
    pub help: &'static str,
}

impl Family {
    /// The name that queries use.
    pub fn exposed_name(&self) -> String {
        match self.kind {
            Kind::Counter => format!("{}_total", self.name),
            Kind::Gauge | Kind::Histogram => self.name.to_owned(),
        }
    }
}

macro_rules! families {
    ($($id:ident: $kind:ident $name:literal [$($label:literal)*] $help:literal;)*) => {
        $(
            #[doc = $help]
            pub static $id: Family =
                Family { name: $name, kind: Kind::$kind, labels: &[$($label),*], help: $help };
        )*

        /// All of them, in the order in which they are exposed.
        pub static ALL: &[&Family] = &[$(&$id),*];
    };
}

families! {
    BUILD: Gauge "nextbnb_build_info" ["version"] "1, with the version of the gateway.";
    DRAINING: Gauge "nextbnb_draining" [] "1 once the process has begun to end, else 0.";
    WORKERS: Gauge "nextbnb_workers" [] "Threads that serve connections.";

    CONNECTIONS_ACCEPTED: Counter "nextbnb_connections_accepted" []
        "Connections of clients that were served.";
    OPEN: Gauge "nextbnb_open" ["what"]
        "What is open at this moment: connections, requests of clients, upgrades (WebSockets).";
    OPEN_LIMIT: Gauge "nextbnb_open_limit" ["what"] "How many of these there may be at once.";
    TURNED_AWAY: Counter "nextbnb_turned_away" ["what" "reason"]
        "What was turned away for being one too many: in total, or of one client.";

    REQUESTS: Counter "nextbnb_http_requests" ["method" "route" "status"]
        "Requests whose answer's head was made, and (status gone) those whose client left before.";
    REQUEST_DURATION: Histogram "nextbnb_http_request_duration_seconds" ["route"]
        "From a request's head to its answer's head, without the body.";
    REQUESTS_IN_FLIGHT: Gauge "nextbnb_http_requests_in_flight" []
        "Requests of anybody whose answer has not ended.";
    REFUSED: Counter "nextbnb_http_requests_refused" ["reason"]
        "Requests that the gateway answered itself because they could not be passed on.";
    REQUEST_BYTES: Counter "nextbnb_http_request_body_bytes" []
        "Bytes of bodies that were passed on to upstreams.";
    RESPONSE_BYTES: Counter "nextbnb_http_response_body_bytes" []
        "Bytes of bodies of answers that have ended.";
    UPSTREAM_DURATION: Histogram "nextbnb_upstream_duration_seconds" []
        "From when a request was handed to an upstream to the head of its answer.";
    UPSTREAM_CONNECTIONS: Counter "nextbnb_upstream_connections" ["result"]
        "Connections that requests were sent on: new, reused; and those that did not come about (failed).";
    UPSTREAM_RETRIES: Counter "nextbnb_upstream_retries" []
        "Requests that were sent once more, since the upstream had ended the first connection.";
    UPSTREAM_IDLE: Gauge "nextbnb_upstream_connections_idle" []
        "Connections to upstreams that rest until the next request.";
    UPSTREAM_WAITING: Gauge "nextbnb_upstream_waiting" []
        "Requests that wait for an upstream to take connections again (--upstream-wait).";

    STATIC_REQUESTS: Counter "nextbnb_static_cache_requests" ["result"]
        "Requests for built files: answered from memory (hit), by the upstream (miss), or by it without a look, as for a part of a file (bypass).";
    STATIC_FILES: Gauge "nextbnb_static_cache_files" [] "Built files in memory, each coding of one counted.";
    STATIC_BYTES: Gauge "nextbnb_static_cache_bytes" [] "Memory that they take.";

    AUTH: Counter "nextbnb_auth_requests" ["action" "result"]
        "Requests to register, log in and log out: done, refused, throttled, failed.";
    SESSIONS: Counter "nextbnb_session_lookups" ["result"]
        "Requests by what was found of a session: live, none, or that it could not be told (failed).";

    CACHE_HITS: Counter "nextbnb_session_cache_hits" []
        "Requests whose session was found in memory.";
    CACHE_MISSES: Counter "nextbnb_session_cache_misses" []
        "Requests for whose session the database was asked; none are counted while nothing is kept.";
    CACHE_COALESCED: Counter "nextbnb_session_cache_coalesced" []
        "Requests that waited for what another one asked.";
    CACHE_EVICTIONS: Counter "nextbnb_session_cache_evictions" []
        "Sessions that others pushed out of memory.";
    CACHE_ENTRIES: Gauge "nextbnb_session_cache_entries" []
        "Sessions in memory, of use or not.";
    CACHE_BYTES: Gauge "nextbnb_session_cache_bytes" [] "Memory that they take.";
    FEED_UP: Gauge "nextbnb_change_feed_up" []
        "1 while what others change in the database is told as it happens, else 0: then every session is read there.";
    FEED_RECONNECTS: Counter "nextbnb_change_feed_reconnects" []
        "How often that began again after it had stopped.";
    FEED_NOTICES: Counter "nextbnb_change_feed_notices" []
        "Changes that were told; that anything may have changed is one.";
    FEED_PROOF_AGE: Gauge "nextbnb_change_feed_last_proof_age_seconds" []
        "How long ago the last proof was sent that nothing is missed; not there before the first.";

    STATEMENTS: Counter "nextbnb_database_statements" ["result"]
        "Statements that the database was sent: done, failed.";
    STATEMENT_SECONDS: Counter "nextbnb_database_statement_seconds" []
        "Time that statements took, added up.";
    POOL: Gauge "nextbnb_database_connections" ["state"]
        "Connections to the database: idle, used.";
    POOL_LIMIT: Gauge "nextbnb_database_connections_limit" []
        "How many of them there may be at once.";

    CERTIFICATE_END: Gauge "nextbnb_tls_certificate_not_after_timestamp_seconds" ["file"]
        "When a certificate that is served ends, in seconds since 1970.";
    LOG_LINES_LOST: Counter "nextbnb_log_lines_lost" []
        "Log lines that nobody read in time, and that were given up.";

    CPU: Counter "process_cpu_seconds" [] "Time that the process had a processor.";
    MEMORY: Gauge "process_resident_memory_bytes" [] "Memory that the process has in use.";
    DESCRIPTORS: Gauge "process_open_fds" [] "File descriptors that the process has open.";
    DESCRIPTOR_LIMIT: Gauge "process_max_fds" [] "How many it may have.";
    STARTED: Gauge "process_start_time_seconds" []
        "When the process was started, in seconds since 1970.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_conventions() {
        for family in ALL {
            let name = family.name;
            let is_plain = |c: char| c.is_ascii_lowercase() || c == '_';
            assert!(name.chars().all(is_plain) && !name.ends_with("_total"), "{name}");
            assert!(name.starts_with("nextbnb_") || name.starts_with("process_"), "{name}");
            assert!(family.help.ends_with('.'), "{name}");
            let others = ALL.iter().filter(|other| other.name == name).count();
            assert_eq!(others, 1, "{name}");
            assert!(!name.contains("duration") || name.ends_with("_seconds"), "{name}");
        }
    }
}
