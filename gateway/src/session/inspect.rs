//! A cookie that somebody pasted: whether it is good here, and what it leads to.

use chrono::{DateTime, Utc};
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use memchr::memmem::Finder;
use sea_orm::ConnectionTrait;

use super::attributes::{CookieAttributes, Soundness};
use super::cookie_header;
use super::id::{SessionHash, SessionId};
use super::record::Damaged;
use super::resolve::{Live, read_live};
use super::secrets::Secrets;
use super::signed_cookie::Claim;
use super::store::SessionTable;
use super::stored_row::StoredRow;
use super::user_key::{StoredUser, UserKey};
use crate::database::DatabaseError;
use crate::database::layout::Layout;

/// What a cookie is, as far as it can be told.
#[derive(Debug)]
pub(crate) enum Inspected {
    /// The text holds no cookie of the name.
    Missing,
    /// None of its values has the form of a signed cookie.
    Malformed,
    Signed {
        by: Signature,
        /// As in logs; where there is a secret.
        session: Option<SessionHash>,
        row: Row,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signature {
    /// By the secret in this place, from 1 on.
    Secret(usize),
    /// By none of them.
    Stranger,
    /// There is no secret to check it with.
    Unchecked,
}

#[derive(Debug)]
pub(crate) enum Row {
    Missing,
    Expired(Option<DateTime<Utc>>),
    Damaged(Damaged),
    Live {
        /// `None` is no end.
        until: Option<DateTime<Utc>>,
        user: StoredUser,
        /// As in a `Set-Cookie` header; `None` where no header can hold them.
        attributes: Option<String>,
    },
}

/// Looks at a cookie in any of the forms in which a browser shows it: its value, `name=value`, or a
/// whole header.
pub(crate) async fn inspect(
    connection: &impl ConnectionTrait,
    (layout, key): (&Layout, &UserKey),
    (pasted, cookie_name): (&[u8], &str),
    secrets: Option<&Secrets>,
    now: DateTime<Utc>,
) -> Result<Inspected, DatabaseError> {
    let values = values(pasted, cookie_name);
    if values.is_empty() {
        return Ok(Inspected::Missing);
    }
    let claims: Vec<Claim> = values.iter().filter_map(|value| Claim::read(value)).collect();
    let verified = secrets.and_then(|secrets| {
        claims.iter().find_map(|claim| Some((claim.id()?, claim.signed_by(secrets)?)))
    });
    let stranger = || claims.iter().find_map(Claim::id);
    let (id, by) = match (verified, secrets) {
        (Some((id, place)), _) => (id, Signature::Secret(place)),
        (None, secrets) => {
            let Some(id) = stranger() else { return Ok(Inspected::Malformed) };
            (id, if secrets.is_some() { Signature::Stranger } else { Signature::Unchecked })
        }
    };
    let row = find(connection, (layout, key), &id, now).await?;
    Ok(Inspected::Signed { by, session: secrets.map(|secrets| secrets.hash(&id)), row })
}

async fn find(
    connection: &impl ConnectionTrait,
    (layout, key): (&Layout, &UserKey),
    id: &SessionId,
    now: DateTime<Utc>,
) -> Result<Row, DatabaseError> {
    let rows = SessionTable::new(layout).find(connection, std::slice::from_ref(id)).await?;
    let Some(row) = rows.into_iter().find(|row| row.sid == id.as_str()) else {
        return Ok(Row::Missing);
    };
    let until = row.expires.as_ref().ok().copied().flatten();
    Ok(read(row, key, until, now))
}

fn read(row: StoredRow, key: &UserKey, until: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Row {
    match read_live(row, key, now) {
        Err(damage) => Row::Damaged(damage),
        Ok(None) => Row::Expired(until),
        Ok(Some(Live { record, .. })) => {
            let attributes = written(&record.attributes);
            Row::Live { until, user: record.user, attributes }
        }
    }
}

fn written(attributes: &CookieAttributes) -> Option<String> {
    let header = attributes.set_cookie("-", "", None)?;
    let text = header.to_str().ok()?.strip_prefix("-=")?.trim_start_matches("; ").to_owned();
    (attributes.soundness == Soundness::Sound).then_some(text)
}

/// The ids that a pasted text claims, whoever signed them.
pub(super) fn claimed(pasted: &[u8], cookie_name: &str) -> impl Iterator<Item = SessionId> {
    let values = values(pasted, cookie_name).into_iter();
    values.filter_map(|value| Claim::read(&value)?.id())
}

/// The values under the name; the text itself where it looks like a value.
fn values(pasted: &[u8], name: &str) -> Vec<Vec<u8>> {
    let text = pasted.trim_ascii();
    let pairs = ["cookie:", "set-cookie:"].into_iter().find_map(|field| {
        let (begin, rest) = text.split_at_checked(field.len())?;
        begin.eq_ignore_ascii_case(field.as_bytes()).then_some(rest)
    });
    let Ok(header) = HeaderValue::from_bytes(pairs.unwrap_or(text)) else { return Vec::new() };
    let (headers, name) = (HeaderMap::from_iter([(COOKIE, header)]), Finder::new(name));
    let values: Vec<_> = cookie_header::values_of(&headers, &name).map(<[u8]>::to_vec).collect();
    let is_value = text.starts_with(b"s:") || text.to_ascii_lowercase().starts_with(b"s%3a");
    if values.is_empty() && is_value { vec![text.to_vec()] } else { values }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pasted: &str, expected: &[&str]) {
        let values = values(pasted.as_bytes(), "nextbnb");
        let values: Vec<&str> = values.iter().map(|v| std::str::from_utf8(v).unwrap()).collect();
        assert_eq!(values, expected, "{pasted}");
    }

    #[test]
    fn a_cookie_is_taken_as_browsers_show_it() {
        check("s%3Aa.b\n", &["s%3Aa.b"]);
        check("s%3aa.b", &["s%3aa.b"]);
        check(" s:a.b\r\n", &["s:a.b"]);
        check("nextbnb=s%3Aa.b", &["s%3Aa.b"]);
        check("a=1; nextbnb=s%3Aa.b; c=2", &["s%3Aa.b"]);
        check("Cookie: a=1; nextbnb=x", &["x"]);
        check("cookie: nextbnb=\"x\"", &["x"]);
        check("Set-Cookie: nextbnb=s%3Aa.b; Path=/; HttpOnly", &["s%3Aa.b"]);
    }

    #[test]
    fn a_cookie_of_another_name_is_none() {
        check("connect.sid=s%3Aa.b", &[]);
        check("", &[]);
        check("a.b", &[]);
        check("nextbnb=x\ny=z", &[]);
    }
}
