//! Register, log in, log out, and who am I.

pub mod action;
pub mod answer;
mod body;
pub mod credentials;
mod encoding;
mod express_answer;
mod express_credentials;
pub(crate) mod origin;
pub mod passwords;
mod refusal;

use std::error::Error;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::request::Parts;
use http::uri::Scheme;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body::Body;
use http_body_util::Full;
use sea_orm::DatabaseTransaction;
use serde::Serialize;
use tracing::{error, info, warn};

use crate::accounts::{Account, Accounts};
use crate::database::{self, Database};
use crate::session::id::SessionId;
use crate::session::{Session, Sessions};
use action::Action;
use answer::{AuthStatuses, Granted};
use credentials::{Login, Password, PasswordPolicy, Registration};
use passwords::Passwords;
use refusal::{Fault, Refusal};

/// Answers the routes that begin and end sessions.
#[derive(Debug, Clone)]
pub struct Auth {
    database: Database,
    accounts: Accounts,
    sessions: Sessions,
    passwords: Passwords,
    settings: AuthSettings,
}

/// How the routes read and answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuthSettings {
    /// `--auth-statuses`
    pub statuses: AuthStatuses,
    /// `--password-policy`
    pub policy: PasswordPolicy,
    /// `--clear-site-data`
    pub site_data: SiteData,
}

/// What a logout does with what the browser stores for the site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SiteData {
    /// Nothing.
    Keep,
    /// Cookies and storage are cleared; not the cache, over which Chromium stalls for seconds.
    Clear,
}

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// What a sign-in must know of its request.
#[derive(Debug, Clone)]
struct Visit {
    action: Action,
    presented: Vec<SessionId>,
    scheme: Option<Scheme>,
    now: DateTime<Utc>,
}

/// An answer, and what becomes of the request's session.
#[derive(Debug)]
pub struct AuthAnswer {
    /// For the browser.
    pub response: Response<Full<Bytes>>,
    /// Whether the request counts as a visit.
    pub afterwards: Afterwards,
}

/// What becomes of the session of a request that was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Afterwards {
    /// Everything was decided: begun, ended, or refused before sessions come into it.
    Decided,
    /// The same as after any other visit.
    AsAnyVisit,
}

impl Auth {
    /// Accounts in `database`, whose tables must be up to date.
    pub fn new(
        database: Database,
        accounts: Accounts,
        sessions: Sessions,
        passwords: Passwords,
        settings: AuthSettings,
    ) -> Self {
        Self { database, accounts, sessions, passwords, settings }
    }

    /// Does what `action` says and answers the browser; every failure is an answer, too.
    ///
    /// `scheme` is how the browser came, where that is known: the new cookie is `Secure` over
    /// `https` only. What is begun once the body has arrived is finished, though the client may
    /// have gone: a browser that navigates away has its account all the same.
    pub async fn answer<B>(
        &self,
        action: Action,
        head: &Parts,
        body: B,
        scheme: Option<&Scheme>,
        session: Option<&Session>,
        now: DateTime<Utc>,
    ) -> AuthAnswer
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let presented = self.sessions.presented(&head.headers);
        let visit = Visit { action, presented, scheme: scheme.cloned(), now };
        let outcome = if origin::is_own(head, scheme) {
            match action {
                Action::Login => self.log_in(head, body, visit).await,
                Action::Register => self.register(head, body, visit).await,
                Action::Logout => self.log_out(head, body, session, visit).await,
            }
        } else {
            Err(Refusal::CrossSite)
        };
        match outcome {
            Ok(response) => AuthAnswer { response, afterwards: Afterwards::Decided },
            Err(refusal) => {
                report(action, &refusal);
                let response = self.settings.statuses.refused(action, &refusal);
                AuthAnswer { response, afterwards: refusal.afterwards() }
            }
        }
    }

    async fn log_in<B>(
        &self,
        head: &Parts,
        body: B,
        visit: Visit,
    ) -> Result<Response<Full<Bytes>>, Refusal>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let AuthSettings { statuses, .. } = self.settings;
        let fields = body::read(statuses, &head.headers, body).await?;
        let login = match statuses {
            AuthStatuses::Standard => Login::of(&fields)?,
            AuthStatuses::Express => express_credentials::login(&fields)?,
        };
        let this = self.clone();
        let signing_in = async move {
            let turn = this.passwords.turn().await?;
            let connection = this.database.connection();
            let account = this.accounts.find_for_login(connection, &login.email).await?;
            let hash = account.as_ref().and_then(|account| account.password_hash.clone());
            let is_text = login.password.is_some();
            let password = login.password.unwrap_or_else(|| Password(String::new()));
            // Always verified, known account or not.
            let matches = turn.verify(password, hash).await?;
            let account = account.ok_or(Refusal::NoAccount)?;
            if !is_text {
                return Err(Refusal::Invalid(Fault::NotText));
            }
            if !matches {
                return Err(Refusal::NoMatch);
            }
            let transaction = this.database.begin_write().await?;
            this.sign_in(transaction, &account, &visit).await
        };
        let set_cookie = self.database.run(Box::pin(signing_in)).await?;
        Ok(statuses.granted(Granted { message: "Logged in", set_cookie }))
    }

    async fn register<B>(
        &self,
        head: &Parts,
        body: B,
        visit: Visit,
    ) -> Result<Response<Full<Bytes>>, Refusal>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let AuthSettings { statuses, policy, .. } = self.settings;
        let fields = body::read(statuses, &head.headers, body).await?;
        let registration = match statuses {
            AuthStatuses::Standard => Registration::of(policy, &fields)?,
            AuthStatuses::Express => express_credentials::registration(policy, &fields)?,
        };
        let this = self.clone();
        let registering = async move {
            let Registration { email, password, name } = registration;
            let hash = this.passwords.turn().await?.hash(password).await?;
            let transaction = this.database.begin_write().await?;
            let insert = this.accounts.insert(&transaction, &email, &hash, name.as_deref());
            let account = insert.await?;
            this.sign_in(transaction, &account, &visit).await
        };
        let set_cookie = self.database.run(Box::pin(registering)).await?;
        Ok(statuses.granted(Granted { message: "Logged in", set_cookie }))
    }

    /// Commits, and only then gives the cookie away.
    async fn sign_in(
        &self,
        transaction: DatabaseTransaction,
        account: &Account,
        visit: &Visit,
    ) -> Result<Option<HeaderValue>, Refusal> {
        let Visit { action, presented, scheme, now } = visit;
        let begun = self
            .sessions
            .begin(&transaction, &account.email, presented, scheme.as_ref(), *now)
            .await?;
        transaction.commit().await?;
        let Some(begun) = begun else {
            warn!(user.id = account.id, "no session: --cookie-secure always, and this is not TLS");
            return Ok(None);
        };
        let session = self.sessions.log_hash(&begun.id);
        info!(?action, user.id = account.id, %session, "signed in");
        Ok(Some(begun.set_cookie))
    }

    /// Ends every session that the browser presents, also those that counted for nobody.
    async fn log_out<B>(
        &self,
        head: &Parts,
        body: B,
        session: Option<&Session>,
        visit: Visit,
    ) -> Result<Response<Full<Bytes>>, Refusal>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let AuthSettings { statuses, site_data, .. } = self.settings;
        let set_cookie = match statuses {
            AuthStatuses::Standard => self.sessions.forget_cookie(session, visit.scheme.as_ref()),
            AuthStatuses::Express => {
                body::read(statuses, &head.headers, body).await?; // Refuses what it cannot read.
                None
            }
        };
        self.sessions.end(&visit.presented).await?;
        let user = session.and_then(Session::identity).map(|identity| identity.id);
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

/// Answers `GET /.nextbnb/session`: the person behind the session, or `null`.
pub fn who_am_i(session: Option<&Session>) -> Response<Full<Bytes>> {
    #[derive(Serialize)]
    struct Answer<'a> {
        user: Option<User<'a>>,
    }
    #[derive(Serialize)]
    struct User<'a> {
        id: i32,
        email: &'a str,
        name: Option<&'a str>,
    }
    let identity = session.and_then(Session::identity);
    let user = identity.map(|identity| User {
        id: identity.id,
        email: &identity.email,
        name: identity.name.as_deref(),
    });
    answer::respond(StatusCode::OK, &Answer { user })
}

fn report(action: Action, refusal: &Refusal) {
    if let Refusal::Database(cause) = refusal {
        error!(?action, cause = database::cause(cause), "{refusal}");
    } else {
        info!(?action, cause = %refusal, "sign-in request refused");
    }
}
