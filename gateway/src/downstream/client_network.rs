//! Whom a client counts as where clients are counted.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use super::front::Front;
use super::peer::Peer;

/// A client's share in a limit: an IPv4 address, or the /64 that one IPv6 subscriber has at least
/// (RFC 6177 §2), so that nobody is many by choosing other addresses of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientNetwork(IpAddr);

impl ClientNetwork {
    /// The network of an address that is no mapped one.
    pub fn of(client: IpAddr) -> Self {
        match client {
            IpAddr::V4(_) => Self(client),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Self(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into())
            }
        }
    }
}

impl fmt::Display for ClientNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(address) => write!(f, "{address}"),
            IpAddr::V6(first) => write!(f, "{first}/64"),
        }
    }
}

impl Front {
    /// Whom `client` counts as; `None` for whom no limit of a client's holds, since many people may
    /// be behind it: this machine, a trusted proxy, and whoever connects from a network that nobody
    /// routes without being named by a trusted proxy (a container's bridge, a proxy that
    /// `--trusted-proxies` forgot, the pages that call the gateway back).
    pub fn counted(&self, client: IpAddr, peer: Peer) -> Option<ClientNetwork> {
        let is_own = client.is_loopback() || self.trusted.hold(client);
        let is_inner = client == peer.address && is_private(client);
        (!is_own && !is_inner).then(|| ClientNetwork::of(client))
    }
}

/// Networks of RFC 1918, 3927, 6598 (10/8 and the like, 169.254/16, 100.64/10), 4193 and 4291
/// (`fc00::/7`, `fe80::/10`).
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [a, b, ..] = address.octets();
            let is_shared = a == 100 && b & 0xc0 == 64;
            address.is_private() || address.is_link_local() || is_shared
        }
        IpAddr::V6(address) => address.is_unique_local() || address.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_ipv6_subscriber_is_one_client() {
        let network = |text| ClientNetwork::of(address(text));
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_ne!(network("203.0.113.7"), network("203.0.113.8"));
        assert_eq!(network("2001:db8:1:2::1").to_string(), "2001:db8:1:2::/64");
    }

    #[track_caller]
    fn check(client: &str, peer: &str, is_counted: bool) {
        let mut front = Front::default();
        front.trusted.add("198.51.100.0/24").unwrap();
        let peer = Peer { address: address(peer), is_trusted: false };
        assert_eq!(front.counted(address(client), peer).is_some(), is_counted, "{client} {peer:?}");
    }

    #[test]
    fn whoever_may_be_many_is_counted_as_nobody() {
        for many in ["127.0.0.1", "::1", "198.51.100.7"] {
            check(many, "198.51.100.1", false);
        }
        for inner in ["10.0.0.1", "172.17.0.1", "192.168.65.1", "100.64.0.1", "fd00::1", "fe80::1"]
        {
            check(inner, inner, false);
            check(inner, "198.51.100.1", true); // A trusted proxy has named it.
        }
        for outer in ["203.0.113.7", "100.128.0.1", "2001:db8::1"] {
            check(outer, outer, true);
        }
    }
}
