//! Who is at the other end of a connection.

use std::net::IpAddr;

/// Where a connection comes from, as the system says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// An address of the network.
    Tcp(IpAddr),
    /// A process of this machine, through a Unix socket.
    Unix,
}

/// The other end of a connection, and whether its word counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Its address, never an IPv4 one mapped to IPv6; `127.0.0.1` behind a Unix socket.
    pub address: IpAddr,
    /// Whether it is one of `--trusted-proxies`.
    pub is_trusted: bool,
}
