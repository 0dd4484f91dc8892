//! The sessions that sockets and event streams were opened in, watched until they are over.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use chrono::{DateTime, Utc};
use tokio::sync::{Notify, oneshot};

use super::changes::{Change, SessionDigest};
use super::id::SessionId;
use super::lifetime;
use super::stored::StoredSession;
use super::user_key::StoredUser;
use super::{Session, Sessions};

/// What is open in sessions, and who looks whether those live on. Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Watches(Arc<Shared>);

#[derive(Default)]
struct Shared {
    watched: Mutex<Watched>,
    /// Told when there is a doubt.
    doubted: Notify,
}

#[derive(Default)]
struct Watched {
    sessions: HashMap<SessionDigest, WatchedSession>,
    /// How many watches there have been.
    count: u64,
}

struct WatchedSession {
    session: Opened,
    /// As far as it is known.
    expires: Option<DateTime<Utc>>,
    is_doubted: bool,
    /// Dropped when the session is over.
    watchers: Vec<(u64, oneshot::Sender<Infallible>)>,
}

/// A session as it was when something was opened in it.
#[derive(Clone)]
pub(super) struct Opened {
    pub(super) id: SessionId,
    /// Whose the row said that it is.
    pub(super) user: StoredUser,
    /// The id of the account that this was.
    pub(super) account: Option<Box<str>>,
}

impl Opened {
    fn of(session: &StoredSession) -> Self {
        Self {
            id: session.id.clone(),
            user: session.record.user.clone(),
            account: session.account(),
        }
    }
}

/// What became of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Its row is gone, past its end, or somebody else's.
    Over,
    /// It goes on, at least until then.
    LivesUntil(Option<DateTime<Utc>>),
}

/// Resolves when the session is over that something was opened in; nobody watches any more when it
/// is dropped.
#[must_use]
pub struct SessionEnd {
    watches: Watches,
    session: SessionDigest,
    number: u64,
    over: Option<oneshot::Receiver<Infallible>>,
}

impl Sessions {
    /// Watches a session for something that is opened in it, and may outlive it.
    ///
    /// It ends when its row is removed or past its end, when its account is removed, and when
    /// somebody else signs in to it, whoever does that and on whatever replica; see
    /// [`Sessions::start_watching`].
    pub fn watch(&self, session: &Session) -> SessionEnd {
        self.watches.add(Opened::of(&session.stored))
    }
}

impl Watches {
    /// Doubts at once: the session may have ended between its request's look at it and now.
    fn add(&self, session: Opened) -> SessionEnd {
        let digest = SessionDigest::of(&session.id);
        let (sender, receiver) = oneshot::channel();
        let mut watched = self.lock();
        watched.count += 1;
        let number = watched.count;
        let new = |session| WatchedSession {
            session,
            expires: None,
            is_doubted: true,
            watchers: Vec::new(),
        };
        let entry = match watched.sessions.entry(digest) {
            Entry::Vacant(vacant) => vacant.insert(new(session)),
            Entry::Occupied(known) => {
                let known = known.into_mut();
                if known.session.account != session.account {
                    *known = new(session); // What was opened in it before is another's.
                }
                known.is_doubted = true;
                known
            }
        };
        entry.watchers.push((number, sender));
        drop(watched);
        self.0.doubted.notify_one();
        SessionEnd { watches: self.clone(), session: digest, number, over: Some(receiver) }
    }

    fn remove(&self, session: SessionDigest, number: u64) {
        let mut watched = self.lock();
        if let Entry::Occupied(mut entry) = watched.sessions.entry(session) {
            entry.get_mut().watchers.retain(|(other, _)| *other != number);
            if entry.get().watchers.is_empty() {
                entry.remove();
            }
        }
    }

    /// Doubts what a piece of news is about.
    pub(super) fn hear(&self, change: &Change) {
        let mut watched = self.lock();
        let mut is_any = false;
        let mut doubt = |session: &mut WatchedSession| {
            session.is_doubted = true;
            is_any = true;
        };
        match change {
            Change::Session(session) => {
                watched.sessions.get_mut(session).into_iter().for_each(doubt);
            }
            Change::Account(id) => {
                let is_its =
                    |session: &&mut WatchedSession| session.session.account.as_ref() == Some(id);
                watched.sessions.values_mut().filter(is_its).for_each(doubt);
            }
            Change::Everything => watched.sessions.values_mut().for_each(&mut doubt),
        }
        drop(watched);
        if is_any {
            self.0.doubted.notify_one();
        }
    }

    /// Doubts sessions that should have ended by `now`.
    pub(super) fn doubt_expired(&self, now: DateTime<Utc>) {
        for session in self.lock().sessions.values_mut() {
            session.is_doubted |= !lifetime::is_live(session.expires, now);
        }
    }

    /// Resolves when something was doubted since the last time.
    pub(super) async fn doubted(&self) {
        self.0.doubted.notified().await;
    }

    pub(super) fn are_none(&self) -> bool {
        self.lock().sessions.is_empty()
    }

    /// At most `limit` of the sessions that are doubted, which are so no more.
    pub(super) fn take_doubted(&self, limit: usize) -> Vec<Opened> {
        let mut watched = self.lock();
        let doubted = watched.sessions.values_mut().filter(|session| session.is_doubted);
        let taken = doubted.take(limit).map(|session| {
            session.is_doubted = false;
            session.session.clone()
        });
        taken.collect()
    }

    /// Doubts what was taken and could not be looked at.
    pub(super) fn doubt_again(&self, taken: &[Opened]) {
        let mut watched = self.lock();
        for session in taken {
            if let Some(session) = watched.sessions.get_mut(&SessionDigest::of(&session.id)) {
                session.is_doubted = true;
            }
        }
    }

    /// Ends what is open in a session that is over, and notes until when another lives.
    pub(super) fn settle(&self, session: &Opened, verdict: Verdict) {
        let mut watched = self.lock();
        let Entry::Occupied(mut entry) = watched.sessions.entry(SessionDigest::of(&session.id))
        else {
            return;
        };
        match verdict {
            Verdict::LivesUntil(expires) => entry.get_mut().expires = expires,
            Verdict::Over if entry.get().session.account == session.account => drop(entry.remove()),
            Verdict::Over => {} // Opened by another meanwhile, who is looked at next.
        }
    }

    fn lock(&self) -> MutexGuard<'_, Watched> {
        self.0.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Watches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watches").field("sessions", &self.lock().sessions.len()).finish()
    }
}

impl Future for SessionEnd {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Some(over) = &mut self.over else { return Poll::Ready(()) };
        Pin::new(over).poll(context).map(|ended| {
            let Err(_) = ended; // Nothing is ever sent.
            self.over = None;
        })
    }
}

impl Drop for SessionEnd {
    fn drop(&mut self) {
        self.watches.remove(self.session, self.number);
    }
}

impl fmt::Debug for SessionEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionEnd").field("is_over", &self.over.is_none()).finish_non_exhaustive()
    }
}
