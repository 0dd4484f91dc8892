//! WebSockets from their grant to their end.

use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use hyper::upgrade::OnUpgrade;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::oneshot;
use tracing::Level;

use crate::downstream::crowd::Place;
use crate::error::chain;
use crate::ops::access_log::{AccessLog, CLIENT_GONE, CUT_BY_THE_UPSTREAM, SESSION_ENDED};
use crate::ops::open_connection::{LongLived, OpenConnection};
use crate::proxy::bounded_stream::BoundedStream;
use crate::proxy::goodbye::Goodbye;
use crate::proxy::tunnel::{Ending, Side, Tunnel};
use crate::proxy::upgrade::downstream;
use crate::session::watch::SessionEnd;

/// A WebSocket that was granted.
pub(super) struct Socket {
    pub(super) long_lived: LongLived,
    /// Its places among connections and among WebSockets.
    pub(super) places: (Arc<Place>, Place),
    /// `None` where it was opened in no session, or outlives its own.
    pub(super) session_end: Option<SessionEnd>,
}

impl Socket {
    /// Carries its bytes in a task of its own, once the upgrade is completed at the browser's side
    /// too, and then ends the line of its request.
    pub(super) fn start(
        self,
        to_browser: OnUpgrade,
        upstream: Side<BoundedStream>,
        half_closed: Duration,
    ) -> oneshot::Sender<AccessLog> {
        let (hand_over, log) = oneshot::channel::<AccessLog>();
        tokio::spawn(async move {
            let downstream = downstream(to_browser).await;
            let Ok(mut log) = log.await else { return };
            match downstream {
                // Apart, so that what it took to get here is not kept as long as the socket.
                Ok(downstream) => {
                    drop(tokio::spawn(
                        self.carry(Tunnel::new(downstream, upstream, half_closed), log),
                    ));
                }
                Err(error) => {
                    log.set_cause(Level::INFO, chain(&error));
                    log.end_socket(Some(CLIENT_GONE), 0);
                }
            }
        });
        hand_over
    }

    #[expect(clippy::manual_async_fn, reason = "an async fn has room for its arguments twice")]
    fn carry<D, U>(
        mut self,
        mut tunnel: Tunnel<D, U>,
        mut log: AccessLog,
    ) -> impl Future<Output = ()> + Send
    where
        D: AsyncRead + AsyncWrite + Unpin + Send,
        U: AsyncRead + AsyncWrite + Unpin + Send,
    {
        async move {
            let ending = {
                let goodbye =
                    pin!(goodbye(self.session_end.as_mut(), self.long_lived.connection()));
                tunnel.run(goodbye).await
            };
            let end = words(&ending);
            match ending {
                Ending::DownstreamLost(error) | Ending::UpstreamLost(error) => {
                    log.set_cause(Level::INFO, chain(&error));
                }
                Ending::Untold(_) => self.long_lived.connection().reset_at_close(),
                Ending::Closed | Ending::LeftAlone | Ending::Told(_) => {}
            }
            log.end_socket(end, tunnel.bytes_down());
            drop(self.places);
        }
    }
}

/// Resolves when the gateway has to end a WebSocket.
async fn goodbye(session_end: Option<&mut SessionEnd>, connection: &OpenConnection) -> Goodbye {
    let over = session_end.map_or(Either::Right(pending()), Either::Left);
    match select(over, pin!(connection.drain_begun())).await {
        Either::Left(_) => Goodbye::SessionOver,
        Either::Right(_) => Goodbye::GoingAway,
    }
}

/// How a WebSocket ended, in its request's line.
fn words(ending: &Ending) -> Option<&'static str> {
    match ending {
        Ending::Closed => None,
        Ending::DownstreamLost(_) => Some(CLIENT_GONE),
        Ending::UpstreamLost(_) => Some(CUT_BY_THE_UPSTREAM),
        Ending::LeftAlone => Some("half closed for too long"),
        Ending::Told(goodbye) | Ending::Untold(goodbye) => Some(match goodbye {
            Goodbye::SessionOver => SESSION_ENDED,
            Goodbye::GoingAway => "closed by the drain",
        }),
    }
}

#[cfg(test)]
mod tests {
    use hyper::upgrade::Upgraded;
    use hyper_util::rt::TokioIo;

    use super::*;

    fn size_of_future<A, B, C, F>(_: impl FnOnce(A, B, C) -> F) -> usize {
        size_of::<F>()
    }

    /// With what tokio adds its task is 896 bytes, by steps of 128.
    #[test]
    fn a_socket_at_rest_takes_little_room() {
        let size = size_of_future(Socket::carry::<TokioIo<Upgraded>, BoundedStream>);
        assert!(size <= 784, "{size}");
    }
}
