//! How much a gateway bears at once.

use tracing::warn;

use crate::config::limits::Limits;
use crate::downstream::crowd::{Crowd, CrowdLimits};
use crate::gateway::Crowds;
use crate::server::descriptors::Room;

/// Largest default for one client: a company behind one address.
const MOST_OF_CLIENT: usize = 1024;

/// The crowds of a gateway: what the settings say, else what the descriptors of this process are
/// enough for.
pub(super) fn crowds(limits: &Limits) -> Crowds {
    let Room { descriptors, connections: enough_for } = Room::of_process();
    if let Some(typed) = limits.connections.filter(|typed| *typed > enough_for) {
        warn!(
            "--max-connections {typed} is more than {descriptors} file descriptors are enough \
             for ({enough_for}): raise the limit (`ulimit -Hn`, LimitNOFILE= of systemd)"
        );
    }
    let connections = connections(limits, enough_for);
    // A request is on a connection, unless several share one: nobody has more for asking over HTTP/2.
    let requests = CrowdLimits {
        total: limits.requests.unwrap_or(connections.total),
        per_client: connections.per_client,
    };
    let upgrades = CrowdLimits {
        total: limits.upgrades.unwrap_or(connections.total - connections.total / 4),
        per_client: limits.upgrades_per_client.unwrap_or(connections.per_client),
    };
    Crowds {
        connections: Crowd::new(
            "connections (--max-connections, --max-connections-per-client)",
            connections,
        ),
        requests: Crowd::new("requests under way", requests),
        upgrades: Crowd::new("open WebSockets", upgrades),
    }
}

fn connections(limits: &Limits, enough_for: usize) -> CrowdLimits {
    let total = limits.connections.unwrap_or(enough_for);
    let share = (total / 4).clamp(1, MOST_OF_CLIENT);
    CrowdLimits { total, per_client: limits.connections_per_client.unwrap_or(share) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_client_gets_a_quarter_unless_told_otherwise() {
        let of_client = |total, typed| {
            let connections_per_client = typed;
            let limits = Limits { connections: total, connections_per_client, ..Limits::default() };
            connections(&limits, 200).per_client
        };
        assert_eq!(of_client(None, None), 50);
        assert_eq!(of_client(Some(40), None), 10);
        assert_eq!(of_client(Some(1), None), 1);
        assert_eq!(of_client(Some(30_000), None), MOST_OF_CLIENT);
        assert_eq!(of_client(Some(40), Some(7)), 7);
    }
}
