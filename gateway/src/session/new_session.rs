//! A guest's session that begins with a visit.

use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use http::HeaderValue;
use http::uri::Scheme;
use tracing::{Instrument, Span, warn};

use super::attributes::CookieAttributes;
use super::id::SessionId;
use super::policy::AnonymousSessions;
use super::settle::Visit;
use super::{Sessions, new_record, signed_cookie};
use crate::database;
use crate::ops::request_span::in_request_span;

/// A row that is committed; it goes again unless its cookie is given to the browser, for nobody
/// could ever use it then.
#[derive(Debug)]
pub struct NewSession {
    sessions: Sessions,
    id: SessionId,
    set_cookie: HeaderValue,
    is_given: AtomicBool,
    /// Of the request that it begins with.
    span: Span,
}

impl NewSession {
    pub(super) fn id(&self) -> &SessionId {
        &self.id
    }

    /// The header for the browser.
    pub(super) fn give(&self) -> HeaderValue {
        self.is_given.store(true, Ordering::Relaxed);
        self.set_cookie.clone()
    }
}

impl Drop for NewSession {
    fn drop(&mut self) {
        if self.is_given.load(Ordering::Relaxed) {
            return;
        }
        let (sessions, id) = (self.sessions.clone(), self.id.clone());
        let ending = async move {
            if let Err(error) = sessions.end(&[id]).await {
                let cause = database::cause(&error);
                warn!(cause, "a guest's session that nobody has the cookie of stays until its end");
            }
        };
        self.sessions.database.start(ending.instrument(self.span.clone()));
    }
}

impl Sessions {
    /// Begins a guest's session where guests have some and the visit has none, before the upstream
    /// is asked, so that it sees the cookie too.
    ///
    /// Where the row cannot be written the visit is apart: one wait for the database is enough.
    pub async fn begin_for_guest(
        &self,
        visit: Visit,
        scheme: Option<&Scheme>,
        now: DateTime<Utc>,
    ) -> Visit {
        let has_one = !matches!(visit, Visit::Fresh);
        if has_one || self.settings.policy.anonymous == AnonymousSessions::Off {
            return visit;
        }
        let attributes = self.settings.cookie.attributes(scheme);
        if attributes.are_withheld(scheme) {
            return visit;
        }
        in_request_span(Box::pin(self.insert_for_guest(&attributes, now)))
            .await
            .map_or(Visit::Apart, |new| Visit::Begun(Box::new(new)))
    }

    /// A guest's row and cookie; none where the row cannot be written.
    pub(super) async fn insert_for_guest(
        &self,
        attributes: &CookieAttributes,
        now: DateTime<Utc>,
    ) -> Option<NewSession> {
        let life = self.settings.lifetime.begin(now)?;
        let data = new_record::write(None, attributes, life).ok()?;
        let id = SessionId::generate().ok()?;
        let value = signed_cookie::write(&id, &self.settings.secrets);
        let name = &self.settings.cookie.name;
        let set_cookie = attributes.set_cookie(name, &value, life.cookie_expires())?;
        let (this, named) = (self.clone(), id.clone());
        let inserting = async move {
            this.table
                .insert(this.database.connection(), &named, &data, life.row_expires, now)
                .await
        };
        match self.database.run(inserting).await {
            Ok(()) => {
                let (sessions, is_given) = (self.clone(), AtomicBool::new(false));
                Some(NewSession { sessions, id, set_cookie, is_given, span: Span::current() })
            }
            Err(error) => {
                let cause = database::cause(&error);
                warn!(cause, "cannot write a guest's session; the visit goes on without");
                None
            }
        }
    }
}
