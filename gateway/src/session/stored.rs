//! A live session as it stands in the database: what all requests of it share.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};

use super::id::SessionId;
use super::lifetime;
use super::owner::Owner;
use super::record::SessionRecord;
use super::resolve::Live;
use crate::identity::Identity;
use crate::identity::fields::IdentityFields;

/// No visit is being noted.
const NEVER: i64 = i64::MIN;

/// A row that was live when it was read, whose it is, and what is made of that once.
pub(super) struct StoredSession {
    pub(super) id: SessionId,
    pub(super) record: SessionRecord,
    pub(super) owner: Owner,
    expires: Option<DateTime<Utc>>,
    updated: Option<DateTime<Utc>>,
    /// Milliseconds since 1970: of a visit that the row does not tell of yet.
    noted: AtomicI64,
    fields: Option<IdentityFields>,
}

impl StoredSession {
    pub(super) fn new(id: SessionId, live: Live, owner: Owner) -> Self {
        let Live { record, expires, updated } = live;
        let fields = match &owner {
            Owner::Known(identity) => Some(IdentityFields::of(identity)),
            Owner::Nobody | Owner::Unread | Owner::Gone => None,
        };
        Self { id, record, owner, expires, updated, noted: AtomicI64::new(NEVER), fields }
    }

    /// Who is signed in.
    pub(super) fn identity(&self) -> Option<&Identity> {
        match &self.owner {
            Owner::Known(identity) => Some(identity),
            Owner::Nobody | Owner::Unread | Owner::Gone => None,
        }
    }

    /// The id of the account that is signed in.
    pub(super) fn account(&self) -> Option<Box<str>> {
        self.identity().map(|identity| identity.id.to_string().into())
    }

    /// How upstreams are told who is signed in.
    pub(super) fn fields(&self) -> Option<&IdentityFields> {
        self.fields.as_ref()
    }

    /// Whether its time is not over, to the millisecond.
    pub(super) fn is_live(&self, now: DateTime<Utc>) -> bool {
        lifetime::is_live(self.expires, now)
    }

    /// When the row was last written, as it was read.
    pub(super) fn updated(&self) -> Option<DateTime<Utc>> {
        self.updated
    }

    /// When the last visit was written down, or began to be.
    pub(super) fn last_noted(&self) -> Option<DateTime<Utc>> {
        let noted = match self.noted.load(Ordering::Relaxed) {
            NEVER => None,
            noted => DateTime::from_timestamp_millis(noted),
        };
        self.updated.max(noted)
    }

    /// Notes that a visit at `now` is being written down, so that the next ones need not be.
    pub(super) fn note_visit(&self, now: DateTime<Utc>) {
        self.noted.store(now.timestamp_millis(), Ordering::Relaxed);
    }

    /// Takes that back: it was not written down.
    pub(super) fn forget_visit(&self) {
        self.noted.store(NEVER, Ordering::Relaxed);
    }

    /// Bytes of memory that this takes.
    pub(super) fn bytes(&self) -> usize {
        let owner = self.identity().map_or(0, Identity::heap_bytes);
        let fields = self.fields.as_ref().map_or(0, IdentityFields::heap_bytes);
        size_of::<Self>() + self.id.as_str().len() + self.record.heap_bytes() + owner + fields
    }
}

impl fmt::Debug for StoredSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredSession").field("owner", &self.owner).finish_non_exhaustive()
    }
}
