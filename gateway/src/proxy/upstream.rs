//! Requests to the upstream over pooled connections.

use std::io;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, Method, Request, Response, StatusCode, Version, header};
use http_body::Body as _;
use http_body_util::{BodyExt, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::debug;

use super::body::UpstreamBody;
use super::bounded_stream::BoundedStream;
use super::connect::connect;
use super::expectation::{Word, hold_back};
use super::failure::{Failure, is_stale};
use super::framing::check_response;
use super::pool::{Lease, Pool, Sender};
use super::request_body::RequestBody;
use super::upstream_address::UpstreamAddress;
use crate::error::RequestError;

/// How often resting connections are looked through. With [`UpstreamLimits::idle`] it stays under
/// the 5 s after which Node closes them, so that a stopping Next.js has none to wait for.
const EXPIRY_INTERVAL: Duration = Duration::from_millis(500);

/// Bounds on what one request waits for.
#[derive(Debug, Clone, Copy)]
pub struct UpstreamLimits {
    /// Longest wait for a connection, name look-up included.
    pub connect: Duration,
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
}

impl Upstream {
    /// Prepares for the upstream at `address`; connections are made when they are needed.
    ///
    /// The address may change: `next dev` comes back on another port when its own was taken.
    /// Must be called on the worker's runtime, which closes resting connections in time.
    pub fn new(address: watch::Receiver<Option<UpstreamAddress>>, limits: UpstreamLimits) -> Self {
        let pool = Arc::default();
        tokio::spawn(expire_regularly(Arc::downgrade(&pool)));
        Self { address, limits, pool }
    }

    /// Its bounds on waiting.
    pub fn limits(&self) -> &UpstreamLimits {
        &self.limits
    }

    /// Host and port at this moment; `None` before the upstream has any, and of a Unix socket.
    pub fn authority(&self) -> Option<Authority> {
        self.address.borrow().as_ref().and_then(UpstreamAddress::authority).cloned()
    }

    /// Whether it takes a connection at this moment, on which nothing is sent.
    pub async fn is_reachable(&self) -> bool {
        let address = self.address.borrow().clone();
        match address {
            Some(address) => connect(&address, self.limits.connect).await.is_ok(),
            None => false,
        }
    }

    /// Sends `request` and waits for the response head; the body streams afterwards.
    ///
    /// Node closes resting connections when it likes, so a reused one may fail before a byte came
    /// back. Then the request goes out once more on a new connection, when that is safe: it was
    /// never written, or it is idempotent and has no body (RFC 9110 §9.2.2, §9.3).
    ///
    /// Fails with [`RequestError::UpstreamUnreachable`], [`RequestError::UpstreamSilent`] or
    /// [`RequestError::UpstreamBroken`], or their `Downstream` twins where the client's body is at
    /// fault.
    pub async fn send(
        &self,
        request: Request<RequestBody>,
    ) -> Result<Response<UpstreamBody>, RequestError> {
        let repeatable = is_repeatable(&request);
        let limit = if repeatable { self.limits.idle } else { self.limits.idle_for_unsafe };
        let Some(sender) = self.pool.take(limit, Instant::now()) else {
            return self.send_on_new(request).await;
        };
        let (head, body) = request.into_parts();
        let copy = repeatable.then(|| head.clone());
        match self.send_on(sender, Request::from_parts(head, body)).await {
            Ok(response) => Ok(response),
            Err(Failure::Unsent(request)) => self.send_on_new(*request).await,
            Err(Failure::Broken(error)) => match copy {
                Some(head) if is_stale(&error) => self.send_on_new(repeated(head)).await,
                _ => Err(self.error(Failure::Broken(error))),
            },
            Err(failure) => Err(self.error(failure)),
        }
    }

    /// Asks for an upgrade on a connection of its own, which never goes to the pool.
    ///
    /// Fails as [`Upstream::send`] does.
    pub async fn upgrade(
        &self,
        request: Request<RequestBody>,
    ) -> Result<Response<hyper::body::Incoming>, RequestError> {
        let limit = self.limits.upgrade_head;
        let asked = async {
            let mut sender = self.connect(http1::Builder::new().http09_responses(true)).await?;
            let response = sender.send_request(request).await;
            granted_or_refused(response.map_err(|e| self.error(Failure::Broken(e)))?).await
        };
        timeout(limit, asked).await.unwrap_or(Err(RequestError::UpstreamSilent(limit)))
    }

    async fn send_on_new(
        &self,
        request: Request<RequestBody>,
    ) -> Result<Response<UpstreamBody>, RequestError> {
        let sender = self.connect(&http1::Builder::new()).await?;
        self.send_on(sender, request).await.map_err(|failure| self.error(failure))
    }

    fn error(&self, failure: Failure) -> RequestError {
        failure.into_error(self.limits.response_head)
    }

    async fn send_on(
        &self,
        mut sender: Sender,
        mut request: Request<RequestBody>,
    ) -> Result<Response<UpstreamBody>, Failure> {
        let word = hold_back(&mut request);
        let limit = self.limits.response_head;
        let progress = request.body().progress();
        tokio::select! {
            outcome = sender.try_send_request(request) => match outcome {
                Ok(response) => self.lend(sender, response, word),
                Err(mut error) => match error.take_message() {
                    Some(request) => Err(Failure::Unsent(Box::new(request))),
                    None => Err(Failure::Broken(error.into_error())),
                },
            },
            () = progress.stalled(limit) => Err(Failure::Silent(limit)),
        }
    }

    /// Binds the connection to the response's body, at whose end it is free again; one that sent
    /// what could be read in two ways is closed.
    fn lend(
        &self,
        sender: Sender,
        response: Response<hyper::body::Incoming>,
        word: Option<Word>,
    ) -> Result<Response<UpstreamBody>, Failure> {
        let (mut head, incoming) = response.into_parts();
        check_response(&mut head).map_err(Failure::Ambiguous)?;
        let limit = self.limits.idle.min(keep_alive_limit(&head.headers));
        let body = match word.filter(Word::comes_too_late) {
            Some(word) => UpstreamBody::unasked(incoming, word),
            None if head.status == StatusCode::SWITCHING_PROTOCOLS => {
                UpstreamBody::unpooled(incoming)
            }
            None => UpstreamBody::pooled(incoming, Lease::new(self.pool.clone(), sender, limit)),
        };
        Ok(Response::from_parts(head, body))
    }

    async fn connect(&self, client: &http1::Builder) -> Result<Sender, RequestError> {
        let address = self.address.borrow().clone().ok_or_else(|| {
            RequestError::UpstreamUnreachable(io::Error::new(
                io::ErrorKind::NotConnected,
                "not started",
            ))
        })?;
        let stream = connect(&address, self.limits.connect).await?;
        let stream = BoundedStream::new(stream, self.limits.response_head);
        let (sender, connection) = client
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| RequestError::UpstreamBroken(error.into()))?;
        tokio::spawn(async move {
            if let Err(error) = connection.with_upgrades().await {
                debug!(cause = %error, "a connection to the upstream ended");
            }
        });
        Ok(sender)
    }
}

/// The answer to an upgrade, unless it is none.
///
/// Where Next.js takes a page for another site's it writes `Unauthorized` and no status line
/// (16.4.5, `block-cross-site-dev.js`), which hyper is told to read as an answer of HTTP/0.9.
async fn granted_or_refused(
    response: Response<hyper::body::Incoming>,
) -> Result<Response<hyper::body::Incoming>, RequestError> {
    const REFUSAL: &[u8] = b"Unauthorized";
    let (mut head, body) = response.into_parts();
    if head.version != Version::HTTP_09 {
        check_response(&mut head).map_err(|reason| RequestError::UpstreamBroken(reason.into()))?;
        return Ok(Response::from_parts(head, body));
    }
    let said = Limited::new(body, REFUSAL.len()).collect().await;
    if said.is_ok_and(|said| said.to_bytes() == REFUSAL) {
        return Err(RequestError::UnknownDevOrigin);
    }
    Err(RequestError::UpstreamBroken("an answer without a status line".into()))
}

/// Whether sending the request twice does what sending it once does, and its body is not used up.
fn is_repeatable(request: &Request<RequestBody>) -> bool {
    request.body().is_end_stream()
        && matches!(
            *request.method(),
            Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE
        )
}

fn repeated(head: Parts) -> Request<RequestBody> {
    Request::from_parts(head, RequestBody::empty())
}

/// What the upstream's `Keep-Alive: timeout=N` leaves to rest on, one second before its end.
fn keep_alive_limit(headers: &HeaderMap) -> Duration {
    let seconds = headers
        .get(header::HeaderName::from_static("keep-alive"))
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(',').find_map(|part| part.trim().strip_prefix("timeout=")))
        .and_then(|seconds| seconds.parse::<u64>().ok());
    seconds.map_or(Duration::MAX, |seconds| Duration::from_secs(seconds.saturating_sub(1)))
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
    use http::HeaderValue;

    use super::*;

    #[track_caller]
    fn check_keep_alive(value: &'static str, expected: Duration) {
        let mut headers = HeaderMap::new();
        headers.insert("keep-alive", HeaderValue::from_static(value));
        assert_eq!(keep_alive_limit(&headers), expected, "{value}");
    }

    #[test]
    fn a_connection_rests_a_second_less_than_the_upstream_keeps_it() {
        check_keep_alive("timeout=5", Duration::from_secs(4));
        check_keep_alive("max=100, timeout=70", Duration::from_secs(69));
        check_keep_alive("timeout=0", Duration::ZERO);
        check_keep_alive("timeout=soon", Duration::MAX);
        assert_eq!(keep_alive_limit(&HeaderMap::new()), Duration::MAX);
    }
}
