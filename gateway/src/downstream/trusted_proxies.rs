//! The proxies whose word on their clients is taken (`--trusted-proxies`).

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

use super::peer::{Peer, Source};

/// This machine (RFC 1122 §3.2.1.3, RFC 4291 §2.5.3).
const LOOPBACK: [&str; 2] = ["127.0.0.0/8", "::1/128"];

/// Networks that nobody routes (RFC 1918 §3, RFC 4193 §3.1).
const PRIVATE: [&str; 4] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"];

/// Networks of trusted proxies; by default there are none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    networks: Vec<IpNet>,
    are_unix: bool,
}

impl TrustedProxies {
    /// Adds an address, a network as `10.0.0.0/8`, `loopback`, `private`, or `unix`: whoever may
    /// connect through the gateway's own socket files. Fails with what would be right.
    pub fn add(&mut self, typed: &str) -> Result<(), &'static str> {
        match typed {
            "unix" => self.are_unix = true,
            "loopback" => LOOPBACK.iter().try_for_each(|network| self.add(network))?,
            "private" => PRIVATE.iter().try_for_each(|network| self.add(network))?,
            _ => self.networks.push(network(typed)?),
        }
        Ok(())
    }

    /// Whether nobody is trusted.
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty() && !self.are_unix
    }

    /// Whether one of the networks holds `address`, which is no mapped one.
    pub fn hold(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// The peer that `source` is.
    pub fn peer(&self, source: Source) -> Peer {
        match source {
            Source::Tcp(address) => {
                let address = address.to_canonical();
                Peer { address, is_trusted: self.hold(address) }
            }
            Source::Unix => Peer { address: Ipv4Addr::LOCALHOST.into(), is_trusted: self.are_unix },
        }
    }
}

fn network(typed: &str) -> Result<IpNet, &'static str> {
    let network: IpNet = match typed.parse::<IpAddr>() {
        Ok(address) => address.into(),
        Err(_) => typed.parse().map_err(
            |_| "want addresses, networks as 10.0.0.0/8, loopback, private or unix, commas between",
        )?,
    };
    if network.prefix_len() == 0 {
        return Err("that is everybody: any client could choose its own address");
    }
    if network.trunc() != network {
        return Err("want a network's first address before the slash, as in 10.0.0.0/8");
    }
    if network.addr().to_canonical() != network.addr() {
        return Err("want an IPv4 network in its own form, as in 10.0.0.0/8");
    }
    Ok(network)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusted(typed: &[&str]) -> TrustedProxies {
        let mut trusted = TrustedProxies::default();
        for typed in typed {
            trusted.add(typed).unwrap();
        }
        trusted
    }

    #[track_caller]
    fn check(typed: &[&str], address: &str, expected: bool) {
        let peer = trusted(typed).peer(Source::Tcp(address.parse().unwrap()));
        assert_eq!(peer.is_trusted, expected, "{typed:?} {address}");
    }

    #[test]
    fn a_peer_is_trusted_when_a_network_holds_it() {
        check(&[], "127.0.0.1", false);
        check(&["10.1.0.0/16"], "10.1.255.255", true);
        check(&["10.1.0.0/16"], "10.2.0.0", false);
        check(&["10.1.2.3"], "10.1.2.3", true);
        check(&["10.1.2.3"], "10.1.2.4", false);
        check(&["2001:db8::/32", "::1"], "2001:db8:1::2", true);
        check(&["2001:db8::/32", "::1"], "::2", false);
    }

    #[test]
    fn an_ipv4_peer_on_an_ipv6_socket_is_the_same_peer() {
        check(&["10.0.0.0/8"], "::ffff:10.1.2.3", true);
        let peer = trusted(&[]).peer(Source::Tcp("::ffff:10.1.2.3".parse().unwrap()));
        assert_eq!(peer.address.to_string(), "10.1.2.3");
    }

    #[test]
    fn words_stand_for_networks_and_none_for_another() {
        check(&["loopback"], "127.8.9.1", true);
        check(&["loopback"], "::1", true);
        check(&["loopback"], "10.0.0.1", false);
        for private in ["10.0.0.1", "172.31.0.1", "192.168.255.1", "fdaa::1"] {
            check(&["private"], private, true);
        }
        for public in ["127.0.0.1", "172.32.0.1", "11.0.0.1", "169.254.1.1", "fe80::1", "2001::1"] {
            check(&["private"], public, false);
        }
        assert!(trusted(&["unix"]).peer(Source::Unix).is_trusted);
        assert!(!trusted(&["loopback"]).peer(Source::Unix).is_trusted);
        check(&["unix"], "127.0.0.1", false);
        assert!(!trusted(&["unix"]).is_empty() && trusted(&[]).is_empty());
    }

    #[test]
    fn what_is_no_network_or_everybody_is_refused() {
        for bad in ["", "localhost", "10.0.0", "10.0.0.0/33", "fe80::1%eth0", "10.0.0.1:80", "*"] {
            assert!(TrustedProxies::default().add(bad).is_err(), "{bad:?}");
        }
        for everybody in ["0.0.0.0/0", "::/0"] {
            let refused = TrustedProxies::default().add(everybody).unwrap_err();
            assert!(refused.contains("everybody"), "{refused}");
        }
        assert!(TrustedProxies::default().add("10.0.0.1/8").is_err());
        assert!(TrustedProxies::default().add("::ffff:10.0.0.0/104").is_err());
    }
}
