//! From presented session ids to the one session they mean.

use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;
use tracing::warn;

use super::id::SessionId;
use super::owner::Owner;
use super::record::{Damaged, SessionRecord};
use super::secrets::Secrets;
use super::stored_row::StoredRow;
use super::user_key::UserKey;
use super::{Session, SessionSettings, Sessions, lifetime};
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
) -> Result<Option<Session>, DatabaseError> {
    let SessionSettings { secrets, user_key, .. } = &*sessions.settings;
    let mut live = Vec::new();
    for id in ids {
        let row = rows.iter().position(|row| row.sid == id.as_str());
        let row = row.map(|position| rows.swap_remove(position));
        live.extend(row.and_then(|row| read(id, row, (secrets, user_key), now)));
    }
    if let Some((one, other)) = find_conflict(&live) {
        let (session, other) = (secrets.hash(&one.id), secrets.hash(&other.id));
        warn!(%session, %other, "two sessions of different people in one request; neither counts");
        return Ok(None);
    }
    let Some(mut session) = live.into_iter().next() else { return Ok(None) };
    let named = (user_key, &session.record.user);
    session.owner = sessions.unread.owner_of(connection, &sessions.accounts, named).await?;
    Ok(Some(session))
}

fn read(
    id: &SessionId,
    row: StoredRow,
    (secrets, user_key): (&Secrets, &UserKey),
    now: DateTime<Utc>,
) -> Option<Session> {
    read_live(row, user_key, now).map_or_else(
        |damage| {
            warn!(session = %secrets.hash(id), cause = %damage, "a session's row is damaged");
            None
        },
        |live| {
            let (record, updated) = live?;
            let (id, handed_over) = (id.clone(), None);
            Some(Session { id, owner: Owner::Nobody, record, updated, handed_over })
        },
    )
}

pub(super) type Live = (SessionRecord, Option<DateTime<Utc>>);

/// `None` when its time is over.
pub(super) fn read_live(
    row: StoredRow,
    user_key: &UserKey,
    now: DateTime<Utc>,
) -> Result<Option<Live>, Damaged> {
    if !lifetime::is_live(row.expires.map_err(|_| Damaged::Expires)?, now) {
        return Ok(None);
    }
    let data = row.data.map_err(|_| Damaged::NotText)?;
    Ok(Some((SessionRecord::read(data.unwrap_or_default(), user_key)?, row.updated)))
}

fn find_conflict(live: &[Session]) -> Option<(&Session, &Session)> {
    let mut named = live.iter().filter(|session| session.record.user.name().is_some());
    let first = named.next()?;
    named.find(|other| other.record.user != first.record.user).map(|other| (first, other))
}
