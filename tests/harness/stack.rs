//! The gateway in this process, between a stub upstream and a real database.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Parser;
use http::uri::Authority;
use nextbnb_gateway::accounts::EmailCase;
use nextbnb_gateway::app::App;
use nextbnb_gateway::auth::action::AuthPaths;
use nextbnb_gateway::auth::answer::AuthStatuses;
use nextbnb_gateway::auth::credentials::PasswordPolicy;
use nextbnb_gateway::auth::origin::AllowedOrigins;
use nextbnb_gateway::auth::throttle::ThrottleSettings;
use nextbnb_gateway::auth::{AuthSettings, SiteData};
use nextbnb_gateway::config::args::{Command, CommandLine};
use nextbnb_gateway::config::limits::Limits;
use nextbnb_gateway::config::{Config, Migrations};
use nextbnb_gateway::database::DatabaseTarget;
use nextbnb_gateway::database::tables::TableChoice;
use nextbnb_gateway::downstream::front::Front;
use nextbnb_gateway::gateway::hsts::Hsts;
use nextbnb_gateway::identity::names::IdentityNames;
use nextbnb_gateway::proxy::pages::Reader;
use nextbnb_gateway::proxy::upstream_address::UpstreamAddress;
use nextbnb_gateway::server::listen_at::ListenAt;
use nextbnb_gateway::server::listeners::Listeners;
use nextbnb_gateway::session::SessionSettings;
use nextbnb_gateway::session::cache::CacheSettings;
use nextbnb_gateway::session::cookie_policy::{CookiePolicy, CookieSameSite, CookieSecure};
use nextbnb_gateway::session::lifetime::Lifetime;
use nextbnb_gateway::session::policy::{AnonymousSessions, Rolling, SessionPolicy, Touch};
use nextbnb_gateway::session::secrets::Secrets;
use nextbnb_gateway::session::user_key::UserKey;
use serde_json::json;
use tokio::sync::watch;

use crate::database::TestDatabase;
use crate::upstream::StubUpstream;
use crate::visitor::Visitor;

/// The secret that signs every test's cookies.
pub const SECRET: &str = "a secret of thirty-two bytes....";

/// The password of everybody that the harness registers.
pub const PASSWORD: &str = "correct horse battery";

/// A running gateway with everything around it.
#[derive(Debug)]
pub struct Stack {
    /// Who stands in for Next.js.
    pub upstream: StubUpstream,
    /// Where sessions and accounts are.
    pub database: TestDatabase,
    gateway: RunningGateway,
}

impl Stack {
    /// With Postgres and an upstream that says hello.
    pub async fn start() -> Self {
        Self::before(StubUpstream::start().await).await
    }

    /// With Postgres, before `upstream`.
    pub async fn before(upstream: StubUpstream) -> Self {
        Self::with(upstream, |_| {}).await
    }

    /// With Postgres, before `upstream`, set up otherwise than by default.
    pub async fn with(upstream: StubUpstream, change: impl FnOnce(&mut Config)) -> Self {
        let database = TestDatabase::postgres().await;
        let gateway = RunningGateway::start(database.url(), upstream.address(), change).await;
        Self { upstream, database, gateway }
    }

    /// With Postgres and an upstream that says hello, its sessions set up otherwise.
    pub async fn with_sessions(change: impl FnOnce(&mut SessionSettings)) -> Self {
        let upstream = StubUpstream::start().await;
        Self::with(upstream, |config| change(&mut config.session)).await
    }

    /// With Postgres and an upstream that says hello, set up as `--compat express` does.
    pub async fn like_express() -> Self {
        Self::with(StubUpstream::start().await, |config| {
            config.session.policy.touch = Touch::Every(Duration::ZERO);
            config.session.policy.anonymous = AnonymousSessions::Save;
            config.session.policy.rolling = Rolling::Never;
            config.session.cookie.same_site = CookieSameSite::Unset;
            config.session.cookie.secure = CookieSecure::Never;
            config.auth = AuthSettings {
                paths: AuthPaths::default(),
                statuses: AuthStatuses::Express,
                policy: PasswordPolicy::None,
                rehash_cost: None,
                throttle: Some(ThrottleSettings::default()),
                site_data: SiteData::Keep,
            };
            config.email_case = EmailCase::Exact;
        })
        .await
    }

    /// Where the gateway listens.
    pub fn address(&self) -> SocketAddr {
        self.gateway.address
    }

    /// Where operators are answered.
    pub fn admin_address(&self) -> SocketAddr {
        self.gateway.admin_address()
    }

    /// Somebody whom nobody knows.
    pub fn anonymous(&self) -> Visitor {
        self.gateway.anonymous()
    }

    /// Somebody new, registered and so signed in.
    pub async fn signed_in(&self, email: &str) -> Visitor {
        self.gateway.signed_in(email).await
    }

    /// How many rows there are; `rows` is a table, perhaps with a condition.
    pub async fn count(&self, rows: &str) -> usize {
        let query = format!("SELECT count(*)::text FROM {rows}");
        self.database.texts(&query).await[0].parse().unwrap()
    }

    /// Another gateway on the same database and upstream.
    pub async fn replica(&self) -> RunningGateway {
        RunningGateway::start(self.database.url(), self.upstream.address(), |_| {}).await
    }

    /// Ends the gateway as a signal does.
    pub async fn stop(self) {
        self.gateway.stop().await;
    }
}

/// A gateway in this process.
#[derive(Debug)]
pub struct RunningGateway {
    app: App,
    address: SocketAddr,
}

impl RunningGateway {
    /// Starts one on a free port, its settings the defaults but for `change`.
    pub async fn start(
        database_url: &str,
        upstream: SocketAddr,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let mut config = config(database_url);
        change(&mut config);
        Self::run(config, upstream).await
    }

    /// Starts one on a free port with the command line `serve` and `flags`.
    pub async fn serve(flags: &[String], upstream: SocketAddr) -> Self {
        let words = ["nextbnb-gateway", "serve", "--host", "127.0.0.1", "--port", "0"];
        let words = words.into_iter().chain(flags.iter().map(String::as_str));
        let line = CommandLine::try_parse_from(words).unwrap_or_else(|error| panic!("{error}"));
        let Some(Command::Serve(args)) = line.command else { panic!("{flags:?} is not for serve") };
        let mut config = Config::serve(&args).unwrap_or_else(|error| panic!("{error}"));
        config.workers = 1;
        Self::run(config, upstream).await
    }

    async fn run(config: Config, upstream: SocketAddr) -> Self {
        let listeners = Listeners::open(&config.listen, config.workers).unwrap();
        let address = listeners.addresses()[0];
        let authority: Authority = upstream.to_string().parse().unwrap();
        let upstream = watch::Sender::new(Some(UpstreamAddress::Tcp(authority)));
        let app = App::start(config, listeners, upstream.subscribe()).await.unwrap();
        Self { app, address }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where operators are answered.
    pub fn admin_address(&self) -> SocketAddr {
        self.app.admin().expect("no --admin").addresses()[0]
    }

    /// Somebody whom nobody knows.
    pub fn anonymous(&self) -> Visitor {
        Visitor::new(self.address)
    }

    /// Somebody new, registered and so signed in.
    pub async fn signed_in(&self, email: &str) -> Visitor {
        let visitor = self.anonymous();
        let reply = visitor.post("/api/auth/register", &registration(email)).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        visitor
    }

    /// Ends it as a signal does.
    pub async fn stop(self) {
        self.app.stop().await;
    }
}

/// What the register form sends.
pub fn registration(email: &str) -> serde_json::Value {
    json!({ "email": email, "password": PASSWORD, "passwordconfirmation": PASSWORD })
}

/// What the sign-in form sends.
pub fn credentials(email: &str, password: &str) -> serde_json::Value {
    json!({ "email": email, "password": password })
}

fn config(database_url: &str) -> Config {
    Config {
        listen: vec![ListenAt::Tcp { host: "127.0.0.1".to_owned(), port: 0 }],
        tls: None,
        http_redirect: Vec::new(),
        admin: None,
        hsts: Hsts::off(),
        front: Front::default(),
        routes: Vec::new(),
        max_body: None,
        identity_names: IdentityNames::default(),
        allowed_origins: AllowedOrigins::default(),
        upstream_token: None,
        database: DatabaseTarget::Url(database_url.to_owned()),
        direct_database: None,
        migrations: Migrations::Apply,
        static_cache_size: 16 << 20,
        session: SessionSettings {
            secrets: Secrets::new(&[SECRET.as_bytes().to_vec()]).unwrap(),
            cookie: CookiePolicy::default(),
            lifetime: Lifetime::default(),
            policy: SessionPolicy::default(),
            user_key: UserKey::Email,
            handover: Duration::ZERO,
            cache: CacheSettings::default(),
        },
        tables: TableChoice::default(),
        sweep_interval: Duration::from_mins(15),
        auth: AuthSettings {
            paths: AuthPaths::default(),
            statuses: AuthStatuses::Standard,
            policy: PasswordPolicy::Standard,
            rehash_cost: None,
            throttle: Some(ThrottleSettings::default()),
            site_data: SiteData::Keep,
        },
        email_case: EmailCase::Ignore,
        reader: Reader::Visitor,
        drain: Duration::from_secs(10),
        workers: 2,
        limits: Limits::default(),
    }
}
