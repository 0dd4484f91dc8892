//! The session's cookie between the gateway and an upstream that has sessions of its own, as the
//! Express server that the gateway stands before.

use std::slice::from_ref;
use std::time::Duration;

use chrono::{DateTime, Utc};
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue};
use tokio::time::sleep;

use super::settle::{Audience, Visit};
use super::signed_cookie::Claim;
use super::{Sessions, cookie_header, signed_cookie};
use crate::ops::request_span::in_request_span;

impl Sessions {
    /// Puts into the request the cookie that the browser does not have yet, or has among others of
    /// the name, so that the upstream finds the session that the gateway found.
    pub fn show_cookie(&self, headers: &mut HeaderMap, visit: &Visit) {
        let shown = match visit {
            Visit::Begun(new) => new.id(),
            Visit::Of(session)
                if session.handed_over.is_some()
                    || !session.is_presented_alone
                        && cookie_header::only_value_of(headers, &self.cookie).is_none() =>
            {
                &session.stored.id
            }
            _ => return,
        };
        let value = signed_cookie::write(shown, &self.settings.secrets);
        cookie_header::replace(headers, &self.settings.cookie.name, &value);
    }

    /// Removes what the upstream sets under the session cookie's name, unless it signed somebody
    /// in by a way of its own; then it passes, and `true` says that it is the answer's cookie.
    pub async fn filter_set_cookie(
        &self,
        headers: &mut HeaderMap,
        visit: &Visit,
        audience: impl FnOnce(&HeaderMap) -> Audience,
        now: DateTime<Utc>,
    ) -> bool {
        let name = self.settings.cookie.name.as_bytes();
        let is_ours = |value: &HeaderValue| value_under(name, value).is_some();
        if !headers.get_all(SET_COOKIE).iter().any(is_ours) {
            return false;
        }
        let audience = audience(headers);
        let all: Vec<HeaderValue> = headers.get_all(SET_COOKIE).iter().cloned().collect();
        headers.remove(SET_COOKIE);
        let mut passes = false;
        for header in all {
            if let Some(value) = value_under(name, &header) {
                if audience == Audience::Anybody
                    || !in_request_span(self.signs_in(value, visit, now)).await
                {
                    continue;
                }
                passes = true;
            }
            headers.append(SET_COOKIE, header);
        }
        passes
    }

    /// Whether a cookie's value names a live session of somebody, other than the visit's.
    ///
    /// Express-session sends the head of an answer, and all of its body but a byte, before it
    /// writes the row (1.19, `res.end`): the row is waited for, for a second at most.
    async fn signs_in(&self, value: &[u8], visit: &Visit, now: DateTime<Utc>) -> bool {
        let claim = Claim::read(value);
        let Some(id) = claim.and_then(|claim| claim.verify(&self.settings.secrets)) else {
            return false;
        };
        if visit.session().is_some_and(|session| session.stored.id == id) {
            return false;
        }
        let mut pause = Duration::from_millis(4);
        loop {
            match self.resolve(from_ref(&id), now).await {
                Ok(None) if pause < Duration::from_millis(600) => {
                    sleep(pause).await;
                    pause *= 2;
                }
                Ok(Some(session)) => return session.identity().is_some(),
                Ok(None) | Err(_) => return false,
            }
        }
    }
}

fn value_under<'a>(name: &[u8], set_cookie: &'a HeaderValue) -> Option<&'a [u8]> {
    let pair = set_cookie.as_bytes().split(|byte| *byte == b';').next()?;
    let mut parts = pair.splitn(2, |byte| *byte == b'=');
    let (key, value) = (parts.next()?, parts.next()?);
    (key.trim_ascii() == name).then(|| value.trim_ascii())
}
