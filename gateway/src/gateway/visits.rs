//! The session of a request: found, and written down afterwards.

use std::net::IpAddr;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::Response;
use http::header::{self, HeaderMap};
use http::request::Parts;
use http_body_util::Full;

use super::{Caller, Gateway, Services};
use crate::auth::action::Action;
use crate::auth::{Afterwards, AuthRequest};
use crate::database::DatabaseError;
use crate::error::RequestError;
use crate::ops::access_log::AccessLog;
use crate::ops::metrics::labels::Lookup;
use crate::proxy::request_body::RequestBody;
use crate::proxy::response::is_publicly_cacheable;
use crate::session::Session;
use crate::session::settle::{Audience, Visit};

impl Gateway {
    pub(super) async fn authenticate(
        &self,
        action: Action,
        head: &Parts,
        body: RequestBody,
        caller: &Caller,
        log: &mut AccessLog,
    ) -> Result<Response<Full<Bytes>>, RequestError> {
        let Services { auth, clock, .. } = &self.services;
        let visit = match action {
            // Where it cannot be found it cannot be ended: waiting for the database once is enough.
            Action::Logout => self.visit_of(head, caller.client, log).await?,
            Action::Login | Action::Register => Visit::Apart,
        };
        let Caller { client: address, counted: client, ref origin } = *caller;
        let session = visit.session();
        let request = AuthRequest { action, head, address, client, origin, session };
        let answer = auth.answer(request, body, clock.now()).await;
        self.metrics.signed_in(action.into(), answer.result);
        let mut response = answer.response;
        if answer.afterwards == Afterwards::AsAnyVisit
            && let Ok(visit) = self.visit_of(head, caller.client, log).await
        {
            self.settle(response.headers_mut(), &visit, caller, clock.now()).await;
        }
        Ok(response)
    }

    /// Finds the live session that a request presents, without a look-up where it presents none.
    pub(super) async fn visit_of(
        &self,
        head: &Parts,
        client: IpAddr,
        log: &mut AccessLog,
    ) -> Result<Visit, RequestError> {
        let Services { sessions, clock, .. } = &self.services;
        let (headers, path, now) = (&head.headers, head.uri.path(), clock.now());
        let visit = match sessions.cached(headers, path, now) {
            Some(visit) => Ok(visit),
            None => Box::pin(sessions.visit(headers, client, path, now)).await,
        };
        self.metrics.looked_up(match &visit {
            Ok(visit) if visit.session().is_some() => Lookup::Live,
            Ok(_) => Lookup::Nothing,
            Err(_) => Lookup::Failed,
        });
        let visit = visit.map_err(request_error)?;
        if let Some(identity) = visit.session().and_then(Session::identity) {
            log.set_user(&identity.id);
        }
        Ok(visit)
    }

    /// Notes that somebody asked for an asset, where that counts as a visit.
    pub(super) async fn visit_asset(&self, head: &Parts) {
        let Services { sessions, clock, .. } = &self.services;
        if sessions.count_assets() {
            Box::pin(sessions.visit_asset(&head.headers, head.uri.path(), clock.now())).await;
        }
    }

    /// Writes down what a visit does to its row, and adds the session's cookie where it is due.
    pub(super) async fn settle(
        &self,
        headers: &mut HeaderMap,
        visit: &Visit,
        caller: &Caller,
        now: DateTime<Utc>,
    ) {
        let scheme = caller.origin.known_scheme();
        let audience = || audience_of(headers);
        let settling = self.services.sessions.settle(visit, scheme, audience, now);
        if let Some(cookie) = settling.await {
            headers.append(header::SET_COOKIE, cookie);
        }
    }
}

/// A refused statement will be refused again: nobody is asked to come back in a moment.
fn request_error(error: DatabaseError) -> RequestError {
    match error {
        DatabaseError::Unavailable(_) => RequestError::SessionsUnavailable(error.into()),
        DatabaseError::Refused { .. } => RequestError::SessionsUnreadable(error.into()),
    }
}

/// Who may get the answer.
pub(super) fn audience_of(response: &HeaderMap) -> Audience {
    if is_publicly_cacheable(response) { Audience::Anybody } else { Audience::Visitor }
}
