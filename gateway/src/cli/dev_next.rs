//! `dev` with a Next.js of its own: installed, started, watched, and started again by a key.

use std::convert::Infallible;
use std::future::pending;
use std::path::Path;
use std::time::Duration;

use futures_util::future::OptionFuture;
use tokio::sync::watch;
use tokio::time::sleep;
use tracing::{info, warn};

use super::dev::{Address, Over, Started, until_over, working_folder};
use super::keys::Keys;
use super::ready::{Ready, Steps};
use super::signals::StopSignals;
use crate::config::Config;
use crate::config::args::DevArgs;
use crate::error::{NextError, StartError};
use crate::next::dev_news::{DevNews, Situation};
use crate::next::dev_server::{DevExtras, DevServer, DevServerState};
use crate::next::installation::{Installation, Outcome};
use crate::next::legacy_session;
use crate::next::node::Node;
use crate::next::project::Project;
use crate::proxy::pages::Reader;
use crate::proxy::upstream_address::UpstreamAddress;

/// How often lock files are looked at, which costs a few calls to the system.
const PACKAGES_INTERVAL: Duration = Duration::from_secs(2);

/// With a `next dev` of its own.
pub(super) async fn with_next(args: &DevArgs, mut signals: StopSignals) -> Result<(), StartError> {
    let project = Project::find(args.frontend.as_deref(), &working_folder()?)?;
    info!("the application is {}", project.folder().display());
    let state_dir = args.database.state_dir.clone().unwrap_or_else(|| project.default_state_dir());
    let (address, news) = (Address::new(None), DevNews::default());
    let start = async {
        let node = Node::find(&project).await?;
        let mut config = Config::dev(args, &state_dir)?;
        config.reader = Reader::DeveloperWatching(news.clone());
        Ok((node, Started::start(config, args, &state_dir, &address).await?))
    };
    let Some((node, mut started)) = signals.unless_told(start).await? else { return Ok(()) };
    let mut next = None;
    let extras = DevExtras {
        token: started.token.clone(),
        preload: args.legacy_session.then(|| legacy_session::write(&state_dir)).transpose()?,
        news,
    };
    let site = Site { project: &project, node: &node, state_dir: &state_dir, extras, address };
    let mut keys = Keys::listen();
    started.ready.name_keys(keys.as_ref());
    let ended = site.run(&mut started, &mut signals, &mut keys, &mut next).await;
    // At once, since each may hang for its own reason.
    tokio::join!(OptionFuture::from(next.map(DevServer::stop)), started.app.stop());
    ended
}

/// What a `next dev` is started with, as often as somebody wants it to start again.
struct Site<'a> {
    project: &'a Project,
    node: &'a Node,
    state_dir: &'a Path,
    extras: DevExtras,
    address: Address,
}

impl Site<'_> {
    /// Installs what is missing and runs `next`, again whenever a key asks for that, until the end is
    /// asked for.
    async fn run(
        &self,
        started: &mut Started,
        signals: &mut StopSignals,
        keys: &mut Option<Keys>,
        next: &mut Option<DevServer>,
    ) -> Result<(), StartError> {
        let (news, url) = (&self.extras.news, started.ready.url.clone());
        loop {
            let installed = install(self.project, news, signals, &mut started.ready.steps).await?;
            if installed == Outcome::Stopped {
                return Ok(());
            }
            if let Some(banner) = &mut started.ready.banner {
                banner.versions.extend(self.versions());
            }
            let start = async {
                let extras = self.extras.clone();
                Ok(DevServer::start(self.project, self.node, self.state_dir, extras).await?)
            };
            let Some(server) = signals.unless_told(start).await? else { return Ok(()) };
            let state = next.insert(server).state();
            tokio::select! {
                unwatched = follow(state, &self.address, news, &mut started.ready) => {
                    return Err(unwatched.into());
                }
                signal = signals.next() => {
                    info!("{signal}: ending Next.js and the gateway");
                    return Ok(());
                }
                never = tell_of_packages(self.project) => match never {},
                end = until_over(keys, &url, &started.app) => match end {
                    Over::Quit => {
                        info!("ending Next.js and the gateway");
                        return Ok(());
                    }
                    Over::Restart => info!("starting Next.js again"),
                }
            }
            news.tell(Situation::Starting);
            OptionFuture::from(next.take().map(DevServer::stop)).await;
        }
    }

    /// The versions of what serves, as far as they are known.
    fn versions(&self) -> Vec<String> {
        let next = self.project.next_version().map(|version| format!("Next.js {version}"));
        next.into_iter().chain([format!("Node.js {}", self.node.version())]).collect()
    }
}

/// Tells once of packages that are to be installed while Next.js runs, as after `git pull`.
async fn tell_of_packages(project: &Project) -> Infallible {
    while Installation::needed(project).is_none() {
        sleep(PACKAGES_INTERVAL).await;
    }
    if let Some(installation) = Installation::needed(project) {
        warn!("packages have changed; r, or a new start of dev, runs {installation}");
    }
    pending().await
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
    ready: &mut Ready,
) -> NextError {
    let mut ended = None;
    loop {
        let now = state.borrow_and_update().clone();
        if let Some(at) = now.address().and_then(|at| at.to_string().parse().ok()) {
            address.send_replace(Some(UpstreamAddress::Tcp(at)));
        }
        // Before anybody is told to look.
        news.tell(situation_of(&now, &mut ended));
        match &now {
            DevServerState::Ready { after, .. } => ready.say(*after),
            DevServerState::Hung { .. } => {
                warn!("Next.js does not answer any more: an endless loop, or a breakpoint");
            }
            DevServerState::Starting { .. } | DevServerState::Restarting { .. } => {}
        }
        if state.changed().await.is_err() {
            return NextError::Unwatched;
        }
    }
}

/// What pages say of a state; why it `ended` is told until it answers again.
fn situation_of(state: &DevServerState, ended: &mut Option<String>) -> Situation {
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
            Situation::Ended(reason.clone())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    #[tokio::test]
    async fn nobody_serves_on_before_a_next_dev_that_is_not_watched() {
        let at = SocketAddr::from(([127, 0, 0, 1], 4000));
        let ready = DevServerState::Ready { address: at, after: Duration::ZERO };
        let (watcher, state) = watch::channel(ready);
        drop(watcher);
        let address = Address::new(None);
        let url = "http://localhost:3000".to_owned();
        let mut ready = Ready { url, steps: Steps::default(), banner: None };
        let error = follow(state, &address, &DevNews::default(), &mut ready).await;
        assert!(error.to_string().contains("not watched any more"), "{error}");
        let at = address.borrow().as_ref().map(UpstreamAddress::to_string);
        assert_eq!(at.as_deref(), Some("http://127.0.0.1:4000"));
    }
}
