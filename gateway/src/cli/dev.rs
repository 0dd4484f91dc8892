//! `dev`: Next.js started, watched and ended together with the gateway.

use std::fmt::Write as _;
use std::net::{Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures_util::future::OptionFuture;
use tokio::sync::watch;
use tracing::{info, warn};

use super::signals::{HangUp, StopSignals};
use super::{block_on, listen};
use crate::app::App;
use crate::config::args::DevArgs;
use crate::config::state_dir::StateDir;
use crate::config::upstreams::parse_upstream;
use crate::config::{Config, DEV_HOST, EVERY_ADDRESS};
use crate::error::{NextError, StartError};
use crate::identity::headers::UpstreamToken;
use crate::next::dev_news::{DevNews, Situation};
use crate::next::dev_server::{DevExtras, DevServer, DevServerState};
use crate::next::installation::{Installation, Outcome};
use crate::next::legacy_session;
use crate::next::node::Node;
use crate::next::project::Project;
use crate::proxy::pages::Reader;
use crate::proxy::upstream_address::UpstreamAddress;

/// Where the upstream answers; `None` until Next.js has a port.
type Address = watch::Sender<Option<UpstreamAddress>>;

pub(super) fn run(args: &DevArgs) -> Result<(), StartError> {
    block_on(HangUp::Ends, async {
        let signals = StopSignals::listen(HangUp::Ends)?;
        match &args.upstream {
            Some(url) => beside(args, parse_upstream(url)?, signals).await,
            None => with_next(args, signals).await,
        }
    })
}

/// In front of a `next dev` that somebody else runs.
async fn beside(
    args: &DevArgs,
    upstream: UpstreamAddress,
    mut signals: StopSignals,
) -> Result<(), StartError> {
    let here = working_folder()?;
    let state_dir = Project::find(None, &here)
        .map_or_else(|_| here.join(StateDir::DEFAULT), |project| project.default_state_dir());
    let address = Address::new(Some(upstream.clone()));
    let start = Started::start(Config::dev(args, &state_dir)?, args, &address);
    let Some(started) = signals.unless_told(start).await? else { return Ok(()) };
    info!("ready on {} in front of {upstream}", started.url);
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
    let (address, news) = (Address::new(None), DevNews::default());
    let start = async {
        let node = Node::find(&project).await?;
        let mut config = Config::dev(args, &state_dir)?;
        config.reader = Reader::DeveloperWatching(news.clone());
        Ok((node, Started::start(config, args, &address).await?))
    };
    let Some((node, mut started)) = signals.unless_told(start).await? else { return Ok(()) };
    let mut next = None;
    let ended = async {
        if let Outcome::Stopped = install(&project, &news, &mut signals, &mut started.steps).await? {
            return Ok(());
        }
        let extras = DevExtras {
            token: started.token.clone(),
            preload: args.legacy_session.then(|| legacy_session::write(&state_dir)).transpose()?,
            news: news.clone(),
        };
        let start = async { Ok(DevServer::start(&project, &node, &state_dir, extras).await?) };
        let Some(server) = signals.unless_told(start).await? else { return Ok(()) };
        let state = next.insert(server).state();
        tokio::select! {
            unwatched = follow(state, &address, &news, (&started.url, &started.steps)) => Err(unwatched.into()),
            signal = signals.next() => {
                info!("{signal}: ending Next.js and the gateway");
                Ok(())
            }
        }
    }
    .await;
    // At once, since each may hang for its own reason.
    tokio::join!(OptionFuture::from(next.map(DevServer::stop)), started.app.stop());
    ended
}

/// The gateway while it serves, with what its start took.
struct Started {
    app: App,
    url: String,
    /// What Next.js knows the gateway by.
    token: String,
    steps: Steps,
}

impl Started {
    async fn start(config: Config, args: &DevArgs, address: &Address) -> Result<Self, StartError> {
        let began = Instant::now();
        let upstream = address.borrow().clone();
        let listeners = listen(&config, upstream).await?;
        let token = config.upstream_token.as_ref().map(UpstreamToken::expose).unwrap_or_default();
        let token = token.to_owned();
        let app = Box::pin(App::start(config, listeners, address.subscribe())).await?;
        app.announce_admin();
        let port = app.server().addresses().first().map_or(args.listen.port, SocketAddr::port);
        let mut steps = Steps::default();
        steps.add("database", began.elapsed());
        Ok(Self { app, url: public_url(args.listen.host_or(DEV_HOST), port), token, steps })
    }
}

/// Installs what the application depends on, where that is needed.
async fn install(
    project: &Project,
    news: &DevNews,
    signals: &mut StopSignals,
    steps: &mut Steps,
) -> Result<Outcome, StartError> {
    let Some(installation) = Installation::needed(project) else {
        return Ok(Outcome::Installed { took: Duration::ZERO });
    };
    info!("installing: {installation}");
    news.tell(Situation::Installing(installation.command()));
    let stop = async {
        let signal = signals.next().await;
        info!("{signal}: ending the installation and the gateway");
    };
    let outcome = match installation.run(stop).await {
        Ok(outcome) => outcome,
        Err(error) => {
            let signal = signals.excuse(error).await?;
            info!("{signal} during the installation");
            Outcome::Stopped
        }
    };
    news.tell(Situation::Starting);
    if let Outcome::Installed { took } = outcome {
        steps.add("dependencies", took);
    }
    Ok(outcome)
}

/// Tells the gateway where Next.js is, its pages what it is doing, and the terminal when it answers, as
/// long as it is watched.
async fn follow(
    mut state: watch::Receiver<DevServerState>,
    address: &Address,
    news: &DevNews,
    ready: (&str, &Steps),
) -> NextError {
    let (url, steps) = ready;
    let (mut is_first, mut ended) = (true, None);
    loop {
        let now = state.borrow_and_update().clone();
        if let Some(at) = now.address().and_then(|at| at.to_string().parse().ok()) {
            address.send_replace(Some(UpstreamAddress::Tcp(at)));
        }
        match &now {
            DevServerState::Ready { after, .. } if is_first => {
                info!("ready on {url} ({steps}Next.js {:.1} s)", after.as_secs_f32());
                is_first = false;
            }
            DevServerState::Ready { after, .. } => {
                info!("Next.js is back on {url} after {:.1} s", after.as_secs_f32());
            }
            DevServerState::Hung { .. } => {
                warn!("Next.js does not answer any more: an endless loop, or a breakpoint");
            }
            DevServerState::Starting { .. } | DevServerState::Restarting { .. } => {}
        }
        news.tell(situation_of(now, &mut ended));
        if state.changed().await.is_err() {
            return NextError::Unwatched;
        }
    }
}

/// What pages say of a state; why it `ended` is told until it answers again.
fn situation_of(state: DevServerState, ended: &mut Option<String>) -> Situation {
    match state {
        DevServerState::Starting { .. } => match ended.clone() {
            None => Situation::Starting,
            Some(ended) => Situation::StartingAgain { ended },
        },
        DevServerState::Ready { .. } => {
            *ended = None;
            Situation::Ready
        }
        DevServerState::Hung { .. } => Situation::Hung,
        DevServerState::Restarting { reason, .. } => {
            *ended = Some(reason.clone());
            Situation::Ended(reason)
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
fn public_url(host: &str, port: u16) -> String {
    let host = match host {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_serves_on_before_a_next_dev_that_is_not_watched() {
        let at = SocketAddr::from(([127, 0, 0, 1], 4000));
        let ready = DevServerState::Ready { address: at, after: Duration::ZERO };
        let (watcher, state) = watch::channel(ready);
        drop(watcher);
        let address = Address::new(None);
        let ready = ("http://localhost:3000", &Steps::default());
        let error = follow(state, &address, &DevNews::default(), ready).await;
        assert!(error.to_string().contains("not watched any more"), "{error}");
        let at = address.borrow().as_ref().map(UpstreamAddress::to_string);
        assert_eq!(at.as_deref(), Some("http://127.0.0.1:4000"));
    }
}
