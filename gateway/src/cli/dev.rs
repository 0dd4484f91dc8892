//! `dev`: Next.js started, watched and ended together with the gateway.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Instant;

use tokio::sync::watch;
use tracing::{info, warn};

use super::banner::{Banner, Network, database_in_words};
use super::dev_next::with_next;
use super::keys::{Key, Keys, next_key, open};
use super::ready::{Ready, Steps, public_url};
use super::signals::{HangUp, StopSignals};
use super::{block_on, listen};
use crate::app::App;
use crate::config::args::DevArgs;
use crate::config::state_dir::StateDir;
use crate::config::upstreams::parse_upstream;
use crate::config::{Config, DEV_HOST};
use crate::error::{StartError, chain};
use crate::identity::headers::UpstreamToken;
use crate::next::project::Project;
use crate::proxy::upstream_address::UpstreamAddress;
use crate::session::signed_in::SignedIn;

/// Where the upstream answers; `None` until Next.js has a port.
pub(super) type Address = watch::Sender<Option<UpstreamAddress>>;

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
    let start = Started::start(Config::dev(args, &state_dir)?, args, &state_dir, &address);
    let Some(mut started) = signals.unless_told(start).await? else { return Ok(()) };
    let mut keys = Keys::listen();
    started.ready.name_keys(keys.as_ref());
    started.ready.say_beside(&upstream);
    loop {
        tokio::select! {
            signal = signals.next() => {
                info!("{signal}: ending the gateway");
                break;
            }
            over = until_over(&mut keys, &started.ready.url, &started.app) => match over {
                Over::Restart => info!("Next.js at {upstream} is somebody else's to start again"),
                Over::Quit => {
                    info!("ending the gateway");
                    break;
                }
            }
        }
    }
    started.app.stop().await;
    Ok(())
}

/// Why one life of `next dev` is over for somebody at the terminal.
pub(super) enum Over {
    Restart,
    Quit,
}

/// Does what keys ask for, until that is an end.
pub(super) async fn until_over(keys: &mut Option<Keys>, url: &str, app: &App) -> Over {
    loop {
        match next_key(keys).await {
            Key::Open => open(url),
            Key::Users => match app.signed_in().await {
                Ok(found) => tell_who(&found),
                Err(error) => warn!(cause = chain(&error), "cannot tell who is signed in"),
            },
            Key::Restart => return Over::Restart,
            Key::Quit => return Over::Quit,
        }
    }
}

/// Tells the terminal, and no log: there are addresses in it.
fn tell_who(found: &SignedIn) {
    let SignedIn { sessions, guests, is_sample } = found;
    let of = |count: u64| if count == 1 { "session" } else { "sessions" };
    // What somebody registered with must not move the cursor.
    let named = sessions.iter().map(|(name, count)| (name.escape_debug().to_string(), *count));
    let guests = (*guests > 0).then(|| ("guests".to_owned(), *guests));
    let lines = named.chain(guests).map(|(who, count)| format!(" {who} ({count} {})", of(count)));
    let mut lines: Vec<String> = lines.collect();
    if sessions.is_empty() {
        lines.insert(0, " nobody is signed in".to_owned());
    }
    if *is_sample {
        lines.push(" and perhaps others: not every row was read".to_owned());
    }
    let text = lines.join("\n") + "\n";
    drop(io::stderr().write_all(text.as_bytes())); // Nobody reads a closed terminal.
}

/// The gateway while it serves, with what its start took.
pub(super) struct Started {
    pub(super) app: App,
    /// What Next.js knows the gateway by.
    pub(super) token: String,
    pub(super) ready: Ready,
}

impl Started {
    pub(super) async fn start(
        config: Config,
        args: &DevArgs,
        state_dir: &Path,
        address: &Address,
    ) -> Result<Self, StartError> {
        let database = database_in_words(&config.database);
        let began = Instant::now();
        let upstream = address.borrow().clone();
        let listeners = listen(&config, upstream).await?;
        let token = config.upstream_token.as_ref().map(UpstreamToken::expose).unwrap_or_default();
        let token = token.to_owned();
        let app = Box::pin(App::start(config, listeners, address.subscribe())).await?;
        app.announce_admin();
        let port = app.server().addresses().first().map_or(args.listen.port, SocketAddr::port);
        let host = args.listen.host_or(DEV_HOST);
        let mut steps = Steps::default();
        steps.add("database", began.elapsed());
        let banner = Banner {
            network: Network::of(host, port),
            database,
            state_dir: args.database.state_dir_or(state_dir).to_path_buf(),
            versions: vec![format!("nextbnb-gateway {}", env!("CARGO_PKG_VERSION"))],
            keys: None,
        };
        let ready = Ready { url: public_url(host, port), steps, banner: Some(banner) };
        Ok(Self { app, token, ready })
    }
}

pub(super) fn working_folder() -> Result<PathBuf, StartError> {
    std::env::current_dir()
        .map_err(|source| StartError::System { what: "without a working folder", source })
}
