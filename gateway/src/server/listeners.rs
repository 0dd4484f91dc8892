//! Listening sockets, one set for each worker.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs, UdpSocket};

use http::uri::Authority;
use socket2::{Domain, Protocol, Socket, Type};

use super::holder;
use crate::error::StartError;
use crate::proxy::bounded_stream::keep_alive;

/// Connections that the system queues for a busy worker.
const BACKLOG: i32 = 1024;

/// The sockets of all workers, bound to the same addresses.
#[derive(Debug)]
pub struct Listeners {
    addresses: Vec<SocketAddr>,
    workers: Vec<Vec<TcpListener>>,
}

impl Listeners {
    /// Listens on `port` at every address of `host` (`*` is all there are), for each of `workers`.
    ///
    /// Port 0 takes one that is free. Fails when the port is taken, also by another gateway:
    /// `SO_REUSEPORT` would let a second process share it silently, so each address is first bound
    /// without.
    pub fn bind(host: &str, port: u16, workers: usize) -> Result<Self, StartError> {
        let addresses = bindable(host, resolve(host, port)?)?;
        let mut all = Vec::new();
        for _ in 0..workers {
            let bound: Result<Vec<_>, _> =
                addresses.iter().map(|&address| listen(address, family(&addresses))).collect();
            all.push(bound?);
        }
        Ok(Self { addresses, workers: all })
    }

    /// Where the sockets listen; port 0 is replaced by what the system chose.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Whether somebody who connects to `upstream` would reach these sockets.
    ///
    /// A name that is not known yet, as one of a container that still starts, is nobody.
    pub fn are_reached_by(&self, upstream: &Authority) -> bool {
        let host = upstream.host().trim_start_matches('[').trim_end_matches(']');
        let port = upstream.port_u16().unwrap_or(80);
        let Ok(found) = (host, port).to_socket_addrs() else { return false };
        let is_own = |to: SocketAddr| {
            let covers = |own: &SocketAddr| own.ip().is_unspecified() && is_this_machine(to);
            self.addresses
                .iter()
                .any(|own| own.port() == to.port() && (own.ip() == to.ip() || covers(own)))
        };
        found.into_iter().any(is_own)
    }

    pub(super) fn into_workers(self) -> Vec<Vec<TcpListener>> {
        self.workers
    }
}

/// Whether the system would speak to `to` from that very address. Nothing is sent, and unlike an
/// attempt to bind it this is true where any address may be bound (`ip_nonlocal_bind`).
fn is_this_machine(to: SocketAddr) -> bool {
    let from = || {
        let any: IpAddr =
            if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind((any, 0))?;
        socket.connect(to)?;
        socket.local_addr()
    };
    to.ip().is_loopback() || from().is_ok_and(|from: SocketAddr| from.ip() == to.ip())
}

fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, StartError> {
    if host == "*" {
        return Ok(vec![
            (Ipv4Addr::UNSPECIFIED, port).into(),
            (Ipv6Addr::UNSPECIFIED, port).into(),
        ]);
    }
    let failed = |source| StartError::Host { host: host.to_owned(), source };
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let mut addresses: Vec<_> = (bare, port).to_socket_addrs().map_err(failed)?.collect();
    addresses.sort(); // IPv4 first: where only one family works, it is this one.
    addresses.dedup();
    Ok(addresses)
}

/// The addresses that can be bound, with their ports.
///
/// A host such as `localhost` has an address of either family, of which a machine may lack one:
/// that one is left out as long as another can be bound. A taken port is always an error.
fn bindable(host: &str, addresses: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, StartError> {
    let mut bindable: Vec<SocketAddr> = Vec::new();
    let mut missing = None;
    for mut address in addresses {
        if let (0, Some(first)) = (address.port(), bindable.first()) {
            address.set_port(first.port());
        }
        match TcpListener::bind(address).and_then(|listener| listener.local_addr()) {
            Ok(bound) => bindable.push(bound),
            Err(error) if is_missing(&error) => missing = Some((address, error)),
            Err(source) => {
                return Err(StartError::Listen {
                    address,
                    holder: holder::of(address.port()),
                    source,
                });
            }
        }
    }
    match (bindable.is_empty(), missing) {
        (false, _) => Ok(bindable),
        (true, Some((address, source))) => {
            Err(StartError::Listen { address, holder: None, source })
        }
        (true, None) => {
            let source = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
            Err(StartError::Host { host: host.to_owned(), source })
        }
    }
}

/// Whether this machine simply has no such address.
fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported)
        || error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error())
}

/// Whether an IPv6 socket takes IPv4 connections too.
#[derive(Debug, Clone, Copy)]
enum Family {
    Both,
    Ipv6Only,
}

/// `::` alone is for everybody; beside an IPv4 address each socket has its own family.
fn family(addresses: &[SocketAddr]) -> Family {
    if addresses.iter().any(SocketAddr::is_ipv4) { Family::Ipv6Only } else { Family::Both }
}

fn listen(address: SocketAddr, family: Family) -> Result<TcpListener, StartError> {
    let open = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        socket.set_reuse_port(true)?;
        if address.is_ipv6() {
            socket.set_only_v6(matches!(family, Family::Ipv6Only))?;
        }
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.set_tcp_keepalive(&keep_alive())?; // What is accepted inherits it.
        socket.listen(BACKLOG)?;
        Ok(socket.into())
    };
    open().map_err(|source| StartError::Listen { address, holder: None, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_worker_listens_on_the_same_free_port() {
        let listeners = Listeners::bind("127.0.0.1", 0, 3).unwrap();
        let port = listeners.addresses()[0].port();
        assert_ne!(port, 0);
        let workers = listeners.into_workers();
        assert_eq!(workers.len(), 3);
        for listener in workers.iter().flatten() {
            assert_eq!(listener.local_addr().unwrap().port(), port);
        }
    }

    #[test]
    fn a_port_of_another_gateway_is_taken() {
        let first = Listeners::bind("127.0.0.1", 0, 1).unwrap();
        let error = Listeners::bind("127.0.0.1", first.addresses()[0].port(), 1).unwrap_err();
        let message = error.to_string();
        assert!(message.contains("--port"), "{message}");
        if cfg!(target_os = "linux") {
            assert!(message.contains(&format!("process {}", std::process::id())), "{message}");
        }
    }

    #[test]
    fn localhost_is_served_on_all_of_its_addresses() {
        let listeners = Listeners::bind("localhost", 0, 1).unwrap();
        let mut ports: Vec<u16> = listeners.addresses().iter().map(SocketAddr::port).collect();
        ports.dedup();
        assert_eq!(ports.len(), 1);
        assert!(listeners.addresses().iter().all(|address| address.ip().is_loopback()));
    }

    #[test]
    fn a_star_is_every_address_that_the_machine_has() {
        let listeners = Listeners::bind("*", 0, 2).unwrap();
        let port = listeners.addresses()[0].port();
        for address in listeners.addresses() {
            assert!(address.ip().is_unspecified());
            assert_eq!(address.port(), port);
        }
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        if listeners.addresses().iter().any(SocketAddr::is_ipv6) {
            assert!(std::net::TcpStream::connect(("::1", port)).is_ok());
        }
    }

    #[test]
    fn an_upstream_that_is_the_gateway_itself_is_known() {
        let listeners = Listeners::bind("*", 0, 1).unwrap();
        let port = listeners.addresses()[0].port();
        let reached = |authority: String| listeners.are_reached_by(&authority.parse().unwrap());
        assert!(reached(format!("localhost:{port}")));
        assert!(reached(format!("127.0.0.1:{port}")));
        assert!(!reached(format!("127.0.0.1:{}", port.wrapping_add(1).max(1))));
        assert!(!reached(format!("no-such-host.invalid:{port}")));
    }

    #[test]
    fn an_upstream_at_this_machines_address_in_the_network_is_the_gateway_itself() {
        let listeners = Listeners::bind("*", 0, 1).unwrap();
        let port = listeners.addresses()[0].port();
        // Where this machine is in no network, it has no such address.
        let here = UdpSocket::bind("0.0.0.0:0").unwrap();
        if here.connect("203.0.113.1:9").is_ok() {
            let here = here.local_addr().unwrap().ip();
            assert!(listeners.are_reached_by(&format!("{here}:{port}").parse().unwrap()));
        }
        assert!(!listeners.are_reached_by(&format!("203.0.113.1:{port}").parse().unwrap()));
    }

    #[test]
    fn a_host_without_an_address_names_the_flag() {
        for host in ["no such host", "203.0.113.7"] {
            let error = Listeners::bind(host, 0, 1).unwrap_err().to_string();
            assert!(error.contains("--host"), "{error}");
        }
    }
}
