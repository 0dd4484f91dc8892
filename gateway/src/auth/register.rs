//! `POST /api/auth/register`.

use std::error::Error;

use bytes::Bytes;
use http::Response;
use http::request::Parts;
use http_body::Body;
use http_body_util::Full;

use super::answer::{AuthStatuses, Granted};
use super::credentials::Registration;
use super::refusal::Refusal;
use super::{Auth, AuthSettings, Visit, body, express_credentials};
use crate::accounts::insert::NewAccount;
use crate::database::locks::past_locks;

impl Auth {
    pub(super) async fn register<B>(
        &self,
        head: &Parts,
        body: &mut B,
        visit: Visit,
    ) -> Result<Response<Full<Bytes>>, Refusal>
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let AuthSettings { statuses, policy, rehash_cost, .. } = *self.settings;
        let fields = body::read(statuses, &head.headers, body).await?;
        let registration = match statuses {
            AuthStatuses::Standard => Registration::of(policy, &fields)?,
            AuthStatuses::Express => express_credentials::registration(policy, &fields)?,
        };
        self.throttle.register(visit.client)?;
        let this = self.clone();
        let registering = async move {
            let Registration { email, password, name } = registration;
            let hash = this.passwords.turn().await?.hash(password, rehash_cost).await?;
            let new = NewAccount { email: &email, password_hash: &hash, name: name.as_deref() };
            let beginning = async || {
                let transaction = this.database.begin_write().await?;
                let account = this.accounts.insert(&transaction, new, visit.now).await?;
                this.sign_in(transaction, &account, &visit).await
            };
            let set_cookie = past_locks(beginning).await?;
            this.throttle.remember(&email, visit.client);
            Ok::<_, Refusal>(set_cookie)
        };
        let set_cookie = self.database.run(Box::pin(registering)).await?;
        Ok(statuses.granted(Granted { message: "Logged in", set_cookie }))
    }
}
