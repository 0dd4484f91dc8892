//! What a client's bytes come through.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;

use super::first_bytes::{FirstBytes, Opening};
use super::tls::Tls;
use crate::proxy::bounded_stream::BoundedStream;

/// What a browser is told that speaks plain HTTP where TLS is wanted.
pub const WANTS_TLS: &str = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Connection: close\r\nContent-Length: 54\r\n\r\n\
    This port speaks https: write https:// in the address\n";

/// Longest wait for such a browser to have read that.
const GOODBYE: Duration = Duration::from_secs(1);

/// Which HTTP is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Http1,
    Http2,
}

/// A client's connection, encrypted or not.
#[derive(Debug)]
pub(super) enum ClientStream {
    Plain(FirstBytes<BoundedStream>),
    Tls(Box<TlsStream<FirstBytes<BoundedStream>>>),
}

impl ClientStream {
    /// Finds out what is spoken on `stream`, after a handshake where there is `tls`.
    ///
    /// Fails where the client is gone or the handshake fails.
    pub(super) async fn open(
        stream: BoundedStream,
        tls: Option<&Tls>,
    ) -> io::Result<(Self, Protocol)> {
        let (stream, opening) = FirstBytes::look(stream).await?;
        match (tls, opening) {
            (None, Opening::Http2) => Ok((Self::Plain(stream), Protocol::Http2)),
            (None, Opening::Http1 | Opening::Tls) => Ok((Self::Plain(stream), Protocol::Http1)),
            (Some(tls), Opening::Tls) => {
                let (stream, protocol) = tls.accept(stream).await?;
                Ok((Self::Tls(Box::new(stream)), protocol))
            }
            (Some(_), Opening::Http1 | Opening::Http2) => Err(refuse(stream).await),
        }
    }

    /// Resolves when something has come that was not read, or the socket is at its end.
    ///
    /// To be called when a read had to wait: of what TLS has decrypted nothing is left then.
    pub(super) async fn readable(&self) {
        let stream = match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.get_ref().0,
        };
        stream.get_ref().readable().await;
    }
}

/// Tells a browser what this port speaks; reads on for a moment, since closing with something
/// unread would take the answer back.
async fn refuse(mut stream: FirstBytes<BoundedStream>) -> io::Error {
    let telling = async {
        stream.write_all(WANTS_TLS.as_bytes()).await?;
        stream.shutdown().await?;
        let mut rest = [0; 1024];
        while stream.read(&mut rest).await? > 0 {}
        Ok(())
    };
    match timeout(GOODBYE, telling).await {
        Ok(Err(error)) => error,
        Ok(Ok(())) | Err(_) => io::Error::new(io::ErrorKind::InvalidData, "this was no TLS"),
    }
}

/// Does the same with a stream of either kind.
macro_rules! either {
    ($self:expr, $stream:pat => $do:expr) => {
        match $self {
            ClientStream::Plain($stream) => $do,
            ClientStream::Tls($stream) => $do,
        }
    };
}

impl AsyncRead for ClientStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        either!(self.get_mut(), stream => Pin::new(stream).poll_read(context, buffer))
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        either!(self.get_mut(), stream => Pin::new(stream).poll_write(context, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        either!(self.get_mut(), stream => Pin::new(stream).poll_write_vectored(context, pieces))
    }

    fn is_write_vectored(&self) -> bool {
        either!(self, stream => stream.is_write_vectored())
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self.get_mut(), stream => Pin::new(stream).poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self.get_mut(), stream => Pin::new(stream).poll_shutdown(context))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusal_has_the_length_that_it_says() {
        let (head, body) = WANTS_TLS.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("Content-Length: {}", body.len())), "{}", body.len());
    }
}
