//! Whether watched sessions live on, by the database.

use std::collections::HashMap;
use std::slice::from_ref;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tokio::time::timeout;
use tracing::{info, warn};

use super::Sessions;
use super::changes::Change;
use super::clock::Clock;
use super::resolve::{read_live, resolve};
use super::stored_row::StoredRow;
use super::user_key::{Named, StoredUser};
use super::watch::{Opened, Verdict};
use crate::accounts::AccountKey;
use crate::database::{self, DatabaseError};
use crate::entity::user_id::UserId;

/// How often the time is looked at; and the database, where nobody vouches for the news.
const PAUSE: Duration = Duration::from_millis(500);

/// How much longer than a look at everything the pause before the next is at least, so that many
/// sockets never make more than a tenth of one connection's work.
const REST: u32 = 9;

/// Sessions that are asked for at once.
const BATCH: usize = 500;

impl Sessions {
    /// Ends what is open in sessions that are over, as long as the database's runtime lives.
    ///
    /// News is no more than a hint: the database tells. While nobody vouches for the
    /// news all that are watched are looked at twice a second, or more seldom where they are many.
    /// While the database does not answer everything stays open.
    pub fn start_watching(&self, clock: Clock) {
        let watches = self.watches.clone();
        self.changes.subscribe(move |change| watches.hear(change));
        self.database.start(watch_for_ever(self.clone(), clock));
    }
}

async fn watch_for_ever(sessions: Sessions, clock: Clock) {
    let watches = sessions.watches.clone();
    let (mut next_round, mut is_failing) = (Instant::now(), false);
    loop {
        if watches.are_none() {
            watches.doubted().await;
        } else if timeout(PAUSE, watches.doubted()).await.is_err() {
            watches.doubt_expired(clock.now());
        }
        let began = Instant::now();
        let is_round = !sessions.changes.are_whole(began) && began >= next_round;
        if is_round {
            watches.hear(&Change::Everything);
        }
        let looked = look_at_doubted(&sessions, clock.now()).await;
        if is_round {
            next_round = Instant::now() + PAUSE.max(began.elapsed() * REST);
        }
        if let Err(error) = &looked {
            if !is_failing {
                let cause = database::cause(error);
                warn!(cause, "cannot tell which sessions are over; what is open in them stays");
            }
            tokio::time::sleep(PAUSE).await;
        } else if is_failing {
            info!("it can be told again which sessions are over");
        }
        is_failing = looked.is_err();
    }
}

async fn look_at_doubted(sessions: &Sessions, now: DateTime<Utc>) -> Result<(), DatabaseError> {
    loop {
        let doubted = sessions.watches.take_doubted(BATCH);
        if doubted.is_empty() {
            return Ok(());
        }
        let (this, looked_at) = (sessions.clone(), doubted.clone());
        let looking = async move { this.look_at(&looked_at, now).await };
        let verdicts = match sessions.database.run(looking).await {
            Ok(verdicts) => verdicts,
            Err(error) => {
                sessions.watches.doubt_again(&doubted);
                return Err(error);
            }
        };
        for (session, verdict) in doubted.iter().zip(verdicts) {
            sessions.watches.settle(session, verdict);
        }
    }
}

impl Sessions {
    /// What became of each of `watched`, in order.
    ///
    /// Two questions for all of them tell of nearly everyone that nothing has changed; the others
    /// are resolved one by one, as a request would be.
    async fn look_at(
        &self,
        watched: &[Opened],
        now: DateTime<Utc>,
    ) -> Result<Vec<Verdict>, DatabaseError> {
        let connection = self.database.connection();
        let ids: Vec<_> = watched.iter().map(|session| session.id.clone()).collect();
        let rows = self.table.find(connection, &ids).await?.into_iter();
        let mut rows: HashMap<_, _> = rows.map(|row| (row.sid.clone(), row)).collect();
        let names = watched.iter().filter_map(|session| name_in(&session.user));
        let accounts = self.accounts.find_as_spelt(connection, names).await?;
        let mut verdicts = Vec::with_capacity(watched.len());
        for session in watched {
            let row = rows.remove(session.id.as_str());
            verdicts.push(match row.map(|row| self.first_look(session, row, &accounts, now)) {
                Some(Look::Told(verdict)) => verdict,
                Some(Look::Doubtful(expires)) if self.is_the_same(session, now).await? => {
                    Verdict::LivesUntil(expires)
                }
                Some(Look::Doubtful(_)) | None => Verdict::Over,
            });
        }
        Ok(verdicts)
    }

    /// What a row and the accounts tell of a session without asking any further.
    fn first_look(
        &self,
        session: &Opened,
        row: StoredRow,
        accounts: &HashMap<AccountKey, UserId>,
        now: DateTime<Utc>,
    ) -> Look {
        let expires = row.expires.as_ref().copied().unwrap_or_default();
        let user = match read_live(row, &self.settings.user_key, now) {
            Ok(Some(live)) => live.record.user,
            Ok(None) => return Look::Told(Verdict::Over),
            Err(_) => return Look::Doubtful(expires),
        };
        let account = name_in(&user).map(|name| accounts.get(name).map(ToString::to_string));
        let is_same_account = match account {
            None => session.account.is_none(),
            Some(account) => account.is_some() && account.as_deref() == session.account.as_deref(),
        };
        if user == session.user && is_same_account {
            Look::Told(Verdict::LivesUntil(expires))
        } else {
            Look::Doubtful(expires)
        }
    }

    /// Whether a session is live, and the same account's as before.
    async fn is_the_same(
        &self,
        session: &Opened,
        now: DateTime<Utc>,
    ) -> Result<bool, DatabaseError> {
        let (connection, id) = (self.database.connection(), from_ref(&session.id));
        let rows = self.table.find(connection, id).await?;
        let found = resolve(connection, id, rows, self, now).await?;
        Ok(found.is_some_and(|found| found.account() == session.account))
    }
}

enum Look {
    Told(Verdict),
    /// To be resolved; the row ends then.
    Doubtful(Option<DateTime<Utc>>),
}

fn name_in(user: &StoredUser) -> Option<&AccountKey> {
    match user {
        StoredUser::Named(Named(name)) => Some(name),
        StoredUser::Nobody | StoredUser::Foreign(_) => None,
    }
}
