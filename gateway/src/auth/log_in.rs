//! `POST /api/auth/login`.

use std::error::Error;

use bytes::Bytes;
use http::Response;
use http::request::Parts;
use http_body::Body;
use http_body_util::Full;
use tracing::warn;

use super::answer::{AuthStatuses, Granted};
use super::credentials::{Login, Password};
use super::hash_kind::HashKind;
use super::refusal::{Fault, Refusal};
use super::{Auth, AuthSettings, Visit, body, express_credentials};
use crate::accounts::account::Account;
use crate::database::locks::past_locks;

impl Auth {
    pub(super) async fn log_in<B>(
        &self,
        head: &Parts,
        body: &mut B,
        visit: Visit,
    ) -> Result<Response<Full<Bytes>>, Refusal>
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let AuthSettings { statuses, .. } = *self.settings;
        let fields = body::read(statuses, &head.headers, body).await?;
        let login = match statuses {
            AuthStatuses::Standard => Login::of(&fields)?,
            AuthStatuses::Express => express_credentials::login(&fields)?,
        };
        let attempt = self.throttle.sign_in(&login.email, visit.client)?;
        let this = self.clone();
        let signing_in = async move {
            let verified = this.verify(login).await;
            attempt.settle(verified.as_ref().err());
            let (account, password) = verified?;
            let beginning = async || {
                let transaction = this.database.begin_write().await?;
                this.sign_in(transaction, &account, &visit).await
            };
            let set_cookie = past_locks(beginning).await?;
            this.rehash(&account, password);
            Ok::<_, Refusal>(set_cookie)
        };
        let set_cookie = self.database.run(Box::pin(signing_in)).await?;
        Ok(statuses.granted(Granted { message: "Logged in", set_cookie }))
    }

    /// The account whose password this is, once it is the hashing's turn.
    async fn verify(&self, login: Login) -> Result<(Account, Password), Refusal> {
        let turn = self.passwords.turn().await?;
        let connection = self.database.connection();
        let account = self.accounts.find_for_login(connection, &login.email).await?;
        let hash = account.as_ref().and_then(|account| account.password_hash.clone());
        let is_text = login.password.is_some();
        let password = login.password.unwrap_or_else(|| Password(String::new()));
        // Always verified, known account or not.
        let matches = turn.verify(password.clone(), hash).await?;
        let account = account.ok_or(Refusal::NoAccount)?;
        report_unverified(&account);
        if !is_text {
            return Err(Refusal::Invalid(Fault::NotText));
        }
        if matches { Ok((account, password)) } else { Err(Refusal::NoMatch) }
    }
}

/// The visitor learns no more than of a wrong password; the operator, whose passwords cannot work.
fn report_unverified(account: &Account) {
    if let HashKind::Unverified(kind) = HashKind::of(account.password_hash.as_deref()) {
        let id = account.id.as_value();
        warn!(user.id = id, %kind, "the account's password is not verified: it is no bcrypt hash");
    }
}
