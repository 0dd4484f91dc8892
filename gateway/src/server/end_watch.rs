//! A client's end, seen while its answer is made.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::client_stream::ClientStream;
use crate::ops::open_connection::OpenConnection;

/// Most bytes that are read before hyper asks for them.
const AHEAD: usize = 1024;

/// A stream whose end is noted although nobody reads.
///
/// A client may end its own side as soon as it has asked, and read on (RFC 9112 §9.6): `nc` does, and
/// so may any program. hyper either takes that for gone, or, with `half_close`, looks no more whether
/// the client is there until it has answered. So this looks instead, whenever hyper flushes, which it
/// does each time that it has run: an end is told to the connection, and a reset is an error at once.
#[derive(Debug)]
pub(super) struct EndWatch<S> {
    stream: S,
    open: Arc<OpenConnection>,
    /// What came when it was looked, and is still to be read.
    ahead: Bytes,
    has_ended: bool,
}

impl<S: AsyncRead + Unpin> EndWatch<S> {
    pub(super) fn new(stream: S, open: Arc<OpenConnection>) -> Self {
        Self { stream, open, ahead: Bytes::new(), has_ended: false }
    }

    /// The same with bytes that were read and are to be read again: a request has begun by them.
    pub(super) fn with_unread(mut self, bytes: Bytes) -> Self {
        if !bytes.is_empty() {
            self.open.heard();
            self.ahead = [bytes, self.ahead].concat().into();
        }
        self
    }

    /// Looks whether the client has ended its side while a request of it is answered.
    fn look(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if self.has_ended || !self.ahead.is_empty() || !self.open.is_answering() {
            return Ok(());
        }
        let mut room = [MaybeUninit::uninit(); AHEAD];
        let mut buffer = ReadBuf::uninit(&mut room);
        match Pin::new(&mut self.stream).poll_read(context, &mut buffer) {
            Poll::Pending => {}
            Poll::Ready(read) => {
                read?;
                self.ahead = Bytes::copy_from_slice(buffer.filled());
                if self.ahead.is_empty() {
                    self.end();
                }
                context.waker().wake_by_ref(); // Whoever waits for bytes was not told of these.
            }
        }
        Ok(())
    }

    fn end(&mut self) {
        self.has_ended = true;
        self.open.ended_by_client();
    }

    /// Gives what was read ahead, and what has come since.
    fn read_ahead(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) {
        let taken = self.ahead.len().min(buffer.remaining());
        buffer.put_slice(&self.ahead.split_to(taken));
        if self.ahead.has_remaining() || buffer.remaining() == 0 {
            return;
        }
        // An end or a failure is met again by the next read.
        drop(Pin::new(&mut self.stream).poll_read(context, buffer));
    }
}

impl EndWatch<ClientStream> {
    /// Resolves when there is something to read, or the client has ended its side.
    pub(super) async fn readable(&self) {
        if self.ahead.is_empty() && !self.has_ended {
            self.stream.readable().await;
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for EndWatch<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.ahead.is_empty() {
            self.read_ahead(context, buffer);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if buffer.filled().len() == before && buffer.remaining() > 0 {
            self.end();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for EndWatch<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.open.has_unsent(true);
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.open.has_unsent(true);
        Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.look(context)?;
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        self.open.has_unsent(false); // hyper flushes when it has written all that it has.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;
    use crate::ops::drain::Drain;
    use crate::ops::open_connection::Wait;

    fn watched() -> (DuplexStream, EndWatch<DuplexStream>, Arc<OpenConnection>) {
        let (client, stream) = duplex(4096);
        let open = Drain::new().connection();
        (client, EndWatch::new(stream, open.clone()), open)
    }

    fn is_ended(open: &OpenConnection) -> bool {
        matches!(open.waits_for(), Some(Wait::Farewell(_)))
    }

    #[tokio::test]
    async fn an_end_is_seen_while_a_request_is_answered_and_nobody_reads() {
        let (mut client, mut watched, open) = watched();
        let _running = open.requested();
        watched.flush().await.unwrap();
        assert!(!is_ended(&open));
        client.shutdown().await.unwrap();
        watched.flush().await.unwrap();
        assert!(is_ended(&open));
        assert_eq!(watched.read(&mut [0; 8]).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn every_byte_is_read_once_and_in_its_order_wherever_it_was_looked() {
        let (mut client, mut watched, open) = watched();
        let _running = open.requested();
        let sent: Vec<u8> = (0..3000_u16).map(|number| number.to_le_bytes()[0]).collect();
        client.write_all(&sent).await.unwrap();
        let mut read = Vec::new();
        for size in [1, 900, 500, 1000, 4096] {
            watched.flush().await.unwrap();
            let mut room = vec![0; size];
            let length = watched.read(&mut room).await.unwrap();
            read.extend_from_slice(&room[..length]);
        }
        assert_eq!(read, sent);
        client.shutdown().await.unwrap();
        assert_eq!(watched.read(&mut [0; 8]).await.unwrap(), 0);
        assert!(is_ended(&open));
    }

    #[tokio::test]
    async fn nothing_is_read_ahead_where_nothing_is_answered() {
        let (mut client, mut watched, _open) = watched();
        client.write_all(b"a").await.unwrap();
        watched.flush().await.unwrap();
        assert!(watched.ahead.is_empty());
    }
}
