//! `serve`: in front of a Next.js that runs elsewhere.

use tokio::sync::watch;
use tracing::info;

use super::signals::{HangUp, StopSignals};
use super::{block_on, listen};
use crate::app::App;
use crate::config::Config;
use crate::config::args::ServeArgs;
use crate::config::upstreams::parse_upstream;
use crate::database::DatabaseTarget;
use crate::error::StartError;
use crate::proxy::upstream_address::UpstreamAddress;
use crate::server::descriptors::raise_limit;

pub(super) fn run(args: &ServeArgs) -> Result<(), StartError> {
    let upstream = parse_upstream(&args.upstream)?;
    let config = Config::serve(args)?;
    raise_limit(config.limits.connections);
    let hang_up = if config.tls.is_some() { HangUp::Reloads } else { HangUp::Ends };
    block_on(hang_up, serve(config, upstream, hang_up))
}

async fn serve(
    config: Config,
    upstream: UpstreamAddress,
    hang_up: HangUp,
) -> Result<(), StartError> {
    let mut signals = StopSignals::listen(hang_up)?;
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    let address = watch::Sender::new(Some(upstream.clone()));
    let start = async {
        let listeners = listen(&config, Some(upstream.clone())).await?;
        if let DatabaseTarget::Embedded(file) = &config.database {
            let file = file.display();
            info!(
                "embedded database {file}: one process on one file; give --database-url for more"
            );
        }
        App::start(config, listeners, address.subscribe()).await
    };
    let Some(app) = Box::pin(signals.unless_told(start)).await? else { return Ok(()) };
    for address in app.server().addresses() {
        info!("serving on {scheme}://{address} in front of {upstream}");
    }
    for path in app.server().socket_paths() {
        info!("serving on unix:{} in front of {upstream}", path.display());
    }
    app.announce_admin();
    let signal = signals.next().await;
    info!("{signal}: finishing what runs");
    app.stop().await;
    info!("ended");
    Ok(())
}
