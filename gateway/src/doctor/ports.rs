//! Whether the gateway could listen where it is to.

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::{Finding, ask};
use crate::error::chain;
use crate::proxy::upstream_address::UpstreamAddress;
use crate::server::holder;
use crate::server::listen_at::ListenAt;
use crate::server::listeners::Listeners;

const ID: &str = "port";

/// Longest wait for a gateway to say that it is one.
const HEALTH_LIMIT: Duration = Duration::from_secs(2);

/// What a process of the gateway is called by the system.
const OWN_NAME: &str = "(nextbnb-gateway)";

/// Looks at each place; a gateway that serves there already is none the worse for it.
pub(super) async fn look(places: &[ListenAt]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for place in places {
        findings.push(match place {
            ListenAt::Tcp { host, port } => of_port(host, *port).await,
            ListenAt::Unix { path, .. } => of_file(path),
        });
    }
    findings
}

async fn of_port(host: &str, port: u16) -> Finding {
    let (own_host, place) = (host.to_owned(), format!("{host}:{port}"));
    // On a thread of its own, since a name server may hang.
    let trial = tokio::task::spawn_blocking(move || Listeners::try_out(&own_host, port));
    let error = match trial.await {
        Ok(Ok(())) => return Finding::ok(ID, format!("{place} is free")).fact("port", port),
        Ok(Err(error)) => chain(&error),
        Err(lost) => lost.to_string(),
    };
    let holder = holder::of(port);
    let is_own = holder.as_ref().is_some_and(|holder| holder.contains(OWN_NAME));
    if is_own || is_gateway(port).await {
        let what = format!("{place} has a gateway that serves already");
        return Finding::ok(ID, what).fact("port", port).fact("holder", holder);
    }
    Finding::problem(ID, error)
        .why("the gateway does not start")
        .cure("end what has the port, or give another --port")
        .fact("port", port)
        .fact("holder", holder)
}

async fn is_gateway(port: u16) -> bool {
    let Ok(authority) = format!("localhost:{port}").parse() else { return false };
    let address = UpstreamAddress::Tcp(authority);
    let answer = ask::get(&address, "/.nextbnb/health", &[], HEALTH_LIMIT).await;
    answer.is_ok_and(|answer| answer.status() == Some(200))
}

fn of_file(path: &Path) -> Finding {
    let shown = path.display();
    let folder = path.parent().unwrap_or(Path::new("/"));
    let finding = if !folder.is_dir() {
        Finding::problem(ID, format!("unix:{shown}: its folder is not there"))
            .why("the gateway does not start")
            .cure(format!("mkdir -p {}", folder.display()))
    } else if UnixStream::connect(path).is_ok() {
        let holder = holder::of_socket(path);
        if holder.as_ref().is_some_and(|holder| holder.contains(OWN_NAME)) {
            Finding::ok(ID, format!("unix:{shown} has a gateway that serves already"))
        } else {
            let holder = holder.unwrap_or_else(|| "another process".to_owned());
            Finding::problem(ID, format!("unix:{shown} is taken by {holder}"))
                .why("the gateway does not start")
                .cure("end it, or give another --listen")
        }
    } else {
        Finding::ok(ID, format!("unix:{shown} is free"))
    };
    finding.fact("path", shown.to_string())
}
