//! Finding the session of a request: kept, else in the database.

use std::net::IpAddr;
use std::slice::from_ref;
use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::HeaderMap;

use super::cache::Presented;
use super::id::SessionId;
use super::settle::Visit;
use super::sign_ins::Browser;
use super::stored::StoredSession;
use super::{Session, Sessions, cookie_header, resolve};
use crate::database::DatabaseError;
use crate::ops::request_span::in_request_span;

impl Sessions {
    /// The session that presented ids mean, as it is in the database now, if there is one; asks
    /// nothing when none are presented.
    ///
    /// An error means that it could not be told, which is not the same as a guest.
    pub async fn resolve(
        &self,
        presented: &[SessionId],
        now: DateTime<Utc>,
    ) -> Result<Option<Session>, DatabaseError> {
        if presented.is_empty() {
            return Ok(None);
        }
        let stored = self.read(presented.to_vec(), now).await?;
        Ok(stored.map(Arc::new).map(Session::of))
    }

    fn read(
        &self,
        presented: Vec<SessionId>,
        now: DateTime<Utc>,
    ) -> BoxFuture<'static, Result<Option<StoredSession>, DatabaseError>> {
        let this = self.clone();
        let reading = async move {
            let connection = this.database.connection();
            let rows = this.table.find(connection, &presented).await?;
            resolve::resolve(connection, &presented, rows, &this, now).await
        };
        let database = self.database.clone();
        async move { database.run(reading).await }.boxed()
    }

    /// As [`Self::resolve`], together with others who ask the same at the same time, and kept for
    /// those who ask later where `headers` present the one id alone.
    async fn find(
        &self,
        headers: &HeaderMap,
        presented: &[SessionId],
        now: DateTime<Utc>,
    ) -> Result<Option<Session>, DatabaseError> {
        let (Some(cache), [id]) = (&self.cache, presented) else {
            return self.resolve(presented, now).await;
        };
        let value = cookie_header::only_value_of(headers, &self.cookie);
        let presented = Presented { id, value, now, at: Instant::now() };
        let loading = cache.load(presented, self.read(vec![id.clone()], now));
        Ok(loading.await?.map(Session::of))
    }

    /// The place of a request that presents one cookie, whose session was read lately; else `None`,
    /// and [`Self::visit`] finds out. Asks nobody, waits for nobody and allocates nothing.
    pub fn cached(&self, headers: &HeaderMap, path: &str, now: DateTime<Utc>) -> Option<Visit> {
        let cache = self.cache.as_ref()?;
        let value = cookie_header::only_value_of(headers, &self.cookie)?;
        let stored = cache.find(value, now, Instant::now())?;
        let is_plain = self.settings.cookie.covers(path) && self.sign_ins.is_settled(&stored.id);
        is_plain.then(|| Visit::Of(Session { is_presented_alone: true, ..Session::of(stored) }))
    }

    /// A request's place among sessions, by its cookie, the client's address and the path that it
    /// asks for.
    ///
    /// Waits, for two seconds at most, for a sign-in under way that the same cookie was presented
    /// to.
    pub async fn visit(
        &self,
        headers: &HeaderMap,
        address: IpAddr,
        path: &str,
        now: DateTime<Utc>,
    ) -> Result<Visit, DatabaseError> {
        if !self.settings.cookie.covers(path) {
            return Ok(Visit::Apart);
        }
        let presented = self.presented(headers);
        if presented.is_empty() {
            return Ok(Visit::Fresh);
        }
        in_request_span(self.find_or_take(headers, address, &presented, now)).await
    }

    async fn find_or_take(
        &self,
        headers: &HeaderMap,
        address: IpAddr,
        presented: &[SessionId],
        now: DateTime<Utc>,
    ) -> Result<Visit, DatabaseError> {
        self.sign_ins.settled(presented).await;
        let mut session = self.find(headers, presented, now).await?;
        let browser = || Browser::of(headers, address);
        if session.is_none()
            && let Some(handed_over) = self.sign_ins.take(presented, browser, now)
        {
            session = self.resolve(from_ref(&handed_over.to), now).await?;
            if let Some(session) = &mut session {
                session.handed_over = Some(Arc::new(handed_over));
            }
        }
        Ok(session.map_or(Visit::Fresh, Visit::Of))
    }
}
