//! One connection to the upstream, and who has a share in it.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::alarm::Alarm;
use crate::proxy::socket::Socket;

/// How much is read at once by the worker's own buffer.
pub(super) const SHARED_BYTES: usize = 64 * 1024;

thread_local! {
    /// What every connection of a worker is read through, so that none has a buffer while it waits.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A connection, or a share in one: an answer may be read while its request is still being sent.
///
/// It closes with its last share.
#[derive(Debug)]
pub(in crate::proxy) struct Connection {
    /// Never contended: a worker is one thread.
    socket: Arc<Mutex<Socket>>,
    alarm: Alarm,
}

impl Connection {
    pub(in crate::proxy) fn new(socket: Socket) -> Self {
        Self { socket: Arc::new(Mutex::new(socket)), alarm: Alarm::default() }
    }

    /// Another share.
    pub(in crate::proxy) fn share(&self) -> Self {
        Self { socket: self.socket.clone(), alarm: Alarm::default() }
    }

    /// Whether nobody else has a share.
    pub(in crate::proxy) fn is_unshared(&self) -> bool {
        Arc::strong_count(&self.socket) == 1
    }

    /// The socket, unless somebody else has a share.
    pub(in crate::proxy) fn into_socket(self) -> Option<Socket> {
        Arc::into_inner(self.socket)
            .map(|socket| socket.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether nothing has come while it rested, not even its end. The system is not asked, unless it
    /// has told of something.
    pub(in crate::proxy) fn is_quiet(&self) -> bool {
        self.socket().is_quiet()
    }

    /// Whether it says `words` behind what it `said`, and ends.
    pub(in crate::proxy) async fn says_only(&self, mut said: Vec<u8>, words: &[u8]) -> bool {
        while words.starts_with(&said) {
            let come = poll_fn(|context| self.poll_read(context, <[u8]>::to_vec)).await;
            match come {
                Ok(come) if !come.is_empty() => said.extend_from_slice(&come),
                Ok(_) => return said == words,
                Err(_) => return false,
            }
        }
        false
    }

    /// Resolves at `due` or later.
    pub(super) fn poll_due(&mut self, due: Instant, context: &mut Context<'_>) -> Poll<()> {
        self.alarm.poll_at(due, context)
    }

    /// Reads what has come and lets `take` have it; nothing is the end.
    pub(super) fn poll_read<T>(
        &self,
        context: &mut Context<'_>,
        take: impl FnOnce(&[u8]) -> T,
    ) -> Poll<io::Result<T>> {
        BUFFER.with_borrow_mut(|buffer| {
            buffer.resize(SHARED_BYTES, 0);
            let mut read = ReadBuf::new(buffer);
            ready!(Pin::new(&mut *self.socket()).poll_read(context, &mut read))?;
            Poll::Ready(Ok(take(read.filled())))
        })
    }

    /// Reads as much as `buffer` has room for; tells how many bytes came.
    pub(super) fn poll_read_into(
        &self,
        context: &mut Context<'_>,
        buffer: &mut BytesMut,
    ) -> Poll<io::Result<usize>> {
        let mut socket = self.socket();
        pin!(socket.read_buf(buffer)).poll(context)
    }

    pub(super) fn poll_write(
        &self,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.socket()).poll_write(context, bytes)
    }

    pub(super) fn poll_write_vectored(
        &self,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.socket()).poll_write_vectored(context, pieces)
    }

    fn socket(&self) -> MutexGuard<'_, Socket> {
        self.socket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
