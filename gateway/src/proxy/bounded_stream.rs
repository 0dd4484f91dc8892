//! Connections whose other side must take what it is sent.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::TcpKeepalive;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};
use tracing::debug;

use super::socket::Socket;
use crate::ops::open_connection::OpenConnection;

/// Asks a silent other side whether it is still there: after a minute, and then every 15 s until
/// the system gives up. A WebSocket has no other limit.
pub fn keep_alive() -> TcpKeepalive {
    TcpKeepalive::new()
        .with_time(Duration::from_mins(1))
        .with_interval(Duration::from_secs(15))
        .with_retries(4)
}

/// A connection on which a write fails when nothing was taken for a while.
///
/// The limit runs only while bytes wait to be taken: a stream that has nothing to say may rest.
#[derive(Debug)]
pub struct BoundedStream {
    stream: Socket,
    limit: Duration,
    /// Learns when bytes come and go.
    open: Option<Arc<OpenConnection>>,
    /// Runs while a write waits.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl BoundedStream {
    /// Bounds the wait of writes to `stream` by `limit`; they fail with
    /// [`io::ErrorKind::TimedOut`].
    pub fn new(stream: Socket, limit: Duration) -> Self {
        Self { stream, limit, open: None, waiting: None }
    }

    /// Tells `open` when bytes come and go.
    #[must_use]
    pub fn watched_by(mut self, open: Arc<OpenConnection>) -> Self {
        self.open = Some(open);
        self
    }

    /// Resolves when something has come, or the other side has ended or is gone.
    pub async fn readable(&self) {
        self.stream.readable().await;
    }

    fn bounded(
        &mut self,
        written: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.waiting = None;
            if let Some(open) = &self.open {
                open.took();
            }
            return written;
        }
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(self.limit)));
        ready!(waiting.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "nothing sent is taken")))
    }
}

impl Drop for BoundedStream {
    fn drop(&mut self) {
        if self.open.as_ref().is_some_and(|open| open.is_to_be_reset())
            && let Err(error) = self.stream.reset_at_close()
        {
            debug!(cause = %error, "a connection is closed that should be reset");
        }
    }
}

impl AsyncRead for BoundedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if let Some(open) = &self.open
            && buffer.filled().len() > before
        {
            open.heard();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for BoundedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.bounded(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.bounded(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
