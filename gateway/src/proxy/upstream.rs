//! Requests to the upstream over pooled connections.

use std::io;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use http::uri::Authority;
use http::{Request, Response};
use http_body::Body as _;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::absence::Absence;
use super::body::UpstreamBody;
use super::codec::again::{KEPT_BYTES, is_idempotent};
use super::codec::answer::{Answer, Beginning};
use super::codec::connection::Connection;
use super::codec::error::AnswerError;
use super::codec::exchange::{Exchange, Failure, Rest};
use super::codec::streaming::{Sending, Streaming};
use super::connect::connect;
use super::losses::Losses;
use super::own_fields::OwnFields;
use super::pool::{Lease, Pool};
use super::reachable::is_reachable;
use super::request_body::RequestBody;
use super::socket::Socket;
use super::upstream_address::UpstreamAddress;
use crate::error::RequestError;
use crate::ops::drain::Drain;
use crate::ops::metrics::labels::UpstreamConnection;
use crate::ops::metrics::worker::WorkerMetrics;
use crate::ops::metrics::{Samples, families};

/// What Next.js writes, without a status line, where it takes a page for another site's (16.4.5,
/// `block-cross-site-dev.js`).
const REFUSAL: &[u8] = b"Unauthorized";

/// How often resting connections are looked through. With [`UpstreamLimits::idle`] it stays under
/// the 5 s after which Node closes them, so that a stopping Next.js has none to wait for.
const EXPIRY_INTERVAL: Duration = Duration::from_millis(500);

/// Bounds on what one request waits for.
#[derive(Debug, Clone, Copy)]
pub struct UpstreamLimits {
    /// Longest wait for a connection, name look-up included.
    pub connect: Duration,
    /// Longest time that a request is held while there is no connection to be had.
    pub absence: Duration,
    /// Longest wait for a response head after the request, or a piece of its body, was handed on.
    pub response_head: Duration,
    /// Longest wait for a client's next piece of a body.
    pub upload: Duration,
    /// Longest wait for the answer to an upgrade.
    pub upgrade_head: Duration,
    /// Longest time that one side of an upgrade goes on when the other has ended.
    pub half_closed_upgrade: Duration,
    /// Longest rest of a connection before it is closed instead of used again.
    pub idle: Duration,
    /// Longest rest of a connection for a request that could not be sent twice.
    pub idle_for_unsafe: Duration,
}

/// One upstream, as one worker sees it: its address, its limits and its pooled connections.
#[derive(Debug)]
pub struct Upstream {
    address: watch::Receiver<Option<UpstreamAddress>>,
    limits: UpstreamLimits,
    pool: Arc<Pool>,
    absence: Absence,
    losses: Losses,
    metrics: Arc<WorkerMetrics>,
}

impl Upstream {
    /// Prepares for the upstream at `address`; connections are made when they are needed.
    ///
    /// The address may change: `next dev` comes back on another port when its own was taken.
    /// Must be called on the worker's runtime, which closes resting connections in time. Nobody is
    /// held once `drain` has begun. What becomes of connections is counted in `metrics`, and when it
    /// went away in `losses`.
    pub fn new(
        address: watch::Receiver<Option<UpstreamAddress>>,
        limits: UpstreamLimits,
        drain: Drain,
        losses: Losses,
        metrics: Arc<WorkerMetrics>,
    ) -> Self {
        let pool = Arc::new(Pool::new(losses.clone()));
        tokio::spawn(expire_regularly(Arc::downgrade(&pool)));
        let absence = Absence::new(limits.absence, drain);
        Self { address, limits, pool, absence, losses, metrics }
    }

    /// Its bounds on waiting.
    pub fn limits(&self) -> &UpstreamLimits {
        &self.limits
    }

    /// How often it went away until now.
    pub fn losses(&self) -> u64 {
        self.losses.count()
    }

    /// Host and port at this moment; `None` before the upstream has any, and of a Unix socket.
    pub fn authority(&self) -> Option<Authority> {
        self.address.borrow().as_ref().and_then(UpstreamAddress::authority).cloned()
    }

    /// Whether it takes a connection at this moment, on which nothing is sent.
    pub async fn is_reachable(&self) -> bool {
        is_reachable(&self.address, self.limits.connect).await
    }

    /// Sends `request` with the gateway's `own` fields, and waits for the response head; the body streams
    /// afterwards.
    ///
    /// Node closes resting connections when it likes, so a reused one may fail before a byte came
    /// back. Then the request goes out once more on a new connection, when that is safe: not one byte
    /// of it was written; or its method is idempotent (RFC 9110 §9.2.2), and it has no body or all that
    /// was sent of it is still in memory (64 KiB at most). DELETE and PUT are idempotent: they may
    /// reach the upstream twice. POST and PATCH never do.
    ///
    /// Fails with [`RequestError::UpstreamUnreachable`], [`RequestError::UpstreamSilent`] or
    /// [`RequestError::UpstreamBroken`], or their `Downstream` twins where the client's body is at
    /// fault.
    pub async fn send(
        &self,
        request: Request<RequestBody>,
        own: &OwnFields,
    ) -> Result<Response<UpstreamBody>, RequestError> {
        let now = Instant::now();
        let is_repeatable = is_idempotent(request.method()) && is_short(request.body());
        let mut exchange = Exchange::new(request, own, self.limits.response_head, now);
        let limit = if is_repeatable { self.limits.idle } else { self.limits.idle_for_unsafe };
        if let Some(mut connection) = self.pool.take(limit, now) {
            self.metrics.upstream_connection(UpstreamConnection::Reused);
            match exchange.run(&mut connection).await {
                Ok(answer) => return self.lend(connection, answer, exchange.into_rest()),
                Err(failure) => {
                    self.note(&failure);
                    if !exchange.is_repeatable(&failure) {
                        return Err(failure.into());
                    }
                }
            }
            self.metrics.upstream_retried();
        }
        let mut connection = self.connect().await?;
        exchange.rewind(Instant::now());
        let answer =
            exchange.run(&mut connection).await.inspect_err(|failure| self.note(failure))?;
        self.lend(connection, answer, exchange.into_rest())
    }

    fn note(&self, failure: &Failure) {
        if let Failure::Ended(_) = failure {
            self.losses.note();
        }
    }

    /// Says how many connections rest, and how many requests wait for one.
    pub fn add(&self, samples: &mut Samples) {
        samples.count(&families::UPSTREAM_IDLE, &[], self.pool.len() as u64);
        samples.count(&families::UPSTREAM_WAITING, &[], self.absence.waiting());
    }

    /// Asks for an upgrade on a connection of its own, which never goes to the pool.
    ///
    /// Fails as [`Upstream::send`] does.
    pub async fn upgrade(
        &self,
        request: Request<RequestBody>,
        own: &OwnFields,
    ) -> Result<Upgrade, RequestError> {
        let limit = self.limits.upgrade_head;
        let mut connection = self.connect().await?;
        let asked = async {
            let mut exchange = Exchange::new(request, own, limit, Instant::now());
            match exchange.run(&mut connection).await {
                Ok(answer) => granted_or_refused(self.lease(connection, Duration::ZERO), answer),
                Err(Failure::Answer(AnswerError::NoStatusLine))
                    if connection.says_only(exchange.said(), REFUSAL).await =>
                {
                    Err(RequestError::UnknownDevOrigin)
                }
                Err(failure) => Err(failure.into()),
            }
        };
        timeout(limit, asked).await.unwrap_or(Err(RequestError::UpstreamSilent(limit)))
    }

    /// Binds the connection to the response's body, at whose end it is free again.
    fn lend(
        &self,
        connection: Connection,
        answer: Answer,
        rest: Rest,
    ) -> Result<Response<UpstreamBody>, RequestError> {
        let Answer { head, body, keeps_alive, kept } = answer;
        let is_reusable = keeps_alive && matches!(rest, Rest::Sent | Rest::Sending(_));
        let limit = if is_reusable { rest_limit(kept, self.limits.idle) } else { Duration::ZERO };
        let lease = self.lease(connection, limit);
        let (sending, unasked) = match rest {
            Rest::Sent | Rest::Refused => (None, None),
            Rest::Unasked(body) => (None, Some(body)),
            Rest::Sending(upload) => {
                let limit = self.limits.response_head;
                (Some(Sending::begin(upload, lease.share(), limit)), None)
            }
        };
        let body = match body {
            Beginning::Switched(_) => {
                return Err(RequestError::UpstreamBroken("an upgrade nobody asked for".into()));
            }
            Beginning::Part(decoder, come) => {
                UpstreamBody::streamed(Streaming::new(decoder, come, lease, sending))
            }
            Beginning::Whole(body) => {
                lease.give_back();
                if let Some(sending) = sending {
                    sending.leave();
                }
                UpstreamBody::whole(body)
            }
        };
        Ok(Response::from_parts(head, body.keeping(unasked)))
    }

    fn lease(&self, connection: Connection, limit: Duration) -> Lease {
        Lease::new(self.pool.clone(), connection, limit)
    }

    /// A connection, perhaps only when the upstream is back.
    async fn connect(&self) -> Result<Connection, RequestError> {
        let connected = self.absence.outlast(|| self.dial()).await;
        self.metrics.upstream_connection(match &connected {
            Ok(_) => UpstreamConnection::New,
            Err(_) => UpstreamConnection::Failed,
        });
        connected.map(Connection::new)
    }

    async fn dial(&self) -> Result<Socket, RequestError> {
        let address = self.address.borrow().clone().ok_or_else(|| {
            RequestError::UpstreamUnreachable(io::Error::new(
                io::ErrorKind::NotConnected,
                "not started",
            ))
        })?;
        connect(&address, self.limits.connect).await.inspect_err(|_| self.losses.note())
    }
}

/// The answer to a request for an upgrade.
#[derive(Debug)]
pub enum Upgrade {
    /// Another protocol is spoken from here on.
    Granted {
        /// The answer (101).
        response: Response<()>,
        /// The connection.
        socket: Socket,
        /// What has come on it behind the answer.
        come: Bytes,
    },
    /// An ordinary answer.
    Refused(Response<UpstreamBody>),
}

fn granted_or_refused(lease: Lease, answer: Answer) -> Result<Upgrade, RequestError> {
    let Answer { head, body, .. } = answer;
    let body = match body {
        Beginning::Whole(body) => UpstreamBody::whole(body),
        Beginning::Part(decoder, come) => {
            UpstreamBody::streamed(Streaming::new(decoder, come, lease, None))
        }
        Beginning::Switched(come) => {
            let socket = lease.connection.into_socket();
            let socket = socket.ok_or(RequestError::UpstreamBroken("still in use".into()))?;
            let response = Response::from_parts(head, ());
            return Ok(Upgrade::Granted { response, socket, come });
        }
    };
    Ok(Upgrade::Refused(Response::from_parts(head, body)))
}

/// Whether it will be in memory to its end, if only it comes.
fn is_short(body: &RequestBody) -> bool {
    body.size_hint().exact().is_some_and(|length| length <= KEPT_BYTES as u64)
}

/// How long a connection may rest that the upstream keeps for `kept`: a second less, and at most `idle`.
fn rest_limit(kept: Option<Duration>, idle: Duration) -> Duration {
    kept.map_or(idle, |kept| kept.saturating_sub(Duration::from_secs(1)).min(idle))
}

async fn expire_regularly(pool: Weak<Pool>) {
    let mut ticks = tokio::time::interval(EXPIRY_INTERVAL);
    loop {
        ticks.tick().await;
        let Some(pool) = pool.upgrade() else { return };
        pool.expire(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_rests_a_second_less_than_the_upstream_keeps_it() {
        let limit =
            |kept: Option<u64>| rest_limit(kept.map(Duration::from_secs), Duration::from_secs(4));
        assert_eq!(limit(Some(5)), Duration::from_secs(4));
        assert_eq!(limit(Some(3)), Duration::from_secs(2));
        assert_eq!(limit(Some(70)), Duration::from_secs(4));
        assert_eq!(limit(Some(0)), Duration::ZERO);
        assert_eq!(limit(None), Duration::from_secs(4));
    }
}
