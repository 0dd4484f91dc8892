//! `dev`: Next.js started, watched and ended together with the gateway.

use std::fmt::Write as _;
use std::net::{Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use http::uri::Authority;
use tokio::sync::watch;
use tracing::{info, warn};

use super::block_on;
use super::signals::StopSignals;
use crate::app::App;
use crate::config::args::DevArgs;
use crate::config::state_dir::StateDir;
use crate::config::units::parse_upstream;
use crate::config::{Config, EVERY_ADDRESS, Listen};
use crate::error::StartError;
use crate::next::dev_server::{DevServer, DevServerState};
use crate::next::installation::{Installation, Outcome};
use crate::next::node::Node;
use crate::next::project::Project;
use crate::server::listeners::Listeners;

/// Where the upstream answers; `None` until Next.js has a port.
type Address = watch::Sender<Option<Authority>>;

pub(super) fn run(args: &DevArgs) -> Result<(), StartError> {
    block_on(async {
        let signals = StopSignals::listen()?;
        match &args.upstream {
            Some(url) => beside(args, parse_upstream(url)?, signals).await,
            None => with_next(args, signals).await,
        }
    })
}

/// In front of a `next dev` that somebody else runs.
async fn beside(
    args: &DevArgs,
    upstream: Authority,
    mut signals: StopSignals,
) -> Result<(), StartError> {
    let here = working_folder()?;
    let state_dir = Project::find(None, &here)
        .map_or_else(|_| here.join(StateDir::DEFAULT), |project| project.default_state_dir());
    let address = Address::new(Some(upstream.clone()));
    let started = Started::start(args, &state_dir, &address).await?;
    info!("ready on {} in front of http://{upstream}", started.url);
    let signal = signals.next().await;
    info!("{signal}: ending the gateway");
    started.app.stop().await;
    Ok(())
}

/// With a `next dev` of its own.
async fn with_next(args: &DevArgs, mut signals: StopSignals) -> Result<(), StartError> {
    let project = Project::find(args.frontend.as_deref(), &working_folder()?)?;
    info!("the application is {}", project.folder().display());
    let state_dir = args.database.state_dir.clone().unwrap_or_else(|| project.default_state_dir());
    StateDir::new(&state_dir).prepare()?;
    let node = Node::find(&project).await?;
    let address = Address::new(None);
    let mut started = Started::start(args, &state_dir, &address).await?;
    let ended = async {
        if let Outcome::Stopped = install(&project, &mut signals, &mut started.steps).await? {
            return Ok(());
        }
        let next = DevServer::start(&project, &node, &state_dir).await?;
        tokio::select! {
            () = follow(next.state(), &address, &started) => warn!("Next.js is not watched any more"),
            signal = signals.next() => info!("{signal}: ending Next.js and the gateway"),
        }
        next.stop().await;
        Ok(())
    }
    .await;
    started.app.stop().await;
    ended
}

/// The gateway while it serves, with what its start took.
struct Started {
    app: App,
    url: String,
    steps: Steps,
}

impl Started {
    async fn start(
        args: &DevArgs,
        state_dir: &Path,
        address: &Address,
    ) -> Result<Self, StartError> {
        let began = Instant::now();
        let config = Config::dev(args, state_dir)?;
        let listeners = Listeners::bind(&config.listen.host, config.listen.port, config.workers)?;
        let listen = config.listen.clone();
        let upstream = address.borrow().clone();
        if let Some(upstream) = upstream.filter(|upstream| listeners.are_reached_by(upstream)) {
            return Err(StartError::UpstreamIsSelf { upstream: upstream.to_string() });
        }
        let app = App::start(config, listeners, address.subscribe()).await?;
        let port = app.server().addresses().first().map_or(listen.port, SocketAddr::port);
        let mut steps = Steps::default();
        steps.add("database", began.elapsed());
        Ok(Self { app, url: public_url(&listen, port), steps })
    }
}

/// Installs what the application depends on, where that is needed.
async fn install(
    project: &Project,
    signals: &mut StopSignals,
    steps: &mut Steps,
) -> Result<Outcome, StartError> {
    let Some(installation) = Installation::needed(project) else {
        return Ok(Outcome::Installed { took: Duration::ZERO });
    };
    info!("installing: {installation}");
    let stop = async {
        let signal = signals.next().await;
        info!("{signal}: ending the installation and the gateway");
    };
    let outcome = installation.run(stop).await?;
    if let Outcome::Installed { took } = outcome {
        steps.add("dependencies", took);
    }
    Ok(outcome)
}

/// Tells the gateway where Next.js is, and the terminal when it answers.
async fn follow(mut state: watch::Receiver<DevServerState>, address: &Address, started: &Started) {
    let mut is_first = true;
    loop {
        let now = state.borrow_and_update().clone();
        if let Some(at) = now.address().and_then(|at| at.to_string().parse().ok()) {
            address.send_replace(Some(at));
        }
        if let DevServerState::Ready { after, .. } = now {
            let Started { url, steps, .. } = started;
            if is_first {
                info!("ready on {url} ({steps}Next.js {:.1} s)", after.as_secs_f32());
            } else {
                info!("Next.js is back on {url} after {:.1} s", after.as_secs_f32());
            }
            is_first = false;
        }
        if state.changed().await.is_err() {
            return;
        }
    }
}

/// How long each step of the start took, in words.
#[derive(Debug, Default)]
struct Steps(String);

impl Steps {
    fn add(&mut self, what: &str, took: Duration) {
        let written = write!(self.0, "{what} {:.1} s, ", took.as_secs_f32());
        debug_assert!(written.is_ok(), "a String takes everything");
    }
}

impl std::fmt::Display for Steps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What to type into a browser on this machine.
fn public_url(listen: &Listen, port: u16) -> String {
    let host = match listen.host.as_str() {
        EVERY_ADDRESS | "0.0.0.0" | "::" | "[::]" => "localhost",
        host => host,
    };
    match host.parse::<Ipv6Addr>() {
        Ok(address) => format!("http://[{address}]:{port}"),
        Err(_) => format!("http://{host}:{port}"),
    }
}

fn working_folder() -> Result<PathBuf, StartError> {
    std::env::current_dir()
        .map_err(|source| StartError::System { what: "without a working folder", source })
}
