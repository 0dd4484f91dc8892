//! From presented session ids to the one session they mean.

use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;
use tracing::warn;

use super::id::SessionId;
use super::record::{Damaged, SessionRecord};
use super::secrets::Secrets;
use super::stored::StoredSession;
use super::stored_row::StoredRow;
use super::user_key::UserKey;
use super::{SessionSettings, Sessions, lifetime};
use crate::database::DatabaseError;

/// The first of `ids` that has a live row among `rows`.
///
/// Two live sessions of different people in one browser are not chance: one was put there by
/// somebody else. Neither counts then.
pub(super) async fn resolve(
    connection: &impl ConnectionTrait,
    ids: &[SessionId],
    mut rows: Vec<StoredRow>,
    sessions: &Sessions,
    now: DateTime<Utc>,
) -> Result<Option<StoredSession>, DatabaseError> {
    let SessionSettings { secrets, user_key, .. } = &*sessions.settings;
    let mut live = Vec::new();
    for id in ids {
        let row = rows.iter().position(|row| row.sid == id.as_str());
        let row = row.map(|position| rows.swap_remove(position));
        let read = row.and_then(|row| read(id, row, (secrets, user_key), now));
        live.extend(read.map(|live| (id, live)));
    }
    if let Some((one, other)) = find_conflict(&live) {
        let (session, other) = (secrets.hash(one), secrets.hash(other));
        warn!(%session, %other, "two sessions of different people in one request; neither counts");
        return Ok(None);
    }
    let Some((id, live)) = live.into_iter().next() else { return Ok(None) };
    let named = (user_key, &live.record.user);
    let owner = sessions.unread.owner_of(connection, &sessions.accounts, named).await?;
    Ok(Some(StoredSession::new(id.clone(), live, owner)))
}

fn read(
    id: &SessionId,
    row: StoredRow,
    (secrets, user_key): (&Secrets, &UserKey),
    now: DateTime<Utc>,
) -> Option<Live> {
    read_live(row, user_key, now).unwrap_or_else(|damage| {
        warn!(session = %secrets.hash(id), cause = %damage, "a session's row is damaged");
        None
    })
}

/// A row whose time is not over.
pub(super) struct Live {
    pub(super) record: SessionRecord,
    pub(super) expires: Option<DateTime<Utc>>,
    pub(super) updated: Option<DateTime<Utc>>,
}

/// `None` when its time is over.
pub(super) fn read_live(
    row: StoredRow,
    user_key: &UserKey,
    now: DateTime<Utc>,
) -> Result<Option<Live>, Damaged> {
    let expires = row.expires.map_err(|_| Damaged::Expires)?;
    if !lifetime::is_live(expires, now) {
        return Ok(None);
    }
    let data = row.data.map_err(|_| Damaged::NotText)?;
    let record = SessionRecord::read(data.unwrap_or_default(), user_key)?;
    Ok(Some(Live { record, expires, updated: row.updated }))
}

fn find_conflict<'a>(live: &[(&'a SessionId, Live)]) -> Option<(&'a SessionId, &'a SessionId)> {
    let mut named = live.iter().filter(|(_, live)| live.record.user.name().is_some());
    let (first, its) = named.next()?;
    named.find(|(_, other)| other.record.user != its.record.user).map(|(other, _)| (*first, *other))
}
