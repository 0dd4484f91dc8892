//! Postgres: LISTEN, and a proof each second that NOTIFY arrives.

use std::fmt;
use std::time::{Duration, Instant};

use nextbnb_migrations::{CHANGE_FEED, TableNames, notices};
use tokio::time::{Instant as Deadline, sleep, timeout, timeout_at};

use super::super::changes::{Change, SessionDigest};
use super::FeedLimits;
use super::stats::Told;
use crate::database::listener::{DirectUrl, Listener, Lost, Notice, TableNumbers};
use crate::database::{Database, DatabaseLimits, cause};

/// Pauses before the feed connects again: between half and all of one that doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A feed that was up for so long goes down for another reason than before.
const LONG_LIFE: Duration = Duration::from_secs(10);

pub(super) struct PostgresFeed {
    database: Database,
    names: TableNames,
    direct: Option<DirectUrl>,
    limits: FeedLimits,
    told: Told,
    /// Nobody else's tokens are heard on it; another for each connection.
    own_channel: String,
    sent: u64,
}

/// Why no news comes.
enum Down {
    Lost(String),
    /// Another connection's notice did not come, though the connection is alive.
    Unheard {
        direct: bool,
    },
    /// As an old primary that was left to itself.
    ReadOnly,
    NoTables,
    NoTriggers(TableNames),
}

impl From<Lost> for Down {
    fn from(Lost(cause): Lost) -> Self {
        Self::Lost(cause)
    }
}

impl fmt::Display for Down {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(cause) => f.write_str(cause),
            Self::Unheard { direct: false } => f.write_str(
                "a pooler between lends its connections for a transaction each: \
                 --database-direct-url gives the server's own address",
            ),
            Self::Unheard { direct: true } => f.write_str(
                "--database-direct-url leads to a pooler, or to another database than \
                 --database-url",
            ),
            Self::ReadOnly => f.write_str(
                "the server takes no writes (default_transaction_read_only), and another may by now",
            ),
            Self::NoTables => f.write_str("the tables are not there: run `migrate`"),
            Self::NoTriggers(names) => {
                let applied = names.own("nextbnb_migrations");
                let TableNames { sessions, users, .. } = names;
                write!(
                    f,
                    "triggers on {sessions:?} or {users:?} are missing or disabled: run `migrate`, \
                     after DELETE FROM \"{applied}\" WHERE version = '{CHANGE_FEED}' where it says \
                     that nothing is pending"
                )
            }
        }
    }
}

impl PostgresFeed {
    pub(super) fn new(
        database: &Database,
        names: TableNames,
        direct: Option<&DirectUrl>,
        limits: FeedLimits,
        told: &Told,
    ) -> Self {
        let (database, direct, told) = (database.clone(), direct.cloned(), told.clone());
        Self { database, names, direct, limits, told, own_channel: String::new(), sent: 0 }
    }

    pub(super) async fn run(mut self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let began = Instant::now();
            let Err(down) = self.listen().await;
            self.told.lost(&down.to_string());
            if began.elapsed() > LONG_LIFE {
                pause = FIRST_PAUSE;
            }
            let next = match down {
                Down::ReadOnly => {
                    self.database.leave_connections();
                    pause
                }
                Down::Lost(_) => pause,
                Down::Unheard { .. } | Down::NoTables | Down::NoTriggers(_) => self.limits.by_hand,
            };
            sleep(next.mul_f64(rand::random_range(0.5..=1.0))).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    /// Tells what is heard on one connection, until something is wrong with it.
    ///
    /// What is told from the first LISTEN on is whole once a proof has come back, and then only is
    /// it vouched for. The first token is another connection's: a pooler passes on what a
    /// connection sends itself, and nothing else.
    async fn listen(&mut self) -> Result<std::convert::Infallible, Down> {
        let limits = DatabaseLimits::default();
        let mut listener = Listener::open(&self.database, self.direct.as_ref(), &limits).await?;
        let looking = timeout(self.limits.silence, listener.is_lent(&self.database));
        if looking.await.map_err(|_| Lost::late(self.limits.silence))?? {
            return Err(Down::Unheard { direct: self.direct.is_some() });
        }
        self.own_channel = format!("nextbnb_proof_{:016x}", rand::random::<u64>());
        listener.listen(&self.own_channel, self.limits.silence).await?;
        let tables = self.hear_another(&mut listener).await?;
        for table in [tables.sessions, tables.users] {
            listener.listen(&notices::channel(table), self.limits.silence).await?;
        }
        let mut mark = None;
        loop {
            let (sent, token) = (Instant::now(), self.token());
            let given_up = Deadline::from_std(sent + self.limits.silence);
            let proof = (self.own_channel.as_str(), token.as_str());
            let proving = listener.prove(proof, tables, &self.names, self.limits.silence);
            let look = proving.await?;
            if look.is_read_only {
                return Err(Down::ReadOnly);
            }
            if !look.are_whole {
                return Err(Down::NoTriggers(self.names.clone()));
            }
            if !self.hear(&mut listener, tables, Some(&token), given_up).await? {
                return Err(Lost::late(self.limits.silence).into());
            }
            if mark.replace(look.mark.clone()).is_some_and(|before| before != look.mark) {
                self.told.tell(&Change::Everything);
            }
            self.told.proved(sent, self.limits.silence);
            let next = Deadline::from_std(sent + self.limits.proof_interval);
            self.hear(&mut listener, tables, None, next).await?;
        }
    }

    fn token(&mut self) -> String {
        self.sent += 1;
        self.sent.to_string()
    }

    /// Waits for a token that one of the pool's connections sends.
    async fn hear_another(&mut self, listener: &mut Listener) -> Result<TableNumbers, Down> {
        let token = self.token();
        let sending = self.database.send_token((&self.own_channel, &token), &self.names);
        let tables = sending.await.map_err(|error| Down::Lost(cause(&error)))?;
        let tables = tables.ok_or(Down::NoTables)?;
        let given_up = Deadline::now() + self.limits.silence;
        if self.hear(listener, tables, Some(&token), given_up).await? {
            return Ok(tables);
        }
        Err(Down::Unheard { direct: self.direct.is_some() })
    }

    /// Tells what is heard, until `token` or `end`; whether it was the token.
    async fn hear(
        &self,
        listener: &mut Listener,
        tables: TableNumbers,
        token: Option<&str>,
        end: Deadline,
    ) -> Result<bool, Lost> {
        while let Ok(notice) = timeout_at(end, listener.next()).await {
            let notice = notice?;
            if notice.channel == self.own_channel {
                if Some(notice.payload.as_str()) == token {
                    return Ok(true);
                }
                continue;
            }
            for change in changes(&notice, tables) {
                self.told.tell(&change);
            }
        }
        Ok(false)
    }
}

/// What a notice says; everybody who may connect can send one, and one that says nothing that can be
/// understood is taken for all.
fn changes(notice: &Notice, tables: TableNumbers) -> Vec<Change> {
    let Notice { channel, payload } = notice;
    let are_sessions = *channel == notices::channel(tables.sessions);
    let change = |key: String| {
        if are_sessions {
            digest(&key).map(Change::Session)
        } else {
            Some(Change::Account(key.into()))
        }
    };
    let keys: Option<Vec<String>> = serde_json::from_str(payload).ok();
    let changes = keys.and_then(|keys| keys.into_iter().map(change).collect());
    changes.unwrap_or_else(|| vec![Change::Everything])
}

/// As the trigger writes it: 32 digits.
fn digest(text: &str) -> Option<SessionDigest> {
    let is_hex = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = is_hex.then(|| u128::from_str_radix(text, 16).ok())??;
    Some(SessionDigest(number.to_be_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(channel: u32, payload: &str, expected: &[Change]) {
        let notice = Notice { channel: notices::channel(channel), payload: payload.to_owned() };
        assert_eq!(changes(&notice, TableNumbers { sessions: 1, users: 2 }), expected, "{payload}");
    }

    #[test]
    fn a_notice_is_read_as_a_trigger_wrote_it_and_anything_else_is_everything() {
        let digest = Change::Session(SessionDigest([0x0a; 16]));
        let hex = "0a".repeat(16);
        check(1, &format!(r#"["{hex}","{hex}"]"#), &[digest.clone(), digest]);
        check(2, r#"["7","x"]"#, &[Change::Account("7".into()), Change::Account("x".into())]);
        let everything = [Change::Everything];
        check(1, notices::EVERYTHING, &everything);
        check(2, notices::EVERYTHING, &everything);
        let signed = format!(r#"["{hex}","+{}"]"#, &hex[1..]);
        for payload in ["", "[\"7\"]", "[7]", "{}", "[\"\"]", &hex] {
            check(1, payload, &everything);
        }
        check(1, &signed, &everything);
    }
}
