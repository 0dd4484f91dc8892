//! A request and its answer, on one connection.

use std::future::poll_fn;
use std::io;
use std::mem::take;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::header::EXPECT;
use http::request::Parts;
use http::{Method, Request};
use http_body::Body as _;
use tokio::time::Instant;

use super::alarm::Alarm;
use super::answer::{Answer, AnswerReader};
use super::connection::Connection;
use super::error::AnswerError;
use super::upload::{Upload, UploadError};
use crate::proxy::expectation::PATIENCE;
use crate::proxy::own_fields::OwnFields;
use crate::proxy::request_body::{BodyError, RequestBody};

/// A request that is being sent, and the answer that is awaited. Both at once: an upstream may answer
/// before it has the whole body, or because it does not want it.
#[derive(Debug)]
pub(in crate::proxy) struct Exchange {
    upload: Upload,
    progress: Progress,
    /// Whether the body waits for the upstream's word.
    expects: bool,
    reader: AnswerReader,
    /// Longest wait for the upstream, when it has to move.
    limit: Duration,
}

/// How far the request is.
#[derive(Debug)]
enum Progress {
    /// The body waits for the upstream's word (100), or until it has waited long enough.
    HeldBack {
        until: Instant,
        alarm: Alarm,
    },
    Sending,
    Sent,
    /// The upstream takes no more of it. It may have answered.
    Refused(io::Error),
}

impl Progress {
    fn first(expects: bool, now: Instant) -> Self {
        if expects {
            return Self::HeldBack { until: now + PATIENCE, alarm: Alarm::default() };
        }
        Self::Sending
    }
}

/// What is left of a request when its answer has come.
#[derive(Debug)]
pub(in crate::proxy) enum Rest {
    /// Nothing.
    Sent,
    /// A body that the upstream did not ask for.
    Unasked(RequestBody),
    /// What is still being sent.
    Sending(Upload),
    /// What the upstream does not take.
    Refused,
}

/// Why no answer came.
#[derive(Debug)]
pub(in crate::proxy) enum Failure {
    /// The connection ended, or failed, before a byte came.
    Ended(Option<io::Error>),
    /// What came is no answer.
    Answer(AnswerError),
    /// The client did not send the body.
    Body(BodyError),
    /// The upstream did not move in this time.
    Silent(Duration),
}

impl Exchange {
    /// The request with the gateway's `own` fields; `limit` bounds how long the upstream lets it wait.
    pub(in crate::proxy) fn new(
        request: Request<RequestBody>,
        own: &OwnFields,
        limit: Duration,
        now: Instant,
    ) -> Self {
        let (mut head, body) = request.into_parts();
        // An expectation without a body was dropped by `keep_only_waiting`.
        let expects = !body.is_end_stream() && head.headers.contains_key(EXPECT);
        let upload = Upload::new(&head, own, body, now);
        let reader = AnswerReader::new(head.method == Method::HEAD, emptied(&mut head));
        Self { upload, progress: Progress::first(expects, now), expects, reader, limit }
    }

    /// Whether the request can go out again after `failure`: no byte of an answer came, and the
    /// request is one to be repeated.
    pub(in crate::proxy) fn is_repeatable(&self, failure: &Failure) -> bool {
        matches!(failure, Failure::Ended(_)) && self.upload.is_repeatable()
    }

    /// Begins anew, on another connection.
    pub(in crate::proxy) fn rewind(&mut self, now: Instant) {
        self.upload.rewind(now);
        self.progress = Progress::first(self.expects, now);
    }

    /// Sends the request and waits for the answer's head.
    pub(in crate::proxy) async fn run(
        &mut self,
        connection: &mut Connection,
    ) -> Result<Answer, Failure> {
        poll_fn(|context| self.poll(connection, context)).await
    }

    /// What came and is no answer.
    pub(in crate::proxy) fn said(&mut self) -> Vec<u8> {
        self.reader.said()
    }

    /// What is left of the request.
    pub(in crate::proxy) fn into_rest(self) -> Rest {
        match self.progress {
            Progress::Sent => Rest::Sent,
            Progress::Sending => Rest::Sending(self.upload),
            Progress::Refused(_) => Rest::Refused,
            Progress::HeldBack { .. } => match self.upload.into_body() {
                Some(body) => Rest::Unasked(body),
                None => Rest::Refused,
            },
        }
    }

    fn poll(
        &mut self,
        connection: &mut Connection,
        context: &mut Context<'_>,
    ) -> Poll<Result<Answer, Failure>> {
        loop {
            self.poll_upload(connection, context).map_err(Failure::Body)?;
            let reader = &mut self.reader;
            match connection.poll_read(context, |came| (came.is_empty(), reader.push(came))) {
                Poll::Ready(Ok((false, Ok(Some(answer))))) => return Poll::Ready(Ok(answer)),
                Poll::Ready(Ok((false, Ok(None)))) => {}
                Poll::Ready(Ok((false, Err(error)))) => {
                    return Poll::Ready(Err(Failure::Answer(error)));
                }
                Poll::Ready(Ok((true, _))) => return Poll::Ready(Err(self.ended(None))),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(self.ended(Some(error)))),
                Poll::Pending => break,
            }
        }
        if let Some(since) = self.upload.upstreams_turn() {
            ready!(connection.poll_due(since + self.limit, context));
            return Poll::Ready(Err(Failure::Silent(self.limit)));
        }
        Poll::Pending
    }

    fn ended(&mut self, error: Option<io::Error>) -> Failure {
        if self.reader.has_begun() {
            return Failure::Answer(error.map_or(AnswerError::Incomplete, AnswerError::Connection));
        }
        match take_refusal(&mut self.progress) {
            Some(refusal) => Failure::Ended(Some(refusal)),
            None => Failure::Ended(error),
        }
    }

    /// Sends what can be sent now.
    fn poll_upload(
        &mut self,
        connection: &Connection,
        context: &mut Context<'_>,
    ) -> Result<(), BodyError> {
        if let Progress::HeldBack { until, alarm } = &mut self.progress
            && (self.reader.is_told_to_go_on() || alarm.poll_at(*until, context).is_ready())
        {
            self.progress = Progress::Sending;
        }
        let polled = match self.progress {
            Progress::HeldBack { .. } => match self.upload.poll_head(connection, context) {
                Poll::Ready(Ok(())) => Poll::Pending,
                other => other,
            },
            Progress::Sending => self.upload.poll(connection, context),
            Progress::Sent | Progress::Refused(_) => return Ok(()),
        };
        match polled {
            Poll::Pending => {}
            Poll::Ready(Ok(())) => self.progress = Progress::Sent,
            Poll::Ready(Err(UploadError::Downstream(error))) => return Err(error),
            Poll::Ready(Err(UploadError::Upstream(error))) => {
                self.progress = Progress::Refused(error);
            }
        }
        Ok(())
    }
}

/// The map of a head that was written, for the answer's fields: hyper keeps it for the next request.
fn emptied(head: &mut Parts) -> http::HeaderMap {
    let mut headers = take(&mut head.headers);
    headers.clear();
    headers
}

fn take_refusal(progress: &mut Progress) -> Option<io::Error> {
    match std::mem::replace(progress, Progress::Sent) {
        Progress::Refused(error) => Some(error),
        other => {
            *progress = other;
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::UnixStream;

    use super::*;
    use crate::ops::drain::Drain;
    use crate::proxy::lingering::Lingering;
    use crate::proxy::socket::Socket;

    /// Whether a request is sent again that fails on a connection to `upstream`.
    async fn is_repeated(
        method: &Method,
        own: UnixStream,
        upstream: impl Future<Output = ()>,
    ) -> bool {
        let (limit, now) = (Duration::from_mins(1), Instant::now());
        let running = Drain::new().connection().requested();
        let body = RequestBody::streamed(Lingering::empty(), limit, running);
        let request = Request::builder().method(method).uri("/").body(body).unwrap();
        let mut exchange = Exchange::new(request, &OwnFields::new(), limit, now);
        let mut connection = Connection::new(Socket::Unix(own));
        let (answer, ()) = tokio::join!(exchange.run(&mut connection), upstream);
        exchange.is_repeatable(&answer.unwrap_err())
    }

    #[tokio::test]
    async fn what_is_not_idempotent_is_sent_again_only_where_not_one_byte_was_written() {
        for (method, is_safe) in
            [(Method::POST, false), (Method::PATCH, false), (Method::PUT, true)]
        {
            let (mut own, upstream) = UnixStream::pair().unwrap();
            own.shutdown().await.unwrap(); // Every write fails.
            let ends = async { drop(upstream) };
            assert!(is_repeated(&method, own, ends).await, "{method}");
            let (own, mut upstream) = UnixStream::pair().unwrap();
            let reads_and_ends = async {
                assert_ne!(upstream.read(&mut [0; 4096]).await.unwrap(), 0);
                drop(upstream);
            };
            assert_eq!(is_repeated(&method, own, reads_and_ends).await, is_safe, "{method}");
        }
    }

    #[tokio::test]
    async fn nothing_is_sent_again_of_whose_answer_a_byte_came() {
        let (own, mut upstream) = UnixStream::pair().unwrap();
        let begins_and_ends = async {
            upstream.write_all(b"H").await.unwrap();
            assert_ne!(upstream.read(&mut [0; 4096]).await.unwrap(), 0);
            drop(upstream);
        };
        assert!(!is_repeated(&Method::GET, own, begins_and_ends).await);
    }
}
