//! Sessions in the cookie, the row and the life that express-session gives them.

mod attributes;
pub mod clock;
mod cookie_header;
pub mod id;
pub mod lifetime;
mod members;
mod record;
mod resolve;
pub mod secrets;
mod signed_cookie;
mod store;
mod sweep;

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use http::uri::Scheme;
use http::{HeaderMap, HeaderValue};
use sea_orm::{DatabaseTransaction, DbErr};
use tracing::warn;

use crate::database::{self, Database};
use crate::identity::Identity;
use attributes::CookieAttributes;
use clock::Clock;
use id::{SessionHash, SessionId};
use lifetime::Lifetime;
use record::SessionRecord;
use secrets::Secrets;

/// Session cookies looked up for one request. A browser sends two after a change of domain or
/// path; whoever sends many wants work done.
const COOKIES_LOOKED_UP: usize = 3;

/// How sessions are named, signed and timed.
#[derive(Debug, Clone)]
pub struct SessionSettings {
    /// The name of the cookie (`--cookie-name`).
    pub cookie_name: String,
    /// The keys that sign it.
    pub secrets: Secrets,
    /// How long sessions live.
    pub lifetime: Lifetime,
}

/// A live session, as one request found it.
pub struct Session {
    id: SessionId,
    identity: Option<Identity>,
    record: SessionRecord,
    updated: DateTime<Utc>,
}

impl Session {
    /// Who is signed in; `None` for a session without a sign-in, which only Express makes, and
    /// for one whose account is gone.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("identity", &self.identity).finish_non_exhaustive()
    }
}

/// A session that was just begun.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) id: SessionId,
    /// To be sent only when the transaction is committed.
    pub(crate) set_cookie: HeaderValue,
}

/// Finds, begins, keeps and ends sessions.
#[derive(Debug, Clone)]
pub struct Sessions {
    database: Database,
    settings: Arc<SessionSettings>,
}

impl Sessions {
    /// Sessions in `database`, whose tables must be up to date.
    pub fn new(database: Database, settings: SessionSettings) -> Self {
        Self { database, settings: Arc::new(settings) }
    }

    /// The session ids that a request presents with a valid signature, in order; the first three.
    pub fn presented(&self, headers: &HeaderMap) -> Vec<SessionId> {
        let values = cookie_header::values_of(headers, &self.settings.cookie_name);
        let read = |value: &String| signed_cookie::read(value, &self.settings.secrets);
        let mut ids: Vec<SessionId> = Vec::new();
        for id in values.iter().filter_map(read) {
            if !ids.contains(&id) && ids.len() < COOKIES_LOOKED_UP {
                ids.push(id);
            }
        }
        ids
    }

    /// The session that presented ids mean, if there is one; asks nothing when none are presented.
    ///
    /// An error means that it could not be told, which is not the same as a guest.
    pub async fn resolve(
        &self,
        presented: &[SessionId],
        now: DateTime<Utc>,
    ) -> Result<Option<Session>, DbErr> {
        if presented.is_empty() {
            return Ok(None);
        }
        let (this, presented) = (self.clone(), presented.to_vec());
        let resolving = async move {
            let connection = this.database.connection();
            resolve::resolve(connection, &presented, &this.settings.secrets, now).await
        };
        self.database.run(resolving).await
    }

    /// Notes a visit, at most once per touch interval; the response does not wait for it.
    pub fn touch(&self, session: &Session, now: DateTime<Utc>) {
        if !self.settings.lifetime.needs_touch(session.updated, now) {
            return;
        }
        let Some(expires) = session.record.expires_after(now) else { return };
        let (this, id, updated) = (self.clone(), session.id.clone(), session.updated);
        let hash = self.log_hash(&id);
        let touching = async move {
            store::touch(this.database.connection(), &id, updated, expires, now).await
        };
        let database = self.database.clone();
        self.database.start(async move {
            if let Err(error) = database.run(touching).await {
                let cause = database::cause(&error);
                warn!(session = %hash, cause, "cannot note a visit; the session may end early");
            }
        });
    }

    /// The session's cookie anew, when less than half of its life is left.
    ///
    /// The header must reach no shared cache: call this when the response's head is known. A
    /// cookie that is for TLS only is not renewed over `http` or a scheme unknown, as in Express.
    pub async fn renew(
        &self,
        session: &Session,
        scheme: Option<&Scheme>,
        now: DateTime<Utc>,
    ) -> Option<HeaderValue> {
        let (cookie_expires, life) = session.record.cookie_life()?;
        let is_withheld = session.record.attributes.secure && !attributes::is_secure(scheme);
        if is_withheld || !lifetime::needs_renewal(cookie_expires, life, now) {
            return None;
        }
        let expires = session.record.expires_after(now)?;
        let value = signed_cookie::write(&session.id, &self.settings.secrets);
        let attributes = session.record.attributes.tightened(scheme);
        let cookie = attributes.set_cookie(&self.settings.cookie_name, &value, expires)?;

        let (this, id) = (self.clone(), session.id.clone());
        let (old, new) = (session.record.text().to_owned(), session.record.renewed(expires)?);
        let renewing = async move {
            store::renew(this.database.connection(), &id, (&old, &new), expires, now).await
        };
        match self.database.run(renewing).await {
            Ok(is_renewed) => is_renewed.then_some(cookie),
            Err(error) => {
                let (session, cause) = (self.log_hash(&session.id), database::cause(&error));
                warn!(%session, cause, "cannot renew a session's cookie");
                None
            }
        }
    }

    /// What stands for a session in logs.
    pub fn log_hash(&self, id: &SessionId) -> SessionHash {
        self.settings.secrets.hash(id)
    }

    /// Removes every row that ended before `now`, and tells how many; see also
    /// [`Self::start_sweeping`].
    pub async fn sweep(&self, now: DateTime<Utc>) -> Result<u64, DbErr> {
        let database = self.database.clone();
        self.database.run_long(async move { sweep::sweep(&database, now).await }).await
    }

    /// Sweeps now and every 15 minutes, for as long as the database's runtime lives.
    pub fn start_sweeping(&self, clock: Clock) {
        self.database.start(sweep::sweep_for_ever(self.database.clone(), clock));
    }

    /// Begins a session of the account with this address and ends the `presented` ones, so that
    /// no id known before a sign-in is worth anything after it.
    pub(crate) async fn begin(
        &self,
        transaction: &DatabaseTransaction,
        email: &str,
        presented: &[SessionId],
        scheme: Option<&Scheme>,
        now: DateTime<Utc>,
    ) -> Result<Begun, DbErr> {
        let attributes = CookieAttributes::new(scheme);
        let impossible = |cause: &dyn fmt::Display| DbErr::Custom(cause.to_string());
        let (max_age, expires) = self
            .settings
            .lifetime
            .max_age()
            .and_then(|max_age| Some((max_age, now.checked_add_signed(max_age)?)))
            .ok_or_else(|| impossible(&"--session-max-age is beyond all dates"))?;
        let data = record::begin(email, &attributes, max_age, expires)
            .map_err(|error| impossible(&error))?;
        let id = SessionId::generate().map_err(|error| impossible(&error))?;
        let value = signed_cookie::write(&id, &self.settings.secrets);
        let set_cookie = attributes
            .set_cookie(&self.settings.cookie_name, &value, expires)
            .ok_or_else(|| impossible(&"the cookie's name cannot stand in a header"))?;

        store::delete(transaction, presented).await?;
        store::insert(transaction, &id, data, expires, now).await?;
        Ok(Begun { id, set_cookie })
    }

    /// Ends the `presented` sessions; their rows are gone when this returns.
    pub(crate) async fn end(&self, presented: &[SessionId]) -> Result<(), DbErr> {
        let (this, presented) = (self.clone(), presented.to_vec());
        self.database
            .run(async move { store::delete(this.database.connection(), &presented).await })
            .await
    }

    /// The header that makes the browser forget the session's cookie.
    pub(crate) fn forget_cookie(
        &self,
        session: Option<&Session>,
        scheme: Option<&Scheme>,
    ) -> Option<HeaderValue> {
        let attributes = session.map_or_else(
            || CookieAttributes::new(scheme),
            |session| session.record.attributes.tightened(scheme),
        );
        attributes.expire_cookie(&self.settings.cookie_name)
    }
}
