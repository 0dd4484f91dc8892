//! Sessions in the cookie, the row and the life that express-session gives them.

pub mod attributes;
pub mod cache;
pub mod changes;
pub mod clock;
pub(crate) mod cookie_header;
pub mod cookie_policy;
mod decide;
pub mod feed;
mod find;
pub(crate) mod handle;
pub mod id;
pub(crate) mod inspect;
pub mod lifetime;
pub(crate) mod members;
mod new_record;
mod new_session;
mod owner;
mod passport_user;
pub mod policy;
pub mod presented;
mod recheck;
pub mod record;
pub(crate) mod records;
mod resolve;
mod rewrite;
pub mod secrets;
pub mod settle;
pub(crate) mod sign_ins;
pub mod signed_cookie;
pub mod signed_in;
mod store;
mod stored;
mod stored_attributes;
mod stored_row;
pub(crate) mod survey;
mod sweep;
mod told;
mod touches;
mod upstream_cookie;
pub mod user_key;
mod walk;
pub mod watch;
mod writing;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use http::uri::Scheme;
use http::{HeaderMap, HeaderValue};
use memchr::memmem::Finder;
use sea_orm::{DatabaseTransaction, DbErr};

use crate::accounts::Accounts;
use crate::accounts::account::Account;
use crate::database::layout::Layout;
use crate::database::locks::past_locks;
use crate::database::{Database, DatabaseError};
use crate::identity::Identity;
use crate::identity::fields::IdentityFields;
use crate::ops::request_span::in_request_span;
use cache::stats::CacheStats;
use cache::{CacheSettings, SessionCache};
use changes::Changes;
use clock::Clock;
use cookie_policy::CookiePolicy;
use id::{SessionHash, SessionId};
use lifetime::Lifetime;
use owner::Unread;
use passport_user::PassportUser;
use policy::{OldData, SessionPolicy};
use secrets::Secrets;
use sign_ins::{HandedOver, SignIn, SignIns};
use store::SessionTable;
use stored::StoredSession;
use touches::Touches;
use user_key::UserKey;
use watch::Watches;

/// How sessions are named, signed and timed.
#[derive(Debug, Clone)]
pub struct SessionSettings {
    /// The keys that sign the cookie.
    pub secrets: Secrets,
    /// What the cookie is like.
    pub cookie: CookiePolicy,
    /// How long sessions live.
    pub lifetime: Lifetime,
    /// When rows are made and moved, and cookies sent again.
    pub policy: SessionPolicy,
    /// What sessions name accounts by.
    pub user_key: UserKey,
    /// How long the id before a sign-in leads to the session after it (`--login-handover`); zero is
    /// not at all.
    pub handover: Duration,
    /// What is kept of sessions that were read.
    pub cache: CacheSettings,
}

/// A live session, as one request found it.
#[derive(Clone)]
pub struct Session {
    stored: Arc<StoredSession>,
    /// Set where an id that is no more led here, so that the browser needs the cookie.
    handed_over: Option<Arc<HandedOver>>,
    /// Whether it is known that the request presents this session's cookie and no other of the name.
    is_presented_alone: bool,
}

impl Session {
    fn of(stored: Arc<StoredSession>) -> Self {
        Self { stored, handed_over: None, is_presented_alone: false }
    }

    /// Who is signed in; `None` for a session without a sign-in, for one whose account is gone, and
    /// for one that names it in a way that is not read.
    pub fn identity(&self) -> Option<&Identity> {
        self.stored.identity()
    }

    /// How upstreams are told who is signed in.
    pub fn identity_fields(&self) -> Option<&IdentityFields> {
        self.stored.fields()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("stored", &self.stored).finish_non_exhaustive()
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
    table: SessionTable,
    accounts: Accounts,
    sign_ins: SignIns,
    unread: Unread,
    watches: Watches,
    touches: Touches,
    settings: Arc<SessionSettings>,
    /// The cookie's name, to be found in headers.
    cookie: Arc<Finder<'static>>,
    changes: Changes,
    /// `None` where every session is read each time.
    cache: Option<Arc<SessionCache>>,
}

impl Sessions {
    /// Sessions of `accounts` in `database`, whose tables are laid out so; what is written here is
    /// told to `changes`, and what is told there is forgotten here.
    pub fn new(
        database: Database,
        layout: &Layout,
        accounts: Accounts,
        settings: SessionSettings,
        changes: Changes,
    ) -> Self {
        let table = SessionTable::new(layout);
        let (sign_ins, unread) = (SignIns::new(settings.handover), Unread::default());
        let cookie = Arc::new(Finder::new(&settings.cookie.name).into_owned());
        let cache = SessionCache::new(settings.cache, &changes);
        let (watches, settings) = (Watches::default(), Arc::new(settings));
        Self {
            database,
            table,
            accounts,
            sign_ins,
            unread,
            watches,
            touches: Touches::default(),
            settings,
            cookie,
            changes,
            cache,
        }
    }

    /// Where it is told which sessions were written.
    pub fn changes(&self) -> &Changes {
        &self.changes
    }

    /// How much is in the cache, and how it is used; `None` where there is none.
    pub fn cache_stats(&self) -> Option<CacheStats> {
        self.cache.as_ref().map(|cache| cache.stats())
    }

    /// The session ids that a request presents with a valid signature, in order; the first three.
    pub fn presented(&self, headers: &HeaderMap) -> Vec<SessionId> {
        presented::presented(headers, &self.settings.cookie.name, &self.settings.secrets)
    }

    /// Whether a request for an asset is a visit.
    pub fn count_assets(&self) -> bool {
        self.settings.policy.touch.is_every_visit()
    }

    /// Notes that somebody asked for an asset, where that is a visit.
    ///
    /// An asset is the same for everybody: whatever fails here does not matter to it.
    pub async fn visit_asset(&self, headers: &HeaderMap, path: &str, now: DateTime<Utc>) {
        if self.count_assets() && self.settings.cookie.covers(path) {
            let noting = async {
                if let Ok(Some(session)) = self.resolve(&self.presented(headers), now).await {
                    self.touch_at_once(&session, now).await;
                }
            };
            in_request_span(Box::pin(noting)).await;
        }
    }

    /// What stands for a session in logs.
    pub fn log_hash(&self, id: &SessionId) -> SessionHash {
        self.settings.secrets.hash(id)
    }

    /// Removes every row that ended before `now`, and tells how many; see also
    /// [`Self::start_sweeping`].
    pub async fn sweep(&self, now: DateTime<Utc>) -> Result<u64, DatabaseError> {
        let this = self.clone();
        let sweeping = async move { sweep::sweep(&this.database, &this.table, now).await };
        self.database.run_long(sweeping).await
    }

    /// Sweeps now and once in every `interval`, for as long as the database's runtime lives; never
    /// when that is zero.
    pub fn start_sweeping(&self, interval: Duration, clock: Clock) {
        if !interval.is_zero() {
            let (database, table) = (self.database.clone(), self.table.clone());
            self.database.start(sweep::sweep_for_ever(database, table, interval, clock));
        }
    }

    /// Notes that a sign-in, or a sign-out, came with `presented` ids.
    pub(crate) fn sign_in(&self, presented: &[SessionId]) -> SignIn {
        self.sign_ins.begin(presented)
    }

    /// Begins a session of an account and ends the `presented` ones, so that
    /// no id known before a sign-in is worth anything after it.
    ///
    /// `None` where the cookie is for TLS only and this is not TLS: a row that nobody holds the
    /// cookie of is not made.
    pub(crate) async fn begin(
        &self,
        transaction: &DatabaseTransaction,
        account: &Account,
        presented: &[SessionId],
        scheme: Option<&Scheme>,
        now: DateTime<Utc>,
    ) -> Result<Option<Begun>, DatabaseError> {
        let SessionSettings { secrets, cookie, lifetime, user_key, .. } = &*self.settings;
        let user = PassportUser { key: user_key, account };
        let attributes = cookie.attributes(scheme);
        let impossible =
            |cause: &dyn fmt::Display| DatabaseError::from(DbErr::Custom(cause.to_string()));
        let life =
            lifetime.begin(now).ok_or_else(|| impossible(&"the session ends beyond all dates"))?;
        let rows = self.table.take(transaction, presented).await?;
        let old = match self.settings.policy.old_data {
            OldData::Keep => resolve::resolve(transaction, presented, rows, self, now).await?,
            OldData::Drop => None,
        };
        if attributes.are_withheld(scheme) {
            return Ok(None);
        }
        let kept =
            old.and_then(|old| new_record::write_over(&old.record, &user, &attributes, life));
        let data = match kept {
            Some(data) => data,
            None => new_record::write(Some(&user), &attributes, life)
                .map_err(|error| impossible(&error))?,
        };
        let id = SessionId::generate().map_err(|error| impossible(&error))?;
        let value = signed_cookie::write(&id, secrets);
        let set_cookie = attributes
            .set_cookie(&cookie.name, &value, life.cookie_expires())
            .ok_or_else(|| impossible(&"the cookie's name cannot stand in a header"))?;
        self.table.insert(transaction, &id, &data, life.row_expires, now).await?;
        Ok(Some(Begun { id, set_cookie }))
    }

    /// Ends the `presented` sessions; their rows are gone when this returns.
    pub(crate) async fn end(&self, presented: &[SessionId]) -> Result<(), DatabaseError> {
        let (this, presented) = (self.clone(), presented.to_vec());
        let writing = self.writing(&presented);
        let ending = async move {
            let _told_when_done = writing;
            past_locks(|| this.table.delete(this.database.connection(), &presented)).await.map(drop)
        };
        self.database.run(ending).await
    }

    /// The header that makes the browser forget the session's cookie.
    pub(crate) fn forget_cookie(
        &self,
        session: Option<&Session>,
        scheme: Option<&Scheme>,
    ) -> Option<HeaderValue> {
        let policy = &self.settings.cookie;
        let attributes = session.map_or_else(
            || policy.attributes(scheme),
            |session| policy.tighten(&session.stored.record.attributes, scheme),
        );
        attributes.expire_cookie(&policy.name)
    }
}
