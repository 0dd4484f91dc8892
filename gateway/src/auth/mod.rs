//! Register, log in, log out, and who am I.

pub mod action;
mod answer;
mod body;
mod credentials;
pub(crate) mod origin;
pub mod passwords;

use std::error::Error;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::request::Parts;
use http::uri::Scheme;
use http::{HeaderValue, Response, StatusCode};
use http_body::Body;
use http_body_util::Full;
use sea_orm::DatabaseTransaction;
use serde::Serialize;
use tracing::{error, info, warn};

use crate::accounts::{self, Account, InsertError};
use crate::database::{self, Database};
use crate::session::id::SessionId;
use crate::session::{Session, Sessions};
use action::Action;
use answer::Refusal;
use credentials::{Login, Registration};
use passwords::Passwords;

/// Answers the routes that begin and end sessions.
#[derive(Debug, Clone)]
pub struct Auth {
    database: Database,
    sessions: Sessions,
    passwords: Passwords,
}

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
    pub fn new(database: Database, sessions: Sessions, passwords: Passwords) -> Self {
        Self { database, sessions, passwords }
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
                Action::Logout => self.log_out(session, visit).await,
            }
        } else {
            Err(Refusal::CrossSite)
        };
        match outcome {
            Ok(response) => AuthAnswer { response, afterwards: Afterwards::Decided },
            Err(refusal) => {
                report(action, &refusal);
                AuthAnswer { response: refusal.response(), afterwards: refusal.afterwards() }
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
        let login = Login::of(&body::read(&head.headers, body).await?)?;
        let this = self.clone();
        let signing_in = async move {
            let connection = this.database.connection();
            let account = accounts::find_for_login(connection, &login.email).await?;
            let hash = account.as_ref().map(|account| account.password_hash.clone());
            // Always verified, known account or not.
            let matches = this.passwords.verify(login.password, hash).await?;
            let account = account.filter(|_| matches).ok_or(Refusal::NoMatch)?;
            let transaction = this.database.begin_write().await?;
            this.sign_in(transaction, &account, &visit).await
        };
        let set_cookie = self.database.run(signing_in).await?;
        Ok(answer::success("Logged in", set_cookie))
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
        let registration = Registration::of(&body::read(&head.headers, body).await?)?;
        let this = self.clone();
        let registering = async move {
            let Registration { email, password, name } = registration;
            let hash = this.passwords.hash(password).await?;
            let transaction = this.database.begin_write().await?;
            let account = accounts::insert(&transaction, &email, &hash, name.as_deref()).await?;
            this.sign_in(transaction, &account, &visit).await
        };
        let set_cookie = self.database.run(registering).await?;
        Ok(answer::success("Logged in", set_cookie))
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
    async fn log_out(
        &self,
        session: Option<&Session>,
        visit: Visit,
    ) -> Result<Response<Full<Bytes>>, Refusal> {
        self.sessions.end(&visit.presented).await?;
        let user = session.and_then(Session::identity).map(|identity| identity.id);
        for id in &visit.presented {
            info!(user.id = user, session = %self.sessions.log_hash(id), "signed out");
        }
        let forgotten = self.sessions.forget_cookie(session, visit.scheme.as_ref());
        Ok(answer::success("Logged out", forgotten))
    }
}

impl From<InsertError> for Refusal {
    fn from(error: InsertError) -> Self {
        match error {
            InsertError::Taken => Self::Taken,
            InsertError::Database(error) => Self::Database(error),
        }
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
