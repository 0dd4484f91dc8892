//! Connections that are not served, because there are too many.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use http::uri::Scheme;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::proxy::socket::Socket;

/// What a client is told unread.
const ANSWER: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    Retry-After: 5\r\n\
    Connection: close\r\n\
    Content-Type: text/plain; charset=utf-8\r\n\
    Cache-Control: no-store\r\n\
    Content-Length: 25\r\n\r\n\
    Too many are here at once";

/// Connections at once that are kept for a moment after their answer.
const LINGERING: usize = 64;

/// How long.
const LINGER: Duration = Duration::from_secs(1);

/// Tells clients that they are not served.
#[derive(Debug)]
pub(super) struct TurnedAway(Arc<Semaphore>);

impl Default for TurnedAway {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(LINGERING)))
    }
}

impl TurnedAway {
    /// The same, where there is no descriptor to spare for who lingers.
    pub(super) fn tell_at_once(mut socket: Socket, scheme: &Scheme) {
        if *scheme == Scheme::HTTP {
            // A client that is gone already needs no answer.
            drop(socket.write_all(ANSWER).now_or_never());
        }
    }

    /// Answers 503, without reading or waiting, and closes; under TLS, where that would take a
    /// handshake, just closes.
    ///
    /// A socket that is closed before what it received is read resets the connection, and the client
    /// may never see its answer (RFC 9112 §9.6). So a few are read for a moment more.
    pub(super) fn tell(&self, mut socket: Socket, scheme: &Scheme) {
        if *scheme != Scheme::HTTP {
            return;
        }
        // The buffer of a new connection takes it whole.
        let Some(Ok(())) = socket.write_all(ANSWER).now_or_never() else { return };
        if let Ok(permit) = self.0.clone().try_acquire_owned() {
            tokio::spawn(linger(socket, permit));
        }
    }
}

async fn linger(mut socket: Socket, _permit: OwnedSemaphorePermit) {
    let leaving = async {
        socket.shutdown().await?;
        let mut discarded = [0; 1024];
        while socket.read(&mut discarded).await? > 0 {}
        std::io::Result::Ok(())
    };
    // However it ends, it is closed.
    drop(timeout(LINGER, leaving).await);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_as_long_as_it_says() {
        let text = std::str::from_utf8(ANSWER).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("Content-Length: {}", body.len())));
    }
}
