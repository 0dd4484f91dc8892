//! Settings: as typed ([`args`]), then checked ([`Config`]).

mod admin;
pub mod admin_args;
pub mod args;
pub mod auth_args;
mod bytes;
pub mod cache_args;
mod cookie_prefix;
pub mod crowd_args;
pub mod doctor;
pub mod doctor_args;
mod durations;
pub mod feed_args;
pub mod front;
pub mod front_args;
mod identity_headers;
pub mod limits;
pub mod proxy_args;
mod secrets;
pub mod session_args;
pub mod sessions_args;
mod site;
pub mod site_args;
pub mod site_target;
pub mod state_dir;
pub mod static_files_args;
mod tls;
pub mod tls_args;
pub mod units;
pub mod upstreams;
pub mod users_args;
pub mod view_args;
mod weak_secret;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use self::args::{DatabaseArgs, DevArgs, ServeArgs};
use self::auth_args::{AuthArgs, SignInAttempts};
use self::limits::Limits;
use self::session_args::{CookieArgs, LifeArgs, MaxAge, SessionArgs};
use self::state_dir::StateDir;
use crate::accounts::EmailCase;
use crate::auth::origin::AllowedOrigins;
use crate::auth::throttle::ThrottleSettings;
use crate::auth::{AuthSettings, SiteData};
use crate::database::DatabaseTarget;
use crate::database::listener::DirectUrl;
use crate::database::tables::TableChoice;
use crate::downstream::front::Front;
use crate::error::StartError;
use crate::gateway::hsts::Hsts;
use crate::identity::headers::UpstreamToken;
use crate::identity::names::IdentityNames;
use crate::proxy::body_limit::BodyLimit;
use crate::proxy::pages::Reader;
use crate::proxy::routing::{PathPrefix, Target};
use crate::proxy::upstream_address::UpstreamAddress;
use crate::server::listen_at::ListenAt;
use crate::server::tls::Tls;
use crate::session::SessionSettings;
use crate::session::cache::CacheSettings;
use crate::session::cookie_policy::CookiePolicy;
use crate::session::lifetime::Lifetime;
use crate::session::policy::{OldData, SessionPolicy};
use crate::session::secrets::Secrets;

/// The host that stands for every address of this machine.
pub const EVERY_ADDRESS: &str = "*";

/// The host of `dev`, which nobody else is to reach.
pub const DEV_HOST: &str = "localhost";

/// Permissions of a socket's file in `dev`: its owner's and group's.
const DEV_SOCKET_MODE: u32 = 0o660;

/// The prefixes of `--route`, and where they lead.
pub type Routes = Vec<(PathPrefix, Target<UpstreamAddress>)>;

/// Everything the running gateway needs to know, checked.
#[derive(Debug)]
pub struct Config {
    /// Where connections are accepted.
    pub listen: Vec<ListenAt>,
    /// What TLS is spoken with, if it is.
    pub tls: Option<Arc<Tls>>,
    /// Where browsers that come in plain HTTP are sent there from.
    pub http_redirect: Vec<ListenAt>,
    /// Where operators are told of metrics and health.
    pub admin: Option<ListenAt>,
    /// What browsers are told that came over https.
    pub hsts: Hsts,
    /// What the site is called, and whom to believe about clients.
    pub front: Front,
    /// Parts of the paths that go elsewhere than to the upstream.
    pub routes: Routes,
    /// Proves to upstreams that a request comes from here, where they want that.
    pub upstream_token: Option<UpstreamToken>,
    /// How large bodies may be that upstreams are sent.
    pub max_body: Option<BodyLimit>,
    /// How upstreams are told who is signed in.
    pub identity_names: IdentityNames,
    /// Whose pages may open WebSockets, beside this site's own.
    pub allowed_origins: AllowedOrigins,
    /// Where sessions and accounts are kept.
    pub database: DatabaseTarget,
    /// Where the database tells of changes, where a pooler stands before it.
    pub direct_database: Option<DirectUrl>,
    /// What their tables are called, as far as that is typed.
    pub tables: TableChoice,
    /// Whether pending migrations are applied at start.
    pub migrations: Migrations,
    /// `--static-cache-size`, in bytes; zero keeps no file.
    pub static_cache_size: u64,
    /// The cookie and the life of a session.
    pub session: SessionSettings,
    /// How often ended rows are deleted; zero is never.
    pub sweep_interval: Duration,
    /// How register, login and logout read and answer.
    pub auth: AuthSettings,
    /// Whether addresses that differ in case are one.
    pub email_case: EmailCase,
    /// Who reads error pages.
    pub reader: Reader,
    /// How long running requests may take after a signal to stop.
    pub drain: Duration,
    /// Number of threads that serve connections.
    pub workers: usize,
    /// Numbers that only an engineer would change.
    pub limits: Limits,
}

/// What happens to pending migrations at start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Migrations {
    /// They are applied, by one replica at a time.
    Apply,
    /// The schema is taken as it is, if that will do (`--no-migrate`).
    Skip,
}

impl Config {
    /// Checks what was typed for `serve`.
    ///
    /// With the embedded database a missing secret is made and kept beside it. With any other a
    /// secret must be given, since every replica needs the same.
    pub fn serve(args: &ServeArgs) -> Result<Self, StartError> {
        let state = StateDir::new(args.database.state_dir_or(Path::new(StateDir::DEFAULT)));
        let database = database_target(&args.database, &state)?;
        if let DatabaseTarget::Embedded(_) = database {
            state.prepare()?;
        }
        let secrets = match (
            &database,
            secrets::given(&args.session, args.routes.upstream_token_file.as_deref())?,
        ) {
            (_, Some(secrets)) => secrets,
            (DatabaseTarget::Embedded(_), None) => secrets::kept_in(&state)?,
            (DatabaseTarget::Url(_), None) => return Err(StartError::SecretMissing),
        };
        let listen = front::places(&args.places, &args.listen, EVERY_ADDRESS)?;
        Ok(Self {
            http_redirect: tls::http_redirect(&args.tls, &listen)?,
            listen,
            tls: tls::tls(&args.tls)?,
            admin: admin::admin(&args.admin, args.places.listen_mode)?,
            hsts: tls::hsts(&args.tls),
            front: front::front(&args.front)?,
            routes: upstreams::parse_routes(&args.routes.routes, |_| Reader::Visitor)?,
            upstream_token: match &args.routes.upstream_token_file {
                Some(file) => Some(secrets::upstream_token(file, args.session.generate_secret)?),
                None => None,
            },
            direct_database: feed_args::parse(&args.feed, &database)?,
            database,
            migrations: if args.no_migrate { Migrations::Skip } else { Migrations::Apply },
            static_cache_size: args.static_files.static_cache_size,
            session: session_settings(&args.session, secrets)?,
            sweep_interval: args.session.life.sweep_interval,
            auth: auth_settings(&args.auth)?,
            email_case: args.auth.email_case,
            tables: units::parse_tables(&args.database)?,
            max_body: units::parse_max_body(&args.proxy)?,
            identity_names: identity_headers::parse(&args.proxy)?,
            allowed_origins: units::parse_origins(&args.proxy.allowed_origins)?,
            reader: Reader::Visitor,
            drain: args.drain,
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            limits: Limits {
                connections: args.crowd.max_connections,
                connections_per_client: args.crowd.max_connections_per_client,
                upstream_absence: args.upstream_wait,
                ..Limits::default()
            },
        })
    }

    /// Checks what was typed for `dev`.
    ///
    /// `state_dir` is used unless another was typed. A missing secret is made, whatever the
    /// database: a developer's sessions are worth keeping, not protecting.
    pub fn dev(args: &DevArgs, state_dir: &Path) -> Result<Self, StartError> {
        let state = StateDir::new(args.database.state_dir_or(state_dir));
        state.prepare()?;
        let database = database_target(&args.database, &state)?;
        let secrets =
            match secrets::given(&args.session, args.routes.upstream_token_file.as_deref())? {
                Some(secrets) => secrets,
                None => secrets::kept_in(&state)?,
            };
        Ok(Self {
            listen: vec![ListenAt::Tcp {
                host: args.listen.host_or(DEV_HOST).to_owned(),
                port: args.listen.port,
            }],
            tls: None,
            http_redirect: Vec::new(),
            admin: admin::admin(&args.admin, DEV_SOCKET_MODE)?,
            hsts: Hsts::off(),
            front: front::dev_front(args)?,
            routes: upstreams::parse_routes(&args.routes.routes, |at| {
                Reader::DeveloperBeside(at.clone())
            })?,
            upstream_token: Some(match &args.routes.upstream_token_file {
                Some(file) => secrets::upstream_token(file, args.session.generate_secret)?,
                None => secrets::upstream_token(&state.upstream_token_file(), true)?,
            }),
            direct_database: feed_args::parse(&args.feed, &database)?,
            database,
            migrations: Migrations::Apply,
            static_cache_size: 0, // What `next dev` answers changes with each edit.
            session: session_settings(&args.session, secrets)?,
            sweep_interval: args.session.life.sweep_interval,
            auth: auth_settings(&args.auth)?,
            email_case: args.auth.email_case,
            tables: units::parse_tables(&args.database)?,
            max_body: units::parse_max_body(&args.proxy)?,
            identity_names: identity_headers::parse(&args.proxy)?,
            allowed_origins: units::parse_origins(&args.proxy.allowed_origins)?,
            reader: match &args.upstream {
                Some(url) => Reader::DeveloperBeside(upstreams::parse_upstream(url)?),
                None => Reader::Developer,
            },
            drain: Limits::DEV_DRAIN,
            workers: 1,
            limits: Limits::dev(),
        })
    }
}

/// The database typed, else the embedded one in `state`.
///
/// An empty URL is refused: in production it is a variable that somebody forgot, and a new file
/// in place of the database would know nobody.
pub fn database_target(
    args: &DatabaseArgs,
    state: &StateDir,
) -> Result<DatabaseTarget, StartError> {
    match &args.database_url {
        Some(url) if url.is_empty() => Err(StartError::DatabaseUrl {
            reason: "it is empty; unset it for the embedded database".to_owned(),
        }),
        Some(url) => Ok(DatabaseTarget::Url(url.clone())),
        None => Ok(DatabaseTarget::Embedded(state.database_file())),
    }
}

fn session_settings(args: &SessionArgs, secrets: Secrets) -> Result<SessionSettings, StartError> {
    let lifetime = Lifetime {
        max_age: match args.life.session_max_age {
            MaxAge::Of(max_age) => Some(max_age),
            MaxAge::Browser => None,
        },
        expiration: args.life.session_expiration,
    };
    Ok(SessionSettings {
        secrets,
        cookie: cookie_policy(&args.cookie)?,
        lifetime,
        policy: session_policy(&args.life),
        user_key: site::parse_user_key(&args.session_user_key)?,
        handover: args.life.login_handover,
        cache: CacheSettings {
            size: args.cache.cache_size,
            max_stale: args.cache.cache_max_stale,
            ..CacheSettings::default()
        },
    })
}

fn cookie_policy(args: &CookieArgs) -> Result<CookiePolicy, StartError> {
    let cookie = CookiePolicy {
        name: units::parse_cookie_name(&args.cookie_name)?,
        domain: args.cookie_domain.as_deref().map(units::parse_cookie_domain).transpose()?,
        path: units::parse_cookie_path(&args.cookie_path)?,
        http_only: args.cookie_http_only,
        secure: args.cookie_secure,
        same_site: args.cookie_same_site,
        partitioned: args.cookie_partitioned,
        priority: args.cookie_priority,
    };
    cookie_prefix::check(&cookie)?;
    Ok(cookie)
}

fn session_policy(args: &LifeArgs) -> SessionPolicy {
    SessionPolicy {
        anonymous: args.anonymous_sessions,
        rolling: args.rolling,
        touch: args.touch_interval,
        old_data: if args.login_keeps_data { OldData::Keep } else { OldData::Drop },
    }
}

fn auth_settings(args: &AuthArgs) -> Result<AuthSettings, StartError> {
    Ok(AuthSettings {
        paths: units::parse_auth_paths(&args.auth_paths)?,
        statuses: args.auth_statuses,
        policy: args.password_policy,
        rehash_cost: args.rehash_cost,
        throttle: match args.sign_in_attempts {
            SignInAttempts::AtMost(attempts) => {
                Some(ThrottleSettings { attempts, window: args.sign_in_window })
            }
            SignInAttempts::Off => None,
        },
        site_data: if args.clear_site_data { SiteData::Clear } else { SiteData::Keep },
    })
}
