//! Register, log in, log out, and who am I.

pub mod action;
pub mod answer;
mod body;
mod buckets;
pub mod by_hand;
mod content_type;
mod counts;
pub mod credentials;
mod encoding;
mod express_answer;
mod express_credentials;
mod hash;
pub(crate) mod hash_kind;
mod in_flight;
mod json;
mod log_in;
mod log_out;
mod moments;
pub mod origin;
pub mod passwords;
mod refusal;
mod register;
mod rehash;
mod rules;
pub mod throttle;
pub mod who_am_i;

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::request::Parts;
use http::uri::Scheme;
use http::{HeaderValue, Response};
use http_body::Body;
use http_body_util::Full;
use sea_orm::DatabaseTransaction;
use tracing::{error, info, warn};

use crate::accounts::Accounts;
use crate::accounts::account::Account;
use crate::database::{self, Database};
use crate::downstream::client_network::ClientNetwork;
use crate::downstream::origin::Origin;
use crate::ops::metrics::labels::AuthResult;
use crate::session::id::SessionId;
use crate::session::sign_ins::{Browser, SignIn};
use crate::session::{Session, Sessions};
use action::{Action, AuthPaths};
use answer::AuthStatuses;
use credentials::PasswordPolicy;
use passwords::Passwords;
use refusal::Refusal;
use throttle::{Throttle, ThrottleSettings};

/// Answers the routes that begin and end sessions.
#[derive(Debug, Clone)]
pub struct Auth {
    database: Database,
    accounts: Accounts,
    sessions: Sessions,
    passwords: Passwords,
    throttle: Throttle,
    settings: Arc<AuthSettings>,
}

/// How the routes read and answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthSettings {
    /// `--auth-path`
    pub paths: AuthPaths,
    /// `--auth-statuses`
    pub statuses: AuthStatuses,
    /// `--password-policy`
    pub policy: PasswordPolicy,
    /// `--rehash-cost`: the logarithm of the rounds; `None` leaves every hash as it is.
    pub rehash_cost: Option<u32>,
    /// `--sign-in-attempts`; `None` is `off`.
    pub throttle: Option<ThrottleSettings>,
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

/// What a sign-in must know of its request.
#[derive(Debug)]
struct Visit {
    action: Action,
    presented: Vec<SessionId>,
    /// Other requests with a presented id wait while this lives.
    sign_in: SignIn,
    browser: Browser,
    client: Option<ClientNetwork>,
    scheme: Option<Scheme>,
    now: DateTime<Utc>,
}

/// A request to one of the routes, its body apart.
#[derive(Debug)]
pub struct AuthRequest<'a> {
    /// What it asks for.
    pub action: Action,
    /// Its head.
    pub head: &'a Parts,
    /// The client's address.
    pub address: IpAddr,
    /// Whom it counts as; `None` where many people may be behind it.
    pub client: Option<ClientNetwork>,
    /// What the browser calls the site: the new cookie is `Secure` where that is known to be
    /// `https`.
    pub origin: &'a Origin,
    /// The session that a logout ends.
    pub session: Option<&'a Session>,
}

/// An answer, and what becomes of the request's session.
#[derive(Debug)]
pub struct AuthAnswer {
    /// For the browser.
    pub response: Response<Full<Bytes>>,
    /// Whether the request counts as a visit.
    pub afterwards: Afterwards,
    /// What it is counted as.
    pub result: AuthResult,
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
        let throttle = Throttle::new(settings.throttle);
        let settings = Arc::new(settings);
        Self { database, accounts, sessions, passwords, throttle, settings }
    }

    /// Where the routes are.
    pub fn paths(&self) -> &AuthPaths {
        &self.settings.paths
    }

    /// Does what the route says and answers the browser; every failure is an answer, too.
    ///
    /// What is begun once the body has arrived is finished, though the client may have gone: a
    /// browser that navigates away has its account all the same.
    pub async fn answer<B>(
        &self,
        request: AuthRequest<'_>,
        mut body: B,
        now: DateTime<Utc>,
    ) -> AuthAnswer
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let AuthRequest { action, head, address, client, origin: own, session } = request;
        let presented = self.sessions.presented(&head.headers);
        let sign_in = self.sessions.sign_in(&presented);
        let browser = Browser::of(&head.headers, address);
        let scheme = own.known_scheme().cloned();
        let visit = Visit { action, presented, sign_in, browser, client, scheme, now };
        let outcome = if origin::is_own(&head.headers, own) {
            match action {
                Action::Login => self.log_in(head, &mut body, visit).await,
                Action::Register => self.register(head, &mut body, visit).await,
                Action::Logout => self.log_out(head, &mut body, session, visit).await,
            }
        } else {
            Err(Refusal::CrossSite)
        };
        match outcome {
            Ok(response) => {
                let (afterwards, result) = (Afterwards::Decided, AuthResult::Done);
                AuthAnswer { response, afterwards, result }
            }
            Err(refusal) => {
                report(action, &refusal);
                let response = self.settings.statuses.refused(action, &refusal);
                let (afterwards, result) = (refusal.afterwards(), (&refusal).into());
                AuthAnswer { response, afterwards, result }
            }
        }
    }

    /// Commits, and only then gives the cookie away.
    async fn sign_in(
        &self,
        transaction: DatabaseTransaction,
        account: &Account,
        visit: &Visit,
    ) -> Result<Option<HeaderValue>, Refusal> {
        let Visit { action, presented, sign_in, browser, scheme, now, .. } = visit;
        let writing = self.sessions.writing(presented);
        let begun =
            self.sessions.begin(&transaction, account, presented, scheme.as_ref(), *now).await?;
        transaction.commit().await?;
        drop(writing);
        let Some(begun) = begun else {
            let id = account.id.as_value();
            warn!(user.id = id, "no session: --cookie-secure always, and this is not TLS");
            return Ok(None);
        };
        sign_in.hand_over(&begun.id, browser, *now);
        let session = self.sessions.log_hash(&begun.id);
        info!(?action, user.id = account.id.as_value(), %session, "signed in");
        Ok(Some(begun.set_cookie))
    }
}

fn report(action: Action, refusal: &Refusal) {
    match refusal {
        Refusal::Database(cause) => {
            error!(?action, cause = database::cause(cause), "{refusal}");
        }
        Refusal::Unfilled(_) => error!(?action, "{refusal}"),
        _ => info!(?action, cause = %refusal, "sign-in request refused"),
    }
}
