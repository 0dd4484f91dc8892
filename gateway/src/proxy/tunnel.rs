//! A WebSocket's bytes, both ways.
//!
//! An idle one is little more than its two sockets: bytes are read into a buffer that all tunnels
//! of a worker share, and what the other side does not take at once is kept, and nothing more read
//! until it has taken that.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, OptionFuture, join, select};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::{Sleep, sleep, timeout};

use super::goodbye::Goodbye;
use super::tunnel_way::{Lost, Outgoing, Way, read_some};
use super::websocket_frames::{Frames, Sender};

/// Longest wait for a side's own close frame after the gateway's, so that both are cut within a
/// second of what ends them.
const GOODBYE: Duration = Duration::from_millis(500);

/// A side of a tunnel.
#[derive(Debug)]
pub struct Side<S> {
    /// The connection.
    pub stream: S,
    /// What came on it before the tunnel was there.
    pub early: Bytes,
}

/// How a tunnel ended.
#[derive(Debug)]
pub enum Ending {
    /// By both sides.
    Closed,
    /// The browser's connection failed.
    DownstreamLost(io::Error),
    /// The upstream's connection failed.
    UpstreamLost(io::Error),
    /// One side did not end in time after the other.
    LeftAlone,
    /// By the gateway, which told the browser.
    Told(Goodbye),
    /// By the gateway, which could not: it stands inside a frame, or nothing is taken. The
    /// connection is to be reset, so that what waits in it is not read later.
    Untold(Goodbye),
}

/// Two connections whose bytes go from one to the other.
#[derive(Debug)]
pub struct Tunnel<D, U> {
    downstream: D,
    upstream: U,
    up: Way,
    down: Way,
    half_closed: Duration,
    /// Runs when one side has ended.
    alone: Option<Pin<Box<Sleep>>>,
}

impl<D, U> Tunnel<D, U>
where
    D: AsyncRead + AsyncWrite + Unpin,
    U: AsyncRead + AsyncWrite + Unpin,
{
    /// Between two sides; when one has ended, the other may go on for at most `half_closed`.
    pub fn new(downstream: Side<D>, upstream: Side<U>, half_closed: Duration) -> Self {
        Self {
            up: Way::new(Sender::Client, downstream.early),
            down: Way::new(Sender::Server, upstream.early),
            downstream: downstream.stream,
            upstream: upstream.stream,
            half_closed,
            alone: None,
        }
    }

    /// How much the upstream has sent.
    pub fn bytes_down(&self) -> u64 {
        self.down.bytes
    }

    /// Carries bytes until both sides have ended, or one has failed, or `goodbye` says why the
    /// gateway ends the tunnel.
    ///
    /// There is no idle limit: Next.js sends nothing on its hot-reload socket while nobody edits,
    /// and a cut one costs the page its state.
    pub async fn run(&mut self, goodbye: Pin<&mut impl Future<Output = Goodbye>>) -> Ending {
        let carrying = poll_fn(|context| self.poll_carry(context));
        let goodbye = match select(carrying, goodbye).await {
            Either::Left((ending, _)) => return ending,
            Either::Right((goodbye, _)) => goodbye,
        };
        Box::pin(self.part(goodbye)).await // Apart, so that idle tunnels have no room for it.
    }

    fn poll_carry(&mut self, context: &mut Context<'_>) -> Poll<Ending> {
        let up = match self.up.poll_carry(&mut self.downstream, &mut self.upstream, context) {
            Ok(progress) => progress,
            Err(Lost::From(error)) => return Poll::Ready(Ending::DownstreamLost(error)),
            Err(Lost::To(error)) => return Poll::Ready(Ending::UpstreamLost(error)),
        };
        let down = match self.down.poll_carry(&mut self.upstream, &mut self.downstream, context) {
            Ok(progress) => progress,
            Err(Lost::From(error)) => return Poll::Ready(Ending::UpstreamLost(error)),
            Err(Lost::To(error)) => return Poll::Ready(Ending::DownstreamLost(error)),
        };
        match (up, down) {
            (Poll::Ready(()), Poll::Ready(())) => Poll::Ready(Ending::Closed),
            (Poll::Pending, Poll::Pending) => Poll::Pending,
            _ => {
                let limit = self.half_closed;
                let alone = self.alone.get_or_insert_with(|| Box::pin(sleep(limit)));
                alone.as_mut().poll(context).map(|()| Ending::LeftAlone)
            }
        }
    }

    /// Sends both sides a close frame where one may stand, behind what waits, and waits a moment
    /// for theirs; whatever else comes is dropped.
    async fn part(&mut self, goodbye: Goodbye) -> Ending {
        let may_tell_downstream = self.down.end_with(goodbye.frame());
        let may_tell_upstream = self.up.end_with(goodbye.masked_frame(rand::random()));
        let (up, down) = (&mut self.up, &mut self.down);
        let downstream = part(&mut self.downstream, &mut down.outgoing, &mut up.frames);
        let upstream = part(&mut self.upstream, &mut up.outgoing, &mut down.frames);
        let parting = join(
            OptionFuture::from(may_tell_downstream.then_some(downstream)),
            OptionFuture::from(may_tell_upstream.then_some(upstream)),
        );
        // Whether they answered makes no difference to what follows.
        drop(timeout(GOODBYE, parting).await);
        if may_tell_downstream && self.down.outgoing.is_sent() {
            Ending::Told(goodbye)
        } else {
            Ending::Untold(goodbye)
        }
    }
}

/// Sends what is `outgoing`, drops what comes until the other side has closed, and ends.
async fn part(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    outgoing: &mut Outgoing,
    incoming: &mut Frames,
) -> io::Result<()> {
    poll_fn(|context| outgoing.poll_send(stream, context)).await?;
    while !incoming.are_closed() {
        let read = poll_fn(|context| read_some(stream, context, |bytes, _| incoming.follow(bytes)));
        if read.await? == 0 {
            break;
        }
    }
    stream.shutdown().await
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::pin::pin;

    use tokio::io::{AsyncReadExt, DuplexStream, duplex};

    use super::*;
    use crate::proxy::tunnel_way::BUFFER_BYTES;

    /// What a connection holds that is not read.
    const HELD: usize = 1000;

    /// The ends of a tunnel that runs until it is told `goodbye`: the browser's and the upstream's.
    fn start(goodbye: impl Future<Output = Goodbye> + Send + 'static) -> [DuplexStream; 2] {
        let ((browser, downstream), (upstream, next)) = (duplex(HELD), duplex(HELD));
        let mut tunnel = tunnel(downstream, upstream);
        tokio::spawn(async move { tunnel.run(pin!(goodbye)).await });
        [browser, next]
    }

    fn tunnel(
        downstream: DuplexStream,
        upstream: DuplexStream,
    ) -> Tunnel<DuplexStream, DuplexStream> {
        let side = |stream| Side { stream, early: Bytes::new() };
        Tunnel::new(side(downstream), side(upstream), Duration::from_secs(10))
    }

    /// Sends until nothing is taken for a second (of paused time); how much was.
    async fn fill(sender: &mut DuplexStream, pair: [u8; 2]) -> usize {
        let mut sent = 0;
        while let Ok(taken) = timeout(Duration::from_secs(1), sender.write(&pair.repeat(50))).await
        {
            sent += taken.unwrap();
        }
        sent
    }

    #[tokio::test(start_paused = true)]
    async fn what_one_side_does_not_take_makes_the_other_wait() {
        let mut ends = start(pending());
        for _ in 0..2 {
            let sent = fill(&mut ends[0], [7, 7]).await;
            assert!(sent <= HELD + BUFFER_BYTES + HELD, "{sent}");
            let mut all = vec![0; sent];
            ends[1].read_exact(&mut all).await.unwrap();
            assert!(all.iter().all(|byte| *byte == 7));
            ends.reverse();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_browser_that_takes_nothing_is_cut_soon_after_its_goodbye() {
        let [mut browser, mut next] = start(async {
            sleep(Duration::from_mins(1)).await;
            Goodbye::SessionOver
        });
        let empty_frame = [0x82, 0];
        assert!(fill(&mut next, empty_frame).await > HELD);
        sleep(Duration::from_mins(1) + GOODBYE).await;
        let mut all = Vec::new();
        browser.read_to_end(&mut all).await.unwrap();
        assert!(!all.ends_with(b"session ended"));
        assert!(next.write_all(b"more").await.is_err());
    }

    #[tokio::test]
    async fn an_idle_tunnel_is_little_more_than_its_sockets() {
        let ((_browser, downstream), (upstream, _next)) = (duplex(1), duplex(1));
        let mut tunnel = tunnel(downstream, upstream);
        assert!(size_of_val(&tunnel) <= 2 * size_of::<DuplexStream>() + 224);
        assert!(
            size_of_val(&tunnel.run(pin!(pending()))) <= 64,
            "{}",
            size_of_val(&tunnel.run(pin!(pending())))
        );
    }
}
