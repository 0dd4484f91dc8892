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
        let AuthSettings { statuses, policy, .. } = *self.settings;
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
            let insert =
                this.accounts.insert(&transaction, &email, &hash, name.as_deref(), visit.now);
            let account = insert.await?;
            this.sign_in(transaction, &account, &visit).await
        };
        let set_cookie = self.database.run(Box::pin(registering)).await?;
        Ok(statuses.granted(Granted { message: "Logged in", set_cookie }))
    }
}
