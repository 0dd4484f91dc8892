//! The gateway's database half over a test database, spoken to as a browser would.

use std::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use http::header::{CONTENT_TYPE, COOKIE};
use http::uri::Scheme;
use http::{HeaderMap, HeaderValue, Request};
use http_body_util::Full;
use nextbnb_gateway::accounts::{Accounts, EmailCase};
use nextbnb_gateway::auth::action::AuthPaths;
use nextbnb_gateway::auth::answer::AuthStatuses;
use nextbnb_gateway::auth::credentials::PasswordPolicy;
use nextbnb_gateway::auth::passwords::Passwords;
use nextbnb_gateway::auth::{Auth, AuthRequest, AuthSettings, SiteData};
use nextbnb_gateway::database::{Database, DatabaseLimits, DatabaseTarget};
use nextbnb_gateway::downstream::origin::Origin;
use nextbnb_gateway::entity::session;
use nextbnb_gateway::session::cache::CacheSettings;
use nextbnb_gateway::session::changes::Changes;
use nextbnb_gateway::session::cookie_policy::CookiePolicy;
use nextbnb_gateway::session::lifetime::Lifetime;
use nextbnb_gateway::session::policy::SessionPolicy;
use nextbnb_gateway::session::secrets::Secrets;
use nextbnb_gateway::session::settle::{Audience, Visit};
use nextbnb_gateway::session::user_key::UserKey;
use nextbnb_gateway::session::{Session, SessionSettings, Sessions};
use nextbnb_migrations::TableNames;
use nextbnb_tests::database::TestDatabase;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::time::{Duration, sleep, timeout};

use crate::answer::Answer;

/// The secret of the measured Express server.
pub(crate) const SECRET: &str = "343ji43j4n3jn4jk3n";

/// A sid of that server, and the cookie it gave out for it.
pub(crate) const EXPRESS_SID: &str = "FOuIfejAGTNED3azkkvFfsMTsFEtHapb";
pub(crate) const EXPRESS_COOKIE: &str =
    "s%3AFOuIfejAGTNED3azkkvFfsMTsFEtHapb.hOzZxel5kSoqgDzzRaBJtHbAcQqxnxaQXHr2ejP%2BQSc";

/// The text of a row of that server.
pub(crate) const EXPRESS_DATA: &str = r#"{"cookie":{"originalMaxAge":2592000000,"expires":"2026-12-23T09:15:16.146Z","secure":false,"httpOnly":true,"path":"/"},"passport":{"user":"ada@example.com"}}"#;

/// Where everybody comes from.
pub(crate) const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

pub(crate) const PASSWORD: &str = "correct horse";

/// As Express and this gateway have them when nobody says otherwise.
fn session_settings() -> SessionSettings {
    SessionSettings {
        secrets: Secrets::new(&[SECRET.into()]).unwrap(),
        cookie: CookiePolicy::default(),
        lifetime: Lifetime::default(),
        policy: SessionPolicy::default(),
        user_key: UserKey::Email,
        handover: Duration::ZERO,
        cache: CacheSettings::default(),
    }
}

/// The sessions in tables that were migrated.
pub(crate) async fn sessions_in(database: &Database) -> Sessions {
    let layout = database.layout(&TableNames::default()).await.unwrap();
    let accounts = Accounts::new(&layout, EmailCase::Ignore);
    Sessions::new(database.clone(), &layout, accounts, session_settings(), Changes::new())
}

pub(crate) struct Site {
    pub(crate) database: Database,
    pub(crate) sessions: Sessions,
    pub(crate) test: TestDatabase,
    auth: Auth,
    /// Stands still, unless a test moves it.
    pub(crate) now: DateTime<Utc>,
}

impl Site {
    /// Migrated and open.
    pub(crate) async fn open(test: TestDatabase) -> Self {
        Self::open_with(test, |_| {}).await
    }

    /// Migrated and open, its sessions set up otherwise than by default.
    pub(crate) async fn open_with(
        test: TestDatabase,
        change: impl FnOnce(&mut SessionSettings),
    ) -> Self {
        Self::open_as(test, &TableNames::default(), |sessions, _| change(sessions)).await
    }

    /// Migrated and open, its tables called otherwise.
    pub(crate) async fn open_named(test: TestDatabase, names: &TableNames) -> Self {
        Self::open_as(test, names, |_, _| {}).await
    }

    /// Migrated and open, its tables called and everything set up otherwise.
    pub(crate) async fn open_as(
        test: TestDatabase,
        names: &TableNames,
        change: impl FnOnce(&mut SessionSettings, &mut AuthSettings),
    ) -> Self {
        connect(&test).await.migrate(names).await.unwrap();
        Self::open_unmigrated(test, names, change).await
    }

    /// Open on tables as they are.
    pub(crate) async fn open_unmigrated(
        test: TestDatabase,
        names: &TableNames,
        change: impl FnOnce(&mut SessionSettings, &mut AuthSettings),
    ) -> Self {
        let database = connect(&test).await;
        let mut settings = session_settings();
        let mut auth_settings = AuthSettings {
            paths: AuthPaths::default(),
            statuses: AuthStatuses::Standard,
            policy: PasswordPolicy::Standard,
            rehash_cost: None,
            throttle: None,
            site_data: SiteData::Keep,
        };
        change(&mut settings, &mut auth_settings);
        let layout = database.layout(names).await.unwrap();
        let accounts = Accounts::new(&layout, EmailCase::Ignore);
        let changes = Changes::new();
        let sessions =
            Sessions::new(database.clone(), &layout, accounts.clone(), settings, changes);
        let passwords = Passwords::of_site(4, &database, &accounts).await;
        let auth =
            Auth::new(database.clone(), accounts, sessions.clone(), passwords, auth_settings);
        let now = at("2026-11-23T09:15:14.368Z");
        Self { database, sessions, test, auth, now }
    }

    pub(crate) fn advance(&mut self, time: TimeDelta) {
        self.now += time;
    }

    /// Posts JSON as a page of the site would, with these session cookies.
    pub(crate) async fn post(&self, path: &str, cookies: &[&str], fields: &Value) -> Answer {
        let request = Request::post(path)
            .header(CONTENT_TYPE, "application/json")
            .header("origin", "http://nextbnb.test")
            .header(COOKIE, cookie_header(cookies))
            .body(Full::from(fields.to_string()))
            .unwrap();
        self.send(request, None).await
    }

    pub(crate) async fn send(
        &self,
        request: Request<Full<Bytes>>,
        scheme: Option<&Scheme>,
    ) -> Answer {
        let (head, body) = request.into_parts();
        let action = AuthPaths::default()
            .action_of(&head.method, head.uri.path())
            .expect("a route of the gateway");
        let session = self.resolve(&head.headers).await;
        let origin = Origin::new(scheme.cloned(), "nextbnb.test".to_owned(), None);
        let (address, origin, session) = (ADDRESS, &origin, session.as_ref());
        let (head, client) = (&head, None);
        let request = AuthRequest { action, head, address, client, origin, session };
        let answer = self.auth.answer(request, body, self.now).await;
        Answer::of(answer.response).await
    }

    pub(crate) async fn register(&self, email: &str) -> Answer {
        let fields =
            json!({"email": email, "password": PASSWORD, "passwordconfirmation": PASSWORD});
        self.post("/api/auth/register", &[], &fields).await
    }

    pub(crate) async fn log_in(&self, email: &str, password: &str, cookies: &[&str]) -> Answer {
        let fields = json!({"email": email, "password": password});
        self.post("/api/auth/login", cookies, &fields).await
    }

    pub(crate) async fn log_out(&self, cookies: &[&str]) -> Answer {
        self.post("/api/auth/logout", cookies, &Value::Null).await
    }

    /// The session that a visit with these cookies has.
    pub(crate) async fn visit(&self, cookies: &[&str]) -> Option<Session> {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_str(&cookie_header(cookies)).unwrap());
        self.resolve(&headers).await
    }

    /// Who a visit with these cookies is signed in as.
    pub(crate) async fn user(&self, cookies: &[&str]) -> Option<String> {
        let session = self.visit(cookies).await?;
        session.identity().map(|identity| identity.email.clone())
    }

    /// Visits a page with these cookies, and tells the cookie that comes with it.
    pub(crate) async fn read_page(&self, cookies: &[&str]) -> Option<String> {
        self.read_page_over(None, cookies).await
    }

    pub(crate) async fn read_page_over(
        &self,
        scheme: Option<&Scheme>,
        cookies: &[&str],
    ) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_str(&cookie_header(cookies)).unwrap());
        let visit = self.sessions.visit(&headers, ADDRESS, "/", self.now).await.unwrap();
        let set_cookie =
            self.sessions.settle(&visit, scheme, || Audience::Visitor, self.now).await?;
        Some(set_cookie.to_str().unwrap().to_owned())
    }

    /// What a visit leaves behind whose session was found before.
    pub(crate) async fn settle(&self, session: Session) -> Option<String> {
        let visit = Visit::Of(session);
        let set_cookie = self.sessions.settle(&visit, None, || Audience::Visitor, self.now).await?;
        Some(set_cookie.to_str().unwrap().to_owned())
    }

    async fn resolve(&self, headers: &HeaderMap) -> Option<Session> {
        let presented = self.sessions.presented(headers);
        // A database that is down is the business of whoever asked.
        self.sessions.resolve(&presented, self.now).await.unwrap_or(None)
    }

    /// Writes a session's row as Express would have.
    pub(crate) async fn insert_row(&self, sid: &str, data: &str, expires: DateTime<Utc>) {
        let row = session::ActiveModel {
            sid: sea_orm::Set(sid.to_owned()),
            expires: sea_orm::Set(Some(expires)),
            data: sea_orm::Set(Some(data.to_owned())),
            created_at: sea_orm::Set(self.now),
            updated_at: sea_orm::Set(self.now),
        };
        let insert = session::Entity::insert(row);
        insert.exec_without_returning(self.test.connection()).await.unwrap();
    }

    pub(crate) async fn rows(&self) -> Vec<session::Model> {
        session::Entity::find().all(self.test.connection()).await.unwrap()
    }

    pub(crate) async fn row(&self) -> session::Model {
        let mut rows = self.rows().await;
        assert_eq!(rows.len(), 1, "one session");
        rows.remove(0)
    }

    pub(crate) async fn accounts(&self) -> Vec<String> {
        self.test.texts(r#"SELECT "email" FROM "users" ORDER BY "id""#).await
    }
}

pub(crate) async fn connect(test: &TestDatabase) -> Database {
    let target = DatabaseTarget::Url(test.url().to_owned());
    Database::connect(&target, &DatabaseLimits::default(), Handle::current()).await.unwrap()
}

/// Waits for what happens in the background.
pub(crate) async fn eventually<T>(what: &str, mut condition: impl AsyncFnMut() -> Option<T>) -> T {
    let waiting = async {
        loop {
            if let Some(value) = condition().await {
                return value;
            }
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(20), waiting).await.expect(what)
}

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn cookie_header(cookies: &[&str]) -> String {
    cookies.iter().map(|value| format!("nextbnb={value}")).collect::<Vec<_>>().join("; ")
}
