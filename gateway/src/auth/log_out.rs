//! `POST /api/auth/logout`.

use std::error::Error;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Response};
use http_body::Body;
use http_body_util::Full;
use tracing::info;

use super::answer::{AuthStatuses, Granted};
use super::refusal::Refusal;
use super::{Auth, AuthSettings, SiteData, Visit, body};
use crate::session::Session;

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

impl Auth {
    /// Ends every session that the browser presents, also those that counted for nobody.
    pub(super) async fn log_out<B>(
        &self,
        head: &Parts,
        body: &mut B,
        session: Option<&Session>,
        visit: Visit,
    ) -> Result<Response<Full<Bytes>>, Refusal>
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let AuthSettings { statuses, site_data, .. } = *self.settings;
        let set_cookie = match statuses {
            AuthStatuses::Standard => self.sessions.forget_cookie(session, visit.scheme.as_ref()),
            AuthStatuses::Express => {
                body::read(statuses, &head.headers, body).await?; // Refuses what it cannot read.
                None
            }
        };
        self.sessions.end(&visit.presented).await?;
        let user = session.and_then(Session::identity).map(|identity| identity.id.as_value());
        for id in &visit.presented {
            info!(user.id = user, session = %self.sessions.log_hash(id), "signed out");
        }
        let mut response = statuses.granted(Granted { message: "Logged out", set_cookie });
        if site_data == SiteData::Clear {
            let what = HeaderValue::from_static("\"cookies\", \"storage\"");
            response.headers_mut().insert(CLEAR_SITE_DATA, what);
        }
        Ok(response)
    }
}
