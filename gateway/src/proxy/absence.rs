//! Requests that wait while an upstream takes no connections, as while Next.js is restarted.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::sync::{Mutex, Notify};
use tokio::time::sleep;

use super::socket::Socket;
use crate::error::RequestError;
use crate::ops::drain::Drain;

/// Rest before the first new attempt; it doubles from one to the next.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// Longest rest between two attempts, and so what a restart takes longer for who waits.
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// Who waits for an upstream that takes no connections, on one worker. One of them tries, and the
/// others hear of it.
#[derive(Debug)]
pub(super) struct Absence {
    /// Longest wait of a request; zero is none.
    limit: Duration,
    /// Whose turn it is to try.
    turn: Mutex<()>,
    /// Told when there is a connection again.
    over: Notify,
    drain: Drain,
    waiting: AtomicU64,
}

/// A request that waits.
struct Waiting<'a>(&'a AtomicU64);

impl<'a> Waiting<'a> {
    fn begin(count: &'a AtomicU64) -> Self {
        count.fetch_add(1, Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Absence {
    /// Lets requests wait for at most `limit`, and not when the process ends.
    pub(super) fn new(limit: Duration, drain: Drain) -> Self {
        let (turn, over, waiting) = (Mutex::default(), Notify::new(), AtomicU64::new(0));
        Self { limit, turn, over, drain, waiting }
    }

    /// How many requests wait.
    pub(super) fn waiting(&self) -> u64 {
        self.waiting.load(Relaxed)
    }

    /// What `dial` makes, perhaps after a while. Nothing was sent while there was no connection, so
    /// that every request may wait.
    ///
    /// Fails as `dial` did at first, where that does not change in time.
    pub(super) async fn outlast<F>(&self, dial: impl Fn() -> F) -> Result<Socket, RequestError>
    where
        F: Future<Output = Result<Socket, RequestError>>,
    {
        match dial().await {
            Err(refusal @ RequestError::UpstreamUnreachable(_)) if !self.limit.is_zero() => {
                let waiting = async {
                    let _counted = Waiting::begin(&self.waiting);
                    tokio::select! {
                        connected = self.wait(dial) => connected,
                        () = self.drain.begun() => Err(refusal),
                        () = sleep(self.limit) => Err(refusal),
                    }
                };
                Box::pin(waiting).await
            }
            dialled => dialled,
        }
    }

    async fn wait<F>(&self, dial: impl Fn() -> F) -> Result<Socket, RequestError>
    where
        F: Future<Output = Result<Socket, RequestError>>,
    {
        loop {
            let dialled = tokio::select! {
                _turn = self.turn.lock() => self.try_on(&dial).await,
                () = self.over.notified() => dial().await,
            };
            if !is_refusal(&dialled) {
                return dialled;
            }
        }
    }

    async fn try_on<F>(&self, dial: impl Fn() -> F) -> Result<Socket, RequestError>
    where
        F: Future<Output = Result<Socket, RequestError>>,
    {
        let mut pause = FIRST_PAUSE;
        loop {
            sleep(pause).await;
            let dialled = dial().await;
            if dialled.is_ok() {
                self.over.notify_waiters();
            }
            if !is_refusal(&dialled) {
                return dialled;
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

fn is_refusal(dialled: &Result<Socket, RequestError>) -> bool {
    matches!(dialled, Err(RequestError::UpstreamUnreachable(_)))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::{Ready, ready};
    use std::io;

    use futures_util::future::join_all;
    use tokio::net::UnixStream;
    use tokio::time::Instant;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    /// An upstream that is away for a while, and how often it was tried meanwhile.
    struct Away {
        until: Instant,
        tried: Cell<usize>,
    }

    impl Away {
        fn for_secs(secs: u64) -> Self {
            Self { until: Instant::now() + Duration::from_secs(secs), tried: Cell::new(0) }
        }

        fn dial(&self) -> Ready<Result<Socket, RequestError>> {
            ready(self.try_once())
        }

        fn try_once(&self) -> Result<Socket, RequestError> {
            if Instant::now() < self.until {
                self.tried.set(self.tried.get() + 1);
                let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
                return Err(RequestError::UpstreamUnreachable(refused));
            }
            Ok(Socket::Unix(UnixStream::pair().unwrap().0))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn everybody_is_connected_when_the_upstream_is_back_and_one_tried() {
        let (absence, away) = (Absence::new(LIMIT, Drain::new()), Away::for_secs(10));
        let waiting = (0..100).map(|_| absence.outlast(|| away.dial()));
        assert!(join_all(waiting).await.iter().all(Result::is_ok));
        assert!(away.until.elapsed() <= LONGEST_PAUSE);
        let again = away.tried.get() - 100;
        assert!((10..100).contains(&again), "tried {again} times");
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_longer_than_the_limit() {
        let (absence, away) = (Absence::new(LIMIT, Drain::new()), Away::for_secs(60));
        let began = Instant::now();
        let refused = absence.outlast(|| away.dial()).await;
        assert!(matches!(refused, Err(RequestError::UpstreamUnreachable(_))), "{refused:?}");
        assert_eq!(began.elapsed(), LIMIT);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_it_is_tried_once() {
        let (absence, away) = (Absence::new(Duration::ZERO, Drain::new()), Away::for_secs(60));
        assert!(absence.outlast(|| away.dial()).await.is_err());
        assert_eq!(away.tried.get(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_tries_may_go_away() {
        let (absence, away) = (Absence::new(LIMIT, Drain::new()), Away::for_secs(10));
        let second = async {
            sleep(Duration::from_secs(1)).await;
            absence.outlast(|| away.dial()).await
        };
        let first = tokio::time::timeout(Duration::from_secs(2), absence.outlast(|| away.dial()));
        let (first, second) = tokio::join!(first, second);
        assert!(first.is_err() && second.is_ok());
        assert_eq!(absence.waiting(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_the_process_is_not_held_up() {
        let (drain, away) = (Drain::new(), Away::for_secs(10));
        let absence = Absence::new(LIMIT, drain.clone());
        let began = Instant::now();
        let (refused, ()) = tokio::join!(
            absence.outlast(|| away.dial()),
            drain.run(Duration::ZERO, Duration::ZERO)
        );
        assert!(refused.is_err() && began.elapsed().is_zero());
        assert!(absence.outlast(|| away.dial()).await.is_err() && began.elapsed().is_zero());
    }
}
