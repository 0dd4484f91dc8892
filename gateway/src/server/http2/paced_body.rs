//! An answer's body in pieces, and whether the client takes them.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

/// Longest piece: a client makes progress when it has taken one.
const PIECE_BYTES: usize = 16 * 1024;

/// Since when a piece of an answer waits for the client's window, where one does.
#[derive(Debug, Default)]
pub(super) struct Taking(Mutex<Option<Instant>>);

impl Taking {
    /// When the piece that waits was handed out; `None` while none does.
    pub(super) fn since(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, since: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }
}

/// A body handed out in pieces, each of which hyper sends before it asks for the next.
#[derive(Debug)]
pub(super) struct PacedBody<B> {
    body: B,
    /// What is left of the last piece that came.
    rest: Bytes,
    taking: Arc<Taking>,
}

impl<B> PacedBody<B> {
    pub(super) fn new(body: B, taking: Arc<Taking>) -> Self {
        Self { body, rest: Bytes::new(), taking }
    }

    fn hand_out(&mut self, mut piece: Bytes) -> Frame<Bytes> {
        self.rest = piece.split_off(piece.len().min(PIECE_BYTES));
        self.taking.set(Some(Instant::now()));
        Frame::data(piece)
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for PacedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        self.taking.set(None);
        if !self.rest.is_empty() {
            let rest = std::mem::take(&mut self.rest);
            return Poll::Ready(Some(Ok(self.hand_out(rest))));
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        Poll::Ready(frame.map(|frame| {
            frame.map(|frame| match frame.into_data() {
                Ok(piece) => self.hand_out(piece),
                Err(trailers) => trailers,
            })
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (mut hint, rest) = (self.body.size_hint(), self.rest.len() as u64);
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper + rest);
        }
        hint.set_lower(hint.lower() + rest);
        hint
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, Full};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_client_is_waited_for_from_each_piece_to_the_next() {
        let taking = Arc::new(Taking::default());
        let whole = Bytes::from(vec![b'x'; PIECE_BYTES * 2 + 1]);
        let mut body = PacedBody::new(Full::new(whole), taking.clone());
        assert!(taking.since().is_none());
        let mut lengths = Vec::new();
        while let Some(frame) = body.frame().await {
            lengths.push(frame.unwrap().into_data().unwrap().len());
            assert_eq!(taking.since(), Some(Instant::now()));
            assert_eq!(body.is_end_stream(), lengths.len() == 3);
        }
        assert_eq!(lengths, [PIECE_BYTES, PIECE_BYTES, 1]);
        assert!(taking.since().is_none());
    }
}
