//! The body of an answer.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use tokio::sync::oneshot;

use crate::error::BrokenOff;
use crate::ops::access_log::AccessLog;
use crate::proxy::body::UpstreamBody;
use crate::session::watch::SessionEnd;

/// The gateway's own words, or the upstream's.
#[derive(Debug)]
pub enum AnswerBody {
    /// Known whole.
    Own(Full<Bytes>),
    /// Streamed.
    Upstream(UpstreamBody),
    /// Streamed until a session is over.
    InSession(UpstreamBody, SessionEnd),
    /// None: a WebSocket begins, at whose end the request's line is written.
    Socket(Option<oneshot::Sender<AccessLog>>),
}

impl AnswerBody {
    /// Hands `log` over to a WebSocket that begins; gives back that of any other answer.
    pub(super) fn hand_over(&mut self, log: AccessLog) -> Option<AccessLog> {
        match self {
            Self::Socket(socket) => match socket.take() {
                Some(socket) => socket.send(log).err(),
                None => Some(log),
            },
            _ => Some(log),
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let body = match self.get_mut() {
            Self::Own(body) => {
                return Pin::new(body).poll_frame(context).map_err(|never| match never {});
            }
            Self::Socket(_) => return Poll::Ready(None),
            Self::InSession(body, end) => {
                if Pin::new(end).poll(context).is_ready() {
                    // Broken off, so that nobody takes it for whole.
                    return Poll::Ready(Some(Err(BrokenOff::SessionOver)));
                }
                body
            }
            Self::Upstream(body) => body,
        };
        let frame = ready!(Pin::new(body).poll_frame(context));
        Poll::Ready(frame.map(|frame| frame.map_err(|error| BrokenOff::Upstream(error.into()))))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Own(body) => body.is_end_stream(),
            Self::Upstream(body) | Self::InSession(body, _) => body.is_end_stream(),
            Self::Socket(_) => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Own(body) => body.size_hint(),
            Self::Upstream(body) | Self::InSession(body, _) => body.size_hint(),
            Self::Socket(_) => SizeHint::with_exact(0),
        }
    }
}
