//! The requests of one HTTP/2 connection, each answered in a task of its own.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::rt::Executor;
use tokio::time::{Sleep, sleep_until};
use tracing::debug;

use super::paced_body::Taking;

/// What hyper spawns the streams of a connection with, so that each ends when its client takes
/// nothing of the answer for a while.
#[derive(Debug, Clone)]
pub(super) struct Streams {
    stall: Duration,
    /// Of the request that hyper spawns next: it asks the service for a future, and spawns that.
    next: Arc<Mutex<Option<Arc<Taking>>>>,
}

impl Streams {
    /// Streams that end when nothing is taken for `stall`.
    pub(super) fn new(stall: Duration) -> Self {
        Self { stall, next: Arc::default() }
    }

    /// Notes a request; how its answer is taken.
    pub(super) fn begin(&self) -> Arc<Taking> {
        let taking = Arc::<Taking>::default();
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = Some(taking.clone());
        taking
    }
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Streams {
    fn execute(&self, stream: F) {
        let taking = self.next.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (stream, taking) = (Box::pin(stream), taking.unwrap_or_default());
        tokio::spawn(BoundedAnswer { stream, taking, stall: self.stall, timer: None });
    }
}

/// A stream that ends, and so is reset, when the client takes nothing for a while.
///
/// Only the window of the stream is watched here; the connection's own is a matter of its socket.
struct BoundedAnswer<F> {
    stream: Pin<Box<F>>,
    taking: Arc<Taking>,
    stall: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl<F: Future<Output = ()>> Future for BoundedAnswer<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.stream.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        let Some(since) = self.taking.since() else { return Poll::Pending };
        let due = since + self.stall;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(due)));
        if timer.deadline() != due {
            timer.as_mut().reset(due);
        }
        ready!(timer.as_mut().poll(context));
        debug!("a client took nothing of an answer");
        Poll::Ready(())
    }
}
