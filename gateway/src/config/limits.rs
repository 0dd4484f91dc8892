//! Numbers that only an engineer would change.

use std::time::Duration;

use crate::server::http2::limits::Http2Limits;
use crate::session::feed::FeedLimits;

/// Bounds on waiting and on work, each with the reason for its default.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Longest wait for a complete request head once its beginning has come, or the client has
    /// connected. Cuts clients that send one byte a second.
    pub request_head: Duration,
    /// Longest rest of a client's connection between two requests, as in nginx.
    pub downstream_idle: Duration,
    /// How long into that rest an HTTP/1 connection keeps its buffers: so busy clients never wait for
    /// new ones, and a silent one costs little more than its socket.
    pub downstream_awake: Duration,
    /// Longest time in which a client sends nothing of a body that is under way, or takes nothing
    /// of an answer that waits for it: both may take as long as they move, and a stream that has
    /// nothing to say may rest.
    pub downstream_stall: Duration,
    /// Longest time in which a client that has ended its own side of the connection takes nothing of
    /// its answer, a wait for its head included. It may still read, as `nc` does, or be gone, which
    /// shows when something is sent; so long the upstream may work for nobody.
    pub half_closed_client: Duration,
    /// Longest wait for a TCP connection to the upstream, name look-up included.
    pub connect: Duration,
    /// `--upstream-wait`
    pub upstream_absence: Duration,
    /// Longest wait for the upstream's response head after the request, or a piece of its body,
    /// was handed on, and for the upstream to take a piece. A page rendered on the server may be slow;
    /// in `dev` it may have to be compiled first.
    pub response_head: Duration,
    /// Longest wait for the answer to an upgrade. Next.js never answers one on a path that it
    /// does not know (16.4.5).
    pub upgrade_head: Duration,
    /// How long one side of an upgrade may go on when the other has ended.
    pub half_closed_upgrade: Duration,
    /// Longest rest of an upstream connection before it is closed instead of used again: Node
    /// closes it after 5 s, and a request sent into that moment would be lost.
    pub upstream_idle: Duration,
    /// Longest rest of an upstream connection for a request that could not be sent twice.
    pub upstream_idle_for_unsafe: Duration,
    /// How long an open upgrade or event stream holds up the end of the process.
    pub long_lived_grace: Duration,
    /// Bounds on one HTTP/2 connection.
    pub http2: Http2Limits,
    /// How the change feed proves that it misses nothing.
    pub feed: FeedLimits,
    /// Longest time that a built file is given away from memory without asking the upstream whether it
    /// is still what it was, for a restart that nobody noticed: a deployment takes longer.
    pub static_file_unasked: Duration,
    /// How often the files of `--tls-cert` and `--tls-key` are looked at.
    pub certificate_check: Duration,
    /// How many passwords are hashed at once: half the cores, at least one; under `--rehash-cost` one
    /// more. The rest serves those who are signed in.
    pub concurrent_hashes: usize,
    /// `--max-connections`; `None` is as many as there are file descriptors for.
    pub connections: Option<usize>,
    /// `--max-connections-per-client`; `None` is a share of `connections`.
    pub connections_per_client: Option<usize>,
    /// Requests of clients that may be under way at once, in total; `None` is as many as
    /// `connections`, and of one client as many as it may have connections. Those of this machine, of
    /// trusted proxies themselves and of private networks are not counted, so that pages that call the
    /// gateway back while they render always can.
    pub requests: Option<usize>,
    /// WebSockets that may be open at once, in total; `None` is three quarters of `connections`, so
    /// that they leave room for pages.
    pub upgrades: Option<usize>,
    /// Those of one client; `None` is as many as it may have connections.
    pub upgrades_per_client: Option<usize>,
}

impl Limits {
    /// `dev` is stopped by a person who waits for the prompt.
    pub(super) const DEV_DRAIN: Duration = Duration::from_millis(500);

    /// The defaults of `dev`.
    pub fn dev() -> Self {
        Self {
            response_head: Duration::from_mins(5),
            long_lived_grace: Duration::ZERO,
            ..Self::default()
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            request_head: Duration::from_secs(30),
            downstream_idle: Duration::from_secs(75),
            downstream_awake: Duration::from_secs(2),
            downstream_stall: Duration::from_mins(1),
            half_closed_client: Duration::from_secs(10),
            connect: Duration::from_secs(5),
            upstream_absence: Duration::ZERO,
            response_head: Duration::from_mins(1),
            upgrade_head: Duration::from_secs(10),
            half_closed_upgrade: Duration::from_secs(10),
            upstream_idle: Duration::from_secs(4),
            upstream_idle_for_unsafe: Duration::from_secs(1),
            long_lived_grace: Duration::from_secs(1),
            http2: Http2Limits::default(),
            feed: FeedLimits::default(),
            static_file_unasked: Duration::from_secs(10),
            certificate_check: Duration::from_secs(5),
            concurrent_hashes: (cores / 2).max(1),
            connections: None,
            connections_per_client: None,
            requests: None,
            upgrades: None,
            upgrades_per_client: None,
        }
    }
}
