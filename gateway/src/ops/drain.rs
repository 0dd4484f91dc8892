//! The end of the process: what may still run, and for how long.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::OptionFuture;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout_at};

use super::open_connection::OpenConnection;

/// Counts what runs, and tells everybody when it should come to an end. Clones are the same.
#[derive(Debug, Clone)]
pub struct Drain(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    phase: watch::Sender<Phase>,
    /// Told when `phase` is `Draining`: a wait for it takes little room in what waits long.
    begun: Notify,
    open: watch::Sender<Open>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Serving,
    Draining,
    Ended,
}

/// How a connection holds up the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// Until what runs is answered.
    Ordinary,
    /// For a grace only: it carries what would never end by itself.
    LongLived,
}

/// How many connections hold up the end, of each kind.
#[derive(Debug, Default, Clone, Copy)]
struct Open {
    ordinary: usize,
    long_lived: usize,
}

impl Open {
    fn of(&mut self, hold: Hold) -> &mut usize {
        match hold {
            Hold::Ordinary => &mut self.ordinary,
            Hold::LongLived => &mut self.long_lived,
        }
    }
}

impl Drain {
    /// A process that serves, with nothing open yet.
    pub fn new() -> Self {
        let phase = watch::Sender::new(Phase::Serving);
        let (begun, open) = (Notify::new(), watch::Sender::new(Open::default()));
        Self(Arc::new(Shared { phase, begun, open }))
    }

    /// Counts a connection until the guard, and whatever holds it, is gone.
    pub fn connection(&self) -> Arc<OpenConnection> {
        OpenConnection::new(self.clone())
    }

    /// Counts a connection otherwise than `before`.
    pub(super) fn recount(&self, before: Option<Hold>, after: Option<Hold>) {
        if before == after {
            return;
        }
        self.0.open.send_modify(|open| {
            if let Some(before) = before {
                *open.of(before) -= 1;
            }
            if let Some(after) = after {
                *open.of(after) += 1;
            }
        });
    }

    /// Whether the end has begun.
    pub fn has_begun(&self) -> bool {
        *self.0.phase.borrow() >= Phase::Draining
    }

    /// Whether whatever still runs is dropped.
    pub(super) fn has_ended(&self) -> bool {
        *self.0.phase.borrow() >= Phase::Ended
    }

    /// Resolves when the end begins: time to accept nothing more.
    pub fn begun(&self) -> impl Future<Output = ()> + Send {
        let begun = self.0.begun.notified(); // Before the look, so that nothing falls between.
        OptionFuture::from((!self.has_begun()).then_some(begun)).map(drop)
    }

    /// Resolves when the time is up: whatever still runs is dropped.
    pub async fn ended(&self) {
        // The sender lives in `self`, so waiting cannot fail.
        let waited = self.0.phase.subscribe().wait_for(|now| *now >= Phase::Ended).await.is_ok();
        debug_assert!(waited, "the phase outlives its watchers");
    }

    /// Begins the end and waits for it: at most `limit` for ordinary connections, and at most
    /// `grace` for upgrades and event streams, which would never end by themselves.
    pub async fn run(&self, limit: Duration, grace: Duration) {
        let began = Instant::now();
        self.0.phase.send_replace(Phase::Draining);
        self.0.begun.notify_waiters();
        let mut open = self.0.open.subscribe();
        // Both waits may run out of time; what is still open then is cut.
        let ordinary = timeout_at(began + limit, open.wait_for(|open| open.ordinary == 0)).await;
        drop(ordinary);
        let long_lived =
            timeout_at(began + grace, open.wait_for(|open| open.long_lived == 0)).await;
        drop(long_lived);
        self.0.phase.send_replace(Phase::Ended);
    }
}

impl Default for Drain {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);
    const GRACE: Duration = Duration::from_secs(1);

    /// Drains with `drain`'s connections as they are; tells how long that took (in paused time).
    async fn duration(drain: &Drain) -> Duration {
        let began = Instant::now();
        drain.run(LIMIT, GRACE).await;
        began.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_open_ends_at_once() {
        assert_eq!(duration(&Drain::new()).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn an_ordinary_connection_gets_the_limit() {
        let drain = Drain::new();
        let _connection = drain.connection();
        assert_eq!(duration(&drain).await, LIMIT);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_on_which_nothing_was_asked_is_not_waited_for() {
        let drain = Drain::new();
        let connection = drain.connection();
        connection.release_if_fresh();
        assert_eq!(duration(&drain).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_waited_for_once_something_was_asked() {
        let drain = Drain::new();
        let (early, late) = (drain.connection(), drain.connection());
        drop(early.requested());
        early.release_if_fresh();
        assert_eq!(duration(&drain).await, LIMIT);
        drop(early);
        late.release_if_fresh();
        drop(late.requested());
        assert_eq!(duration(&drain).await, LIMIT);
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_lived_connection_gets_the_grace() {
        let drain = Drain::new();
        let held = drain.connection().long_lived();
        assert_eq!(duration(&drain).await, GRACE);
        drop(held);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_beside_an_event_stream_gets_the_limit() {
        let drain = Drain::new();
        let connection = drain.connection();
        let stream = (connection.requested(), connection.long_lived());
        let elsewhere = stream.0.clone();
        assert_eq!(duration(&drain).await, GRACE);
        let beside = connection.requested();
        assert_eq!(duration(&drain).await, LIMIT);
        drop(beside);
        assert_eq!(duration(&drain).await, GRACE);
        drop((stream, elsewhere));
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_ordinary_again_after_its_event_stream() {
        let drain = Drain::new();
        let connection = drain.connection();
        drop((connection.long_lived(), connection.long_lived()));
        assert_eq!(duration(&drain).await, LIMIT);
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_connection_to_finish_ends_it() {
        let drain = Drain::new();
        let connection = drain.connection();
        let finish = async {
            drain.begun().await;
            tokio::time::sleep(Duration::from_secs(3)).await;
            drop(connection);
        };
        let (took, ()) = tokio::join!(duration(&drain), finish);
        assert_eq!(took, Duration::from_secs(3));
        drain.ended().await;
    }
}
