//! The first bytes of a connection, which tell what is spoken on it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

/// What every HTTP/2 client begins with (RFC 9113 §3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The type of a record with which a TLS handshake begins (RFC 8446 §5.1).
const HANDSHAKE: u8 = 22;

/// What a client begins to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opening {
    /// Anything else, HTTP/1.1 if all is well.
    Http1,
    /// HTTP/2 by prior knowledge.
    Http2,
    /// TLS.
    Tls,
}

/// A stream whose first bytes were looked at, and are read again.
#[derive(Debug)]
pub(super) struct FirstBytes<S> {
    first: [u8; PREFACE.len()],
    /// Those of `first` that are still to be read.
    unread: (usize, usize),
    stream: S,
}

impl<S: AsyncRead + Unpin> FirstBytes<S> {
    /// Waits for as many bytes of `stream` as tell what is spoken; a client that ends or sends
    /// something else speaks HTTP/1.
    pub(super) async fn look(mut stream: S) -> io::Result<(Self, Opening)> {
        let (mut first, mut length) = ([0; PREFACE.len()], 0);
        let opening = loop {
            let (come, free) = first.split_at_mut(length);
            if come.first() == Some(&HANDSHAKE) {
                break Opening::Tls;
            }
            if !PREFACE.starts_with(come) {
                break Opening::Http1;
            }
            if free.is_empty() {
                break Opening::Http2;
            }
            match stream.read(free).await? {
                0 => break Opening::Http1,
                read => length += read,
            }
        };
        Ok((Self { first, unread: (0, length), stream }, opening))
    }

    /// The stream behind.
    pub(super) fn get_ref(&self) -> &S {
        &self.stream
    }

    fn read_first(&mut self, buffer: &mut ReadBuf<'_>) {
        let (from, to) = self.unread;
        let unread = self.first.get(from..to).unwrap_or_default();
        let taken = unread.len().min(buffer.remaining());
        buffer.put_slice(unread.get(..taken).unwrap_or_default());
        self.unread.0 += taken;
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for FirstBytes<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.unread.0 < self.unread.1 {
            self.read_first(buffer);
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for FirstBytes<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
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

#[cfg(test)]
mod tests {
    use tokio_test_stream::pieces;

    use super::*;

    /// A stream that gives one piece a read.
    mod tokio_test_stream {
        use std::io::Cursor;

        use tokio::io::{AsyncRead, AsyncReadExt};

        pub(super) fn pieces(pieces: &[&'static [u8]]) -> Box<dyn AsyncRead + Unpin> {
            let empty: Box<dyn AsyncRead + Unpin> = Box::new(Cursor::new(b""));
            pieces.iter().rev().fold(empty, |rest, piece| Box::new(Cursor::new(*piece).chain(rest)))
        }
    }

    #[track_caller]
    fn check(sent: &[&'static [u8]], expected: Opening) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (mut stream, opening) = FirstBytes::look(pieces(sent)).await.unwrap();
            assert_eq!(opening, expected, "{sent:?}");
            let mut all = Vec::new();
            stream.read_to_end(&mut all).await.unwrap();
            assert_eq!(all, sent.concat(), "every byte is read once");
        });
    }

    #[test]
    fn the_first_bytes_tell_what_is_spoken() {
        check(&[b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"], Opening::Http1);
        check(&[b"P", b"OST / HTTP/1.1\r\n"], Opening::Http1);
        check(&[b"PRI", b" * HTTP/1.1\r\nHost: a\r\n\r\n"], Opening::Http1);
        check(&[b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04"], Opening::Http2);
        check(&[b"PRI * HTT", b"P/2.0\r\n\r\nSM\r\n", b"\r\n", b"rest"], Opening::Http2);
        check(&[b"PRI * HTTP/2.0\r\n\r\nSM"], Opening::Http1);
        check(&[b"\x16\x03\x01"], Opening::Tls);
        check(&[], Opening::Http1);
    }
}
