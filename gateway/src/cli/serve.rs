//! `serve`: in front of a Next.js that runs elsewhere.

use http::uri::Authority;
use tokio::sync::watch;
use tracing::info;

use super::block_on;
use super::signals::StopSignals;
use crate::app::App;
use crate::config::args::ServeArgs;
use crate::config::units::parse_upstream;
use crate::config::{Config, DatabaseSource};
use crate::error::StartError;
use crate::server::listeners::Listeners;

pub(super) fn run(args: &ServeArgs) -> Result<(), StartError> {
    let upstream = parse_upstream(&args.upstream)?;
    let config = Config::serve(args)?;
    let listeners = Listeners::bind(&config.listen.host, config.listen.port, config.workers)?;
    if listeners.are_reached_by(&upstream) {
        return Err(StartError::UpstreamIsSelf { upstream: upstream.to_string() });
    }
    block_on(serve(config, listeners, upstream))
}

async fn serve(
    config: Config,
    listeners: Listeners,
    upstream: Authority,
) -> Result<(), StartError> {
    let mut signals = StopSignals::listen()?;
    if let DatabaseSource::Embedded(file) = &config.database {
        let file = file.display();
        info!("embedded database {file}: one process on one file; give --database-url for more");
    }
    let address = watch::Sender::new(Some(upstream.clone()));
    let app = tokio::select! {
        app = App::start(config, listeners, address.subscribe()) => app?,
        signal = signals.next() => {
            info!("{signal} before anything was served");
            return Ok(());
        }
    };
    for address in app.server().addresses() {
        info!("serving on http://{address} in front of http://{upstream}");
    }
    let signal = signals.next().await;
    info!("{signal}: finishing what runs");
    tokio::select! {
        () = app.stop() => {
            info!("ended");
            Ok(())
        }
        signal = signals.insisted() => Err(StartError::Insisted { signal }),
    }
}
