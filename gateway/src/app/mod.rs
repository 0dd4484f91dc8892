//! The gateway put together: database, rooms, workers.

mod admin;
mod admin_sessions;
mod crowds;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use nextbnb_migrations::TableNames;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tracing::{info, warn};

use self::admin::Watched;
use self::crowds::crowds;
use crate::accounts::Accounts;
use crate::auth::Auth;
use crate::auth::passwords::Passwords;
use crate::config::limits::Limits;
use crate::config::{Config, Migrations};
use crate::database::layout::Layout;
use crate::database::sqlite_file::HeldFile;
use crate::database::tables::TableChoice;
use crate::database::{Database, DatabaseError, DatabaseLimits, DatabaseTarget};
use crate::error::StartError;
use crate::gateway::Services;
use crate::ops::drain::Drain;
use crate::ops::metrics::Metrics;
use crate::proxy::losses::LossesByAddress;
use crate::proxy::pages::ErrorPages;
use crate::proxy::routing::{PathRoutes, Target};
use crate::proxy::upstream::UpstreamLimits;
use crate::proxy::upstream_address::UpstreamAddress;
use crate::server::Server;
use crate::server::admin::AdminServer;
use crate::server::connection::ConnectionLimits;
use crate::server::listeners::Listeners;
use crate::server::worker::{Address, WorkerSettings};
use crate::session::Sessions;
use crate::session::changes::Changes;
use crate::session::clock::Clock;
use crate::session::feed::Feed;
use crate::session::signed_in::SignedIn;
use crate::static_files::{StaticFiles, StaticFilesSettings};

/// A gateway that serves.
#[derive(Debug)]
pub struct App {
    server: Server,
    admin: Option<AdminServer>,
    database: Database,
    sessions: Sessions,
    feed: Feed,
    _held_file: HeldFile,
    drain: Duration,
    long_lived_grace: Duration,
}

impl App {
    /// Opens the database, brings its schema up to date and serves on `listeners`.
    ///
    /// Everything of the database runs on the current runtime, apart from the workers. The
    /// upstream's address may change while the gateway runs.
    pub async fn start(
        config: Config,
        listeners: Listeners,
        upstream: watch::Receiver<Option<UpstreamAddress>>,
    ) -> Result<Self, StartError> {
        let opening = open_database(&config.database, &config.tables, config.migrations);
        let (database, layout) = Box::pin(opening).await?;
        let held_file = database.hold_file()?;
        let drain = Drain::new();
        let services = Box::pin(services(&config, &database, &layout, &drain)).await;
        let (direct, limits) = (config.direct_database.as_ref(), config.limits.feed);
        let sessions = services.sessions.clone();
        let changes = sessions.changes();
        let feed = Feed::start(&database, &layout.tables, direct, limits, changes);
        let (crowds, metrics) = (services.crowds.clone(), Metrics::of_process());
        let static_files = services.static_files.clone();
        let routes = routes(&config, upstream);
        let settings = WorkerSettings {
            services,
            routes: routes.clone(),
            upstream_limits: UpstreamLimits::from_limits(&config.limits),
            connection_limits: ConnectionLimits::from_limits(&config.limits),
            tls: config.tls.clone(),
            metrics: metrics.clone(),
            losses: LossesByAddress::default(),
        };
        let watched = Watched {
            metrics,
            database: database.clone(),
            sessions: sessions.clone(),
            feed: feed.reports(),
            routes,
            tls: config.tls.clone(),
            crowds: crowds.clone(),
            static_files,
            drain: drain.clone(),
            workers: config.workers,
        };
        let admin = Box::pin(watched.answer(&config)).await?;
        let server = Server::start(listeners, settings, drain)?;
        if !config.http_redirect.is_empty() {
            let plain = Listeners::open(&config.http_redirect, 1)?;
            let limit = config.limits.request_head;
            server.redirect_from(plain, Arc::new(config.front), crowds.connections, limit)?;
        }
        if let Some(tls) = config.tls {
            server.keep_certificates_fresh(tls, config.limits.certificate_check)?;
        }
        let long_lived_grace = config.limits.long_lived_grace;
        let drain = config.drain;
        Ok(Self {
            server,
            admin,
            database,
            sessions,
            feed,
            _held_file: held_file,
            drain,
            long_lived_grace,
        })
    }

    /// The running workers.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Says where operators are answered, if they are.
    pub(crate) fn announce_admin(&self) {
        let Some(admin) = &self.admin else { return };
        for address in admin.addresses() {
            info!("metrics and health at http://{address} (--admin)");
        }
        for path in admin.socket_paths() {
            info!("metrics and health at unix:{} (--admin)", path.display());
        }
    }

    /// Who is signed in at this moment.
    pub async fn signed_in(&self) -> Result<SignedIn, DatabaseError> {
        self.sessions.signed_in(Clock.now()).await
    }

    /// Where operators are answered.
    pub fn admin(&self) -> Option<&AdminServer> {
        self.admin.as_ref()
    }

    /// Accepts nothing more, finishes what runs within the time for it, writes down who was here, and
    /// closes the database.
    pub async fn stop(self) {
        self.server.stop(self.drain, self.long_lived_grace).await;
        self.sessions.write_visits_down().await;
        drop(self.feed);
        if let Err(error) = self.database.close().await {
            warn!(cause = %error, "the database was not closed properly");
        }
    }
}

/// Opens a database, finds its tables and applies pending migrations, saying which, or finds them
/// complete.
pub(crate) async fn open_database(
    target: &DatabaseTarget,
    choice: &TableChoice,
    migrations: Migrations,
) -> Result<(Database, Layout), StartError> {
    let limits = DatabaseLimits::default();
    let database = Database::connect(target, &limits, Handle::current()).await?;
    let tables = database.find_tables(choice).await?;
    let TableNames { sessions, users, .. } = &tables;
    if tables != TableNames::default() {
        info!("sessions are in the table {sessions:?} and accounts in {users:?}");
    }
    if migrations == Migrations::Skip {
        database.check(&tables).await?;
        let layout = database.layout(&tables).await?;
        return Ok((database, layout));
    }
    let applied = database.migrate(&tables).await?;
    for name in &applied.names {
        info!("applied migration {name}");
    }
    for note in &applied.notes {
        warn!("{note}");
    }
    let layout = database.layout(&tables).await?;
    Ok((database, layout))
}

async fn services(
    config: &Config,
    database: &Database,
    layout: &Layout,
    drain: &Drain,
) -> Services {
    let clock = Clock;
    let accounts = Accounts::new(layout, config.email_case);
    let settings = config.session.clone();
    let changes = Changes::new();
    let sessions = Sessions::new(database.clone(), layout, accounts.clone(), settings, changes);
    sessions.start_sweeping(config.sweep_interval, clock);
    sessions.start_watching(clock);
    let passwords = Passwords::of_site(config.limits.concurrent_hashes, database, &accounts).await;
    let settings = config.auth.clone();
    let auth = Auth::new(database.clone(), accounts, sessions.clone(), passwords, settings);
    let (upstream_token, hsts) = (config.upstream_token.clone(), config.hsts.clone());
    let (drain, front) = (drain.clone(), Arc::new(config.front.clone()));
    let allowed_origins = config.allowed_origins.clone();
    let identity_names = config.identity_names.clone();
    let max_body = config.max_body.clone();
    let static_files = StaticFiles::new(StaticFilesSettings {
        size: config.static_cache_size,
        unasked: config.limits.static_file_unasked,
    });
    Services {
        sessions,
        auth,
        clock,
        allowed_origins,
        max_body,
        static_files,
        identity_names,
        upstream_token,
        hsts,
        drain,
        front,
        crowds: crowds(&config.limits),
    }
}

/// Every path's upstream: those of `--route`, and Next.js for the rest.
fn routes(config: &Config, next: Address) -> PathRoutes<Target<Address>> {
    let mut addresses: HashMap<&UpstreamAddress, Address> = HashMap::new();
    let routes = config.routes.iter().map(|(prefix, target)| {
        let upstream = &target.upstream;
        let address = addresses
            .entry(upstream)
            .or_insert_with(|| watch::Sender::new(Some(upstream.clone())).subscribe());
        (prefix.clone(), target.to(address.clone()))
    });
    let pages = ErrorPages::new(config.reader.clone());
    PathRoutes::new(routes.collect(), Target { upstream: next, stripped: None, pages })
}

impl ConnectionLimits {
    fn from_limits(limits: &Limits) -> Self {
        Self {
            request_head: limits.request_head,
            idle: limits.downstream_idle,
            awake: limits.downstream_awake,
            stall: limits.downstream_stall,
            half_closed: limits.half_closed_client,
            http2: limits.http2,
        }
    }
}

impl UpstreamLimits {
    fn from_limits(limits: &Limits) -> Self {
        Self {
            connect: limits.connect,
            absence: limits.upstream_absence,
            response_head: limits.response_head,
            upload: limits.downstream_stall,
            upgrade_head: limits.upgrade_head,
            half_closed_upgrade: limits.half_closed_upgrade,
            idle: limits.upstream_idle,
            idle_for_unsafe: limits.upstream_idle_for_unsafe,
        }
    }
}
