//! What a visit leaves behind: a touched, saved or new row, and perhaps a cookie.

use std::slice::from_ref;

use chrono::{DateTime, Utc};
use http::HeaderValue;
use http::uri::Scheme;
use tracing::warn;

use super::decide::{AnswerFacts, Cookie, Facts, Row, RowFacts, UserFacts, decide};
use super::new_session::NewSession;
use super::owner::Owner;
use super::store::touch::Touch;
use super::stored::StoredSession;
use super::{Session, Sessions, signed_cookie};
use crate::database::{self, DatabaseError};
use crate::ops::request_span::in_request_span;

/// A request's place among sessions.
#[derive(Debug)]
pub enum Visit {
    /// Outside: an asset, a path that the cookie does not cover, or a guest whose row cannot be
    /// written.
    Apart,
    /// Without a cookie, or with one that has no live row.
    Fresh,
    /// Of a guest's session that has just begun.
    Begun(Box<NewSession>),
    /// Of a live session.
    Of(Session),
}

impl Visit {
    /// The live session.
    pub fn session(&self) -> Option<&Session> {
        match self {
            Self::Of(session) => Some(session),
            Self::Apart | Self::Fresh | Self::Begun(_) => None,
        }
    }
}

/// Who may keep an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// A shared cache, so that no cookie may be in it.
    Anybody,
    /// The visitor.
    Visitor,
}

impl Sessions {
    /// Writes down what the visit does to its row, and gives the cookie that goes with the answer.
    ///
    /// To be called when the response's head is known, for that tells its `audience`. A row is
    /// committed before its cookie is given away; one that cannot be written disturbs nobody.
    pub async fn settle(
        &self,
        visit: &Visit,
        scheme: Option<&Scheme>,
        audience: Audience,
        now: DateTime<Utc>,
    ) -> Option<HeaderValue> {
        let policy = &self.settings.cookie;
        let (session, attributes) = match visit {
            Visit::Apart => return None,
            Visit::Begun(new) => return (audience == Audience::Visitor).then(|| new.give()),
            Visit::Fresh => (None, policy.attributes(scheme)),
            Visit::Of(session) => {
                (Some(session), policy.tighten(&session.stored.record.attributes, scheme))
            }
        };
        let may_carry = audience == Audience::Visitor && !attributes.are_withheld(scheme);
        let answer = if may_carry { AnswerFacts::MayCarryCookie } else { AnswerFacts::NoCookie };
        let facts = Facts { row: session.map(Session::facts), answer };
        let (row, cookie) = decide(&self.settings.policy, &facts, now);
        let Some(session) = session else {
            return match row {
                Row::Insert => {
                    let inserting = Box::pin(self.insert_for_guest(&attributes, now));
                    in_request_span(inserting).await?.give().into()
                }
                _ => None,
            };
        };
        match row {
            Row::Leave | Row::Insert => {}
            Row::Touch if self.settings.policy.touch.is_every_visit() => {
                in_request_span(Box::pin(self.touch_at_once(session, now))).await;
            }
            Row::Touch => self.note_visit(&session.stored, now),
            Row::Save if in_request_span(Box::pin(self.save(session, now))).await => {}
            Row::Save => return None,
        }
        match cookie {
            Cookie::Keep => None,
            Cookie::Send => {
                let StoredSession { id, record, .. } = &*session.stored;
                let life = self.settings.lifetime.after_visit(record.max_age, now)?;
                let value = signed_cookie::write(id, &self.settings.secrets);
                let expires = life.cookie_expires();
                let set_cookie = attributes.set_cookie(&policy.name, &value, expires)?;
                if let Some(handed_over) = &session.handed_over {
                    handed_over.use_up();
                }
                Some(set_cookie)
            }
        }
    }

    /// Moves the end of a row; a failure is logged, and of no consequence to the answer.
    pub(super) async fn touch_at_once(&self, session: &Session, now: DateTime<Utc>) {
        let StoredSession { id, record, .. } = &*session.stored;
        let Some(life) = self.settings.lifetime.after_visit(record.max_age, now) else { return };
        let (id, updated, expires) = (id.clone(), session.stored.updated(), life.row_expires);
        if let Err(error) = self.touch(vec![Touch { id, updated, expires, now }]).await {
            self.warn_of_unwritten(&session.stored, &error);
        }
    }

    /// Moves the ends of rows, and tells that they were written; where it fails, none is locked any
    /// more that was moved.
    pub(super) async fn touch(&self, touches: Vec<Touch>) -> Result<(), DatabaseError> {
        let ids: Vec<_> = touches.iter().map(|touch| touch.id.clone()).collect();
        let (this, writing) = (self.clone(), self.writing(&ids));
        let touching = async move {
            let _told_when_done = writing;
            if touches.len() == 1 {
                return this.table.touch(this.database.connection(), &touches).await;
            }
            // A server tells of a failure before it gives up the locks, and the next statement, on
            // another connection, passes over what is locked.
            let transaction = this.database.begin_write().await?;
            if let Err(error) = this.table.touch(&transaction, &touches).await {
                transaction.rollback().await?;
                return Err(error);
            }
            Ok(transaction.commit().await?)
        };
        self.database.run(touching).await
    }

    pub(super) fn warn_of_unwritten(&self, session: &StoredSession, error: &DatabaseError) {
        let (session, cause) = (self.log_hash(&session.id), database::cause(error));
        warn!(%session, cause, "cannot note a visit; the session may end early");
    }

    /// Writes a row's text anew; `false` when it is gone, was written by another, or failed.
    async fn save(&self, session: &Session, now: DateTime<Utc>) -> bool {
        let StoredSession { id, record, .. } = &*session.stored;
        let Some(life) = self.settings.lifetime.after_visit(record.max_age, now) else {
            return false;
        };
        let text = match (session.user_facts(), life.cookie_expires()) {
            (UserFacts::AccountGone, expires) => record.signed_out(expires),
            (UserFacts::Sound, Some(expires)) => record.renewed(expires),
            (UserFacts::Sound, None) => None,
        };
        let Some(new) = text else { return false };
        let (this, id, old) = (self.clone(), id.clone(), record.text().to_owned());
        let writing = self.writing(from_ref(&id));
        let saving = async move {
            let _told_when_done = writing;
            let connection = this.database.connection();
            this.table.renew(connection, &id, (&old, &new), life.row_expires, now).await
        };
        self.database.run(saving).await.unwrap_or_else(|error| {
            let (session, cause) = (self.log_hash(&session.stored.id), database::cause(&error));
            warn!(%session, cause, "cannot write a session's row anew");
            false
        })
    }
}

impl Session {
    fn facts(&self) -> RowFacts {
        let (updated, cookie) = (self.stored.last_noted(), self.stored.record.cookie_life());
        let cookie_is_known = self.handed_over.is_none();
        RowFacts { updated, cookie, user: self.user_facts(), cookie_is_known }
    }

    fn user_facts(&self) -> UserFacts {
        match self.stored.owner {
            Owner::Gone => UserFacts::AccountGone,
            Owner::Nobody | Owner::Unread | Owner::Known(_) => UserFacts::Sound,
        }
    }
}
