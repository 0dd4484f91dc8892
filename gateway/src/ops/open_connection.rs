//! One client's connection: what runs on it, what it waits for, and whether the end of the
//! process waits for it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use super::drain::{Drain, Hold};

/// An open connection.
///
/// It holds up the end of the process as long as somebody may still get an answer on it, and as
/// a long-lived one while it carries upgrades or event streams and nothing else.
#[derive(Debug)]
pub struct OpenConnection {
    drain: Drain,
    uses: Mutex<Uses>,
    is_to_be_reset: AtomicBool,
    has_unsent: AtomicBool,
}

#[derive(Debug)]
struct Uses {
    phase: Phase,
    /// When `phase` began.
    since: Instant,
    /// Requests that are being answered.
    running: usize,
    /// Requests whose bodies have not come to their ends.
    unread: usize,
    is_released: bool,
    long_lived: usize,
    /// When the client last took something, where several requests may run at once.
    took: Option<Instant>,
    /// When the client last took something after it had ended its own side.
    parting: Option<Instant>,
}

/// What comes next on a connection on which nothing runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The first request.
    Fresh,
    /// Another request, or none.
    Idle,
    /// The rest of a head.
    Head,
}

/// What a client lets the gateway wait for, and since when.
#[derive(Debug, Clone, Copy)]
pub enum Wait {
    /// A request's head, of which the beginning may be there.
    Head(Instant),
    /// One more request.
    Request(Instant),
    /// That it takes the rest of its answer, after it has ended its own side or is gone: these look
    /// the same until something is sent.
    Farewell(Instant),
}

impl Uses {
    fn hold(&self) -> Option<Hold> {
        match (self.long_lived, self.is_released) {
            (0, true) => None,
            (0, false) => Some(Hold::Ordinary),
            (streams, _) if self.running > streams => Some(Hold::Ordinary),
            _ => Some(Hold::LongLived),
        }
    }
}

impl OpenConnection {
    pub(super) fn new(drain: Drain) -> Arc<Self> {
        let (phase, since) = (Phase::Fresh, Instant::now());
        let uses = Uses {
            phase,
            since,
            running: 0,
            unread: 0,
            is_released: false,
            long_lived: 0,
            took: None,
            parting: None,
        };
        drain.recount(None, uses.hold());
        let (is_to_be_reset, has_unsent) = Default::default();
        Arc::new(Self { drain, uses: Mutex::new(uses), is_to_be_reset, has_unsent })
    }

    /// Notes that several requests may run at once (HTTP/2). From here on bytes say nothing of
    /// requests, for others than theirs come and go: a client that asks for nothing rests from its
    /// last answer on, however busy it keeps the connection.
    pub fn multiplex(&self) {
        self.change(|uses| uses.took = Some(Instant::now()));
    }

    /// When something last ran or was taken on a connection with several requests at once; `None`
    /// while one runs.
    pub fn moved(&self) -> Option<Instant> {
        let uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        (uses.running == 0).then(|| uses.took.map_or(uses.since, |took| took.max(uses.since)))
    }

    /// Notes a request's head: from here on the end waits for the answer. The request runs until
    /// the guard and its clones are gone.
    pub fn requested(self: &Arc<Self>) -> Running {
        self.change(|uses| {
            uses.phase = Phase::Idle;
            uses.running += 1;
            uses.is_released = false;
        });
        Running(Arc::new(Request(self.clone())))
    }

    /// Notes that bytes came.
    pub fn heard(&self) {
        self.change(|uses| {
            if uses.running == 0 && uses.phase == Phase::Idle && uses.took.is_none() {
                (uses.phase, uses.since) = (Phase::Head, Instant::now());
            }
        });
    }

    /// Notes that the client took something: an answer may be under way for long after the last of
    /// it was made.
    pub fn took(&self) {
        self.change(|uses| match (&mut uses.took, &mut uses.parting) {
            (Some(moved), _) | (None, Some(moved)) => *moved = Instant::now(),
            (None, None) if uses.running == 0 => uses.since = Instant::now(),
            (None, None) => {}
        });
    }

    /// Notes that the client sends no more, where one request runs at a time.
    pub fn ended_by_client(&self) {
        self.change(|uses| uses.parting = Some(Instant::now()));
    }

    /// Whether a request runs.
    pub fn is_answering(&self) -> bool {
        self.uses.lock().unwrap_or_else(PoisonError::into_inner).running > 0
    }

    /// What the client lets the gateway wait for; `None` while a request runs whose client is there.
    pub fn waits_for(&self) -> Option<Wait> {
        let uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        match (uses.running, uses.phase) {
            (0, Phase::Fresh | Phase::Head) => Some(Wait::Head(uses.since)),
            (0, Phase::Idle) => Some(Wait::Request(uses.since)),
            _ => uses.parting.map(Wait::Farewell),
        }
    }

    /// Notes whether something that was to be sent is still here, where one request runs at a time.
    pub fn has_unsent(&self, has: bool) {
        self.has_unsent.store(has, Ordering::Relaxed);
    }

    /// Whether every request is read to its end and answered, one at a time, and all of that sent: so
    /// nothing is lost with the buffers, and whatever comes next is a request.
    pub fn rests(&self) -> bool {
        let uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        (uses.running, uses.unread, uses.phase) == (0, 0, Phase::Idle)
            && uses.took.is_none()
            && !self.has_unsent.load(Ordering::Relaxed)
    }

    /// Lets the end not wait for a connection on which nothing was asked, until something is.
    pub fn release_if_fresh(&self) {
        self.change(|uses| uses.is_released |= uses.phase == Phase::Fresh);
    }

    /// Counts the connection as long-lived until the guard is gone.
    pub fn long_lived(self: &Arc<Self>) -> LongLived {
        self.change(|uses| uses.long_lived += 1);
        LongLived(self.clone())
    }

    /// Resolves when the end of the process begins.
    pub fn drain_begun(&self) -> impl Future<Output = ()> + Send {
        self.drain.begun()
    }

    /// Has the connection reset when it is closed.
    pub fn reset_at_close(&self) {
        self.is_to_be_reset.store(true, Ordering::Relaxed);
    }

    /// Whether [`Self::reset_at_close`] was called.
    pub fn is_to_be_reset(&self) -> bool {
        self.is_to_be_reset.load(Ordering::Relaxed)
    }

    fn change(&self, change: impl FnOnce(&mut Uses)) {
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        let before = uses.hold();
        change(&mut uses);
        self.drain.recount(before, uses.hold());
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        let uses = self.uses.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.drain.recount(uses.hold(), None);
    }
}

/// Something on a connection that does not end by itself: an upgrade or an event stream.
#[derive(Debug)]
pub struct LongLived(Arc<OpenConnection>);

impl LongLived {
    /// What it is on.
    pub fn connection(&self) -> &OpenConnection {
        &self.0
    }
}

impl Drop for LongLived {
    fn drop(&mut self) {
        self.0.change(|uses| uses.long_lived -= 1);
    }
}

/// A request that is being answered, perhaps in several places. Clones are the same.
#[derive(Debug, Clone)]
pub struct Running(Arc<Request>);

impl Running {
    /// Notes that the request has a body, of which more may come.
    pub fn unread_body(&self) -> UnreadBody {
        self.0.0.change(|uses| uses.unread += 1);
        UnreadBody(self.0.0.clone())
    }

    /// Whether the process ends without waiting any longer.
    pub(super) fn is_cut(&self) -> bool {
        self.0.0.drain.has_ended()
    }
}

/// A request's body that has not come to its end. Where this is dropped instead, it never does: then
/// what comes of it later must not be taken for a request, and the connection rests no more.
#[derive(Debug)]
pub struct UnreadBody(Arc<OpenConnection>);

impl UnreadBody {
    /// Notes its end.
    pub fn end(self) {
        self.0.change(|uses| uses.unread -= 1);
    }
}

#[derive(Debug)]
struct Request(Arc<OpenConnection>);

impl Drop for Request {
    fn drop(&mut self) {
        self.0.change(|uses| {
            uses.running -= 1;
            if uses.running == 0 {
                uses.since = Instant::now();
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_client_rests_from_its_answers_last_byte_to_its_next_requests_first() {
        let connection = Drain::new().connection();
        let began = Instant::now();
        assert!(matches!(connection.waits_for(), Some(Wait::Head(since)) if since == began));
        let running = connection.requested();
        let elsewhere = running.clone();
        drop(running);
        assert!(connection.waits_for().is_none());
        drop(elsewhere);
        advance(Duration::from_mins(1)).await;
        connection.took();
        let taken = Instant::now();
        advance(Duration::from_mins(1)).await;
        assert!(matches!(connection.waits_for(), Some(Wait::Request(since)) if since == taken));
        connection.heard();
        let heard = Instant::now();
        assert!(matches!(connection.waits_for(), Some(Wait::Head(since)) if since == heard));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_ended_its_side_is_waited_for_from_what_it_last_took() {
        let connection = Drain::new().connection();
        let _running = connection.requested();
        connection.ended_by_client();
        let ended = Instant::now();
        assert!(matches!(connection.waits_for(), Some(Wait::Farewell(since)) if since == ended));
        advance(Duration::from_mins(1)).await;
        connection.took();
        let taken = Instant::now();
        assert!(matches!(connection.waits_for(), Some(Wait::Farewell(since)) if since == taken));
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_do_not_prolong_the_rest_of_a_client_that_may_ask_for_several_things_at_once() {
        let connection = Drain::new().connection();
        connection.multiplex();
        drop(connection.requested());
        let answered = Instant::now();
        advance(Duration::from_mins(1)).await;
        connection.heard();
        connection.took();
        assert!(matches!(connection.waits_for(), Some(Wait::Request(since)) if since == answered));
        assert_eq!(connection.moved(), Some(Instant::now()));
        let _running = connection.requested();
        assert_eq!(connection.moved(), None);
    }
}
