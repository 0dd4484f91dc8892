//! An answer's body that comes in pieces, and the rest of its request beside it.

use std::future::poll_fn;
use std::io;
use std::mem::replace;
use std::pin::pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::Frame;
use tokio::task::JoinHandle;

use super::connection::SHARED_BYTES;
use super::decoder::Decoder;
use super::error::AnswerError;
use super::upload::{Upload, UploadError};
use crate::proxy::pool::Lease;
use crate::proxy::request_body::BodyError;

/// How much is read at once of a body that keeps coming, and of a long one.
const BULK_BYTES: usize = 64 * 1024;
const LONG_BULK_BYTES: usize = 256 * 1024;

/// From where on a body is a long one.
const LONG_BODY_BYTES: u64 = 256 * 1024;

/// A body on its way from the upstream.
#[derive(Debug)]
pub(in crate::proxy) struct Streaming {
    decoder: Decoder,
    buffer: BytesMut,
    /// Bytes read so far.
    read: u64,
    /// Whether so much comes that it is read without a detour.
    is_bulk: bool,
    /// `None` when the body is over.
    lease: Option<Lease>,
    request: Option<Sending>,
    /// What stands behind the last piece.
    trailers: Option<HeaderMap>,
    /// What goes wrong behind the last piece.
    failure: Option<AnswerError>,
    has_paused: bool,
}

impl Streaming {
    /// The body of which `buffer` has come, on the connection of `lease`, perhaps while the rest of its
    /// `request` is being sent.
    pub(in crate::proxy) fn new(
        decoder: Decoder,
        buffer: BytesMut,
        lease: Lease,
        request: Option<Sending>,
    ) -> Self {
        let read = buffer.len() as u64;
        Self {
            decoder,
            buffer,
            read,
            is_bulk: false,
            lease: Some(lease),
            request,
            trailers: None,
            failure: None,
            has_paused: false,
        }
    }

    pub(in crate::proxy) fn is_over(&self) -> bool {
        self.lease.is_none() && self.failure.is_none() && self.trailers.is_none()
    }

    /// How much is still to come, where that is known.
    pub(in crate::proxy) fn left(&self) -> Option<u64> {
        if self.failure.is_some() { None } else { self.decoder.left() }
    }

    /// The next piece, or what stands behind the last; `None` at the end.
    pub(in crate::proxy) fn poll_frame(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, AnswerError>>> {
        if self.lease.is_some() {
            match ready!(self.poll_decoded(context)) {
                Ok(piece) => {
                    if let Err(failure) = self.decoder.look_ahead(&mut self.buffer) {
                        self.fail(failure);
                    } else if self.decoder.is_done() {
                        self.end(context);
                    }
                    if let Some(piece) = piece {
                        return Poll::Ready(Some(Ok(Frame::data(piece))));
                    }
                }
                Err(failure) => self.fail(failure),
            }
        }
        if self.failure.is_some() && !replace(&mut self.has_paused, true) {
            context.waker().wake_by_ref(); // hyper sends what it has before it hears of the failure.
            return Poll::Pending;
        }
        let trailers = self.trailers.take().map(|trailers| Ok(Frame::trailers(trailers)));
        Poll::Ready(self.failure.take().map(Err).or(trailers))
    }

    fn fail(&mut self, failure: AnswerError) {
        (self.failure, self.lease) = (Some(failure), None);
    }

    fn poll_decoded(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<Bytes>, AnswerError>> {
        loop {
            let piece = self.decoder.next(&mut self.buffer)?;
            if piece.is_some() || self.decoder.is_done() {
                return Poll::Ready(Ok(piece));
            }
            let Poll::Ready(read) = self.poll_read(context) else {
                if let Some(request) = &mut self.request {
                    request.poll_failure(context).map_err(AnswerError::Request)?;
                }
                return Poll::Pending;
            };
            match read.map_err(AnswerError::Connection)? {
                0 => self.decoder.end()?,
                came => self.read += came as u64,
            }
        }
    }

    /// Small pieces come through the worker's buffer, so that a stream has none of its own while it has
    /// nothing to say.
    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let Self { buffer, lease: Some(lease), is_bulk, read, .. } = self else {
            return Poll::Ready(Ok(0));
        };
        if *is_bulk {
            let is_long = *read >= LONG_BODY_BYTES;
            buffer.reserve(if is_long { LONG_BULK_BYTES } else { BULK_BYTES });
            let came = lease.connection.poll_read_into(context, buffer);
            if came.is_pending() {
                *is_bulk = false;
                *buffer = BytesMut::from(&buffer[..]);
            }
            return came;
        }
        let came = lease.connection.poll_read(context, |came| {
            buffer.extend_from_slice(came);
            came.len()
        });
        *is_bulk = matches!(came, Poll::Ready(Ok(SHARED_BYTES)));
        came
    }

    /// Lets go of the connection, for the next request where that may be.
    fn end(&mut self, context: &mut Context<'_>) {
        self.trailers = self.decoder.take_trailers();
        let (lease, request) = (self.lease.take(), self.request.take());
        let is_clean = self.buffer.is_empty() && request.is_none_or(|rest| rest.let_go(context));
        if let Some(lease) = lease.filter(|_| is_clean) {
            lease.give_back();
        }
    }
}

/// The rest of a request, sent in a task of its own while its answer is read. It ends with the answer
/// where that is given up.
#[derive(Debug)]
pub(in crate::proxy) struct Sending {
    task: Option<JoinHandle<Result<(), UploadError>>>,
    is_refused: bool,
}

impl Sending {
    /// Sends the rest of `upload` by the share in a connection that `lease` has; the upstream may take
    /// nothing for at most `limit`.
    pub(in crate::proxy) fn begin(upload: Upload, lease: Lease, limit: Duration) -> Self {
        Self { task: Some(tokio::spawn(send(upload, lease, limit))), is_refused: false }
    }

    /// Leaves it to itself.
    pub(in crate::proxy) fn leave(mut self) {
        self.task = None;
    }

    /// Fails where the client does not send its body: the upstream would wait for the rest of it.
    fn poll_failure(&mut self, context: &mut Context<'_>) -> Result<(), BodyError> {
        let Some(task) = &mut self.task else { return Ok(()) };
        let Poll::Ready(ended) = pin!(task).poll(context) else { return Ok(()) };
        self.task = None;
        match ended {
            Ok(Err(UploadError::Downstream(error))) => Err(error),
            Ok(Ok(())) => Ok(()),
            Ok(Err(UploadError::Upstream(_))) | Err(_) => {
                self.is_refused = true;
                Ok(())
            }
        }
    }

    /// Leaves it to itself when the answer is over; `false` where the connection cannot be used again.
    fn let_go(mut self, context: &mut Context<'_>) -> bool {
        let is_sound = self.poll_failure(context).is_ok() && !self.is_refused;
        self.leave();
        is_sound
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn send(mut upload: Upload, mut lease: Lease, limit: Duration) -> Result<(), UploadError> {
    poll_fn(|context| {
        if let Poll::Ready(sent) = upload.poll(&lease.connection, context) {
            return Poll::Ready(sent);
        }
        let Some(since) = upload.upstreams_turn() else { return Poll::Pending };
        ready!(lease.connection.poll_due(since + limit, context));
        Poll::Ready(Err(UploadError::Upstream(io::ErrorKind::TimedOut.into())))
    })
    .await?;
    lease.give_back();
    Ok(())
}
