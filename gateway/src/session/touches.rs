//! Visits that are yet to be written down: about once a second, many in one statement.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tracing::warn;

use super::Sessions;
use super::id::SessionId;
use super::store::touch::Touch;
use super::stored::StoredSession;
use crate::database::{self, CLOSE_LIMIT, DatabaseError};

/// How long a visit may wait to be written down together with others.
const INTERVAL: Duration = Duration::from_secs(1);

/// Longest pause before it is tried again, while the database does not take it.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// Most visits in one statement: a power of two, as each length is.
const BATCH: usize = 512;

/// Most visits that wait, in about 16 MiB; with more their sessions are asked for the next visit.
const MOST: usize = 16_384;

/// A visit, and the session as it was found.
#[derive(Clone)]
struct Visit {
    session: Arc<StoredSession>,
    expires: DateTime<Utc>,
    now: DateTime<Utc>,
    at: Instant,
}

impl Visit {
    /// Whether the session has not ended meanwhile: what was over must not begin again.
    fn is_of_live(&self) -> bool {
        let waited = TimeDelta::from_std(self.at.elapsed()).unwrap_or(TimeDelta::MAX);
        self.now.checked_add_signed(waited).is_some_and(|now| self.session.is_live(now))
    }

    fn touch(&self) -> Touch {
        let Self { session, expires, now, .. } = self;
        let (id, updated) = (session.id.clone(), session.updated());
        Touch { id, updated, expires: *expires, now: *now }
    }
}

/// The visits that wait. Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Touches(Arc<Shared>);

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    /// Told when a statement is full.
    full: Notify,
    /// Held by whoever writes, so that who waits for it knows that all is written.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Waiting {
    visits: HashMap<SessionId, Visit>,
    /// Whether somebody will write them.
    is_attended: bool,
}

/// What became of a visit.
#[derive(Debug, PartialEq, Eq)]
enum Added {
    /// Somebody must be sent to write.
    First,
    Joined,
    NoRoom,
}

impl fmt::Debug for Touches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Touches").field("waiting", &self.lock().visits.len()).finish()
    }
}

impl Touches {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest visit of a session wins.
    fn add(&self, visit: Visit) -> Added {
        let mut waiting = self.lock();
        let known = waiting.visits.get(&visit.session.id).map(|known| known.now);
        match known {
            None if waiting.visits.len() >= MOST => return Added::NoRoom,
            Some(known) if known > visit.now => {}
            None | Some(_) => drop(waiting.visits.insert(visit.session.id.clone(), visit)),
        }
        if waiting.visits.len() >= BATCH {
            self.0.full.notify_one();
        }
        if std::mem::replace(&mut waiting.is_attended, true) { Added::Joined } else { Added::First }
    }

    /// Those that could not be written, unless there is a newer one of the same session.
    fn put_back(&self, visits: Vec<Visit>) {
        let mut waiting = self.lock();
        for visit in visits {
            waiting.visits.entry(visit.session.id.clone()).or_insert(visit);
        }
    }

    /// As many as go into a statement; those whose session has ended are dropped.
    fn take(&self) -> Vec<Visit> {
        let mut waiting = self.lock();
        waiting.visits.retain(|_, visit| visit.is_of_live());
        let ids: Vec<_> = waiting.visits.keys().take(BATCH).cloned().collect();
        ids.iter().filter_map(|id| waiting.visits.remove(id)).collect()
    }

    /// Whether nothing waits, so that whoever writes may go.
    fn is_over(&self) -> bool {
        let mut waiting = self.lock();
        waiting.is_attended = !waiting.visits.is_empty();
        !waiting.is_attended
    }
}

impl Sessions {
    /// Notes that a session was visited at `now`: its row's end is moved within about a second, as
    /// soon as the database can be asked, and at the latest when the process ends.
    pub(super) fn note_visit(&self, session: &Arc<StoredSession>, now: DateTime<Utc>) {
        let Some(life) = self.settings.lifetime.after_visit(session.record.max_age, now) else {
            return;
        };
        session.note_visit(now);
        let (session, expires) = (session.clone(), life.row_expires);
        match self.touches.add(Visit { session: session.clone(), expires, now, at: Instant::now() })
        {
            Added::First => self.database.start_apart(self.clone().attend_to_visits()),
            Added::Joined => {}
            Added::NoRoom => session.forget_visit(),
        }
    }

    /// Writes down every visit that was noted so far, or says how many it could not within a
    /// second. To be called at the end of the process, before the database is closed.
    pub async fn write_visits_down(&self) {
        let written = timeout(CLOSE_LIMIT, self.write_down()).await;
        let cause = match written {
            Ok(Ok(())) => return,
            Ok(Err(error)) => database::cause(&error),
            Err(_) => format!("no answer within {CLOSE_LIMIT:?}"),
        };
        let visits = self.touches.lock().visits.len();
        warn!(visits, cause, "cannot note the last visits; their sessions may end early");
    }

    /// Writes for as long as anything waits.
    async fn attend_to_visits(self) {
        let mut pause = INTERVAL;
        loop {
            tokio::select! {
                () = sleep(pause) => {}
                () = self.touches.0.full.notified(), if pause == INTERVAL => {}
            }
            match self.write_down().await {
                Ok(()) => pause = INTERVAL,
                Err(error) => {
                    if pause == INTERVAL {
                        let cause = database::cause(&error);
                        warn!(cause, "cannot note visits yet; they are kept and tried again");
                    }
                    pause = LONGEST_PAUSE.min(pause * 2);
                }
            }
            if self.touches.is_over() {
                return;
            }
        }
    }

    /// Fails where the database does not answer; what is not written then waits on.
    async fn write_down(&self) -> Result<(), DatabaseError> {
        let _turn = self.touches.0.turn.lock().await;
        loop {
            let batch = self.touches.take();
            if batch.is_empty() {
                return Ok(());
            }
            self.write_batch(batch).await?;
        }
    }

    /// What the database refuses is halved until it is known whose visit it is, so that one row
    /// stands in nobody else's way.
    async fn write_batch(&self, batch: Vec<Visit>) -> Result<(), DatabaseError> {
        let mut parts = vec![batch];
        while let Some(mut part) = parts.pop() {
            let Err(error) = self.write(&part).await else { continue };
            for visit in &part {
                visit.session.forget_visit();
            }
            if matches!(error, DatabaseError::Unavailable(_)) {
                parts.push(part);
                self.touches.put_back(parts.concat());
                return Err(error);
            }
            if let [visit] = part.as_slice() {
                self.warn_of_unwritten(&visit.session, &error);
                continue;
            }
            let half = part.split_off(part.len() / 2);
            parts.extend([part, half]);
        }
        Ok(())
    }

    async fn write(&self, visits: &[Visit]) -> Result<(), DatabaseError> {
        self.touch(visits.iter().map(Visit::touch).collect()).await
    }
}
