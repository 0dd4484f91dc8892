//! Listening sockets, one set for each worker.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::path::Path;

use http::uri::Authority;

use super::listen_at::ListenAt;
use super::listener::Unwatched;
use super::socket_file::SocketFile;
use super::tcp_sockets::{bindable, family, listen, resolve};
use crate::error::StartError;
use crate::proxy::upstream_address::UpstreamAddress;

/// Connections that the system queues for a busy worker.
pub(super) const BACKLOG: i32 = 1024;

/// The sockets of all workers, bound to the same addresses.
#[derive(Debug)]
pub struct Listeners {
    addresses: Vec<SocketAddr>,
    files: Vec<SocketFile>,
    workers: Vec<Vec<Unwatched>>,
}

impl Listeners {
    /// Listens at every one of `places`, for each of `workers`.
    ///
    /// Port 0 takes one that is free. Fails when a port is taken, also by another gateway:
    /// `SO_REUSEPORT` would let a second process share it silently, so each address is first bound
    /// without; and when a living process listens at a file.
    pub fn open(places: &[ListenAt], workers: usize) -> Result<Self, StartError> {
        let workers_sockets = (0..workers).map(|_| Vec::new()).collect();
        let mut all = Self { addresses: Vec::new(), files: Vec::new(), workers: workers_sockets };
        for place in places {
            match place {
                ListenAt::Tcp { host, port } => all.add_tcp(host, *port)?,
                ListenAt::Unix { path, mode } => all.add_unix(path, *mode)?,
            }
        }
        Ok(all)
    }

    /// Whether `port` could be listened on now; nothing is left of the trial.
    pub fn try_out(host: &str, port: u16) -> Result<(), StartError> {
        bindable(host, resolve(host, port)?).map(drop)
    }

    fn add_tcp(&mut self, host: &str, port: u16) -> Result<(), StartError> {
        let addresses = bindable(host, resolve(host, port)?)?;
        for worker in &mut self.workers {
            for &address in &addresses {
                worker.push(Unwatched::Tcp(listen(address, family(&addresses))?));
            }
        }
        self.addresses.extend(addresses);
        Ok(())
    }

    /// All workers accept from one socket, since a file has but one.
    fn add_unix(&mut self, path: &Path, mode: u32) -> Result<(), StartError> {
        let (file, listener) = SocketFile::listen(path, mode)?;
        for worker in &mut self.workers {
            let shared = listener
                .try_clone()
                .map_err(|source| StartError::System { what: "a listener", source })?;
            worker.push(Unwatched::Unix(shared));
        }
        self.files.push(file);
        Ok(())
    }

    /// Where the sockets listen; port 0 is replaced by what the system chose.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Whether somebody who connects to `upstream` would reach these sockets.
    ///
    /// A name that is not known yet, as one of a container that still starts, is nobody.
    pub fn are_reached_by(&self, upstream: &UpstreamAddress) -> bool {
        match upstream {
            UpstreamAddress::Tcp(authority) => self.have_address_of(authority),
            UpstreamAddress::Unix(path) => self.files.iter().any(|file| file.is_at(path)),
        }
    }

    fn have_address_of(&self, upstream: &Authority) -> bool {
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

    pub(super) fn into_parts(self) -> (Vec<Vec<Unwatched>>, Vec<SocketFile>) {
        (self.workers, self.files)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn bind(host: &str, port: u16, workers: usize) -> Result<Listeners, StartError> {
        Listeners::open(&[ListenAt::Tcp { host: host.to_owned(), port }], workers)
    }

    #[test]
    fn every_worker_listens_on_the_same_free_port() {
        let listeners = bind("127.0.0.1", 0, 3).unwrap();
        let port = listeners.addresses()[0].port();
        assert_ne!(port, 0);
        let (workers, _files) = listeners.into_parts();
        assert_eq!(workers.len(), 3);
        for listener in workers.iter().flatten() {
            let Unwatched::Tcp(listener) = listener else { panic!("{listener:?}") };
            assert_eq!(listener.local_addr().unwrap().port(), port);
        }
    }

    #[test]
    fn a_port_of_another_gateway_is_taken() {
        let first = bind("127.0.0.1", 0, 1).unwrap();
        let error = bind("127.0.0.1", first.addresses()[0].port(), 1).unwrap_err();
        let message = error.to_string();
        assert!(message.contains("--port"), "{message}");
        if cfg!(target_os = "linux") {
            assert!(message.contains(&format!("process {}", std::process::id())), "{message}");
        }
    }

    #[test]
    fn localhost_is_served_on_all_of_its_addresses() {
        let listeners = bind("localhost", 0, 1).unwrap();
        let mut ports: Vec<u16> = listeners.addresses().iter().map(SocketAddr::port).collect();
        ports.dedup();
        assert_eq!(ports.len(), 1);
        assert!(listeners.addresses().iter().all(|address| address.ip().is_loopback()));
    }

    #[test]
    fn a_star_is_every_address_that_the_machine_has() {
        let listeners = bind("*", 0, 2).unwrap();
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
        let listeners = bind("*", 0, 1).unwrap();
        let port = listeners.addresses()[0].port();
        let reached = |authority: String| {
            listeners.are_reached_by(&authority.parse::<Authority>().unwrap().into())
        };
        assert!(reached(format!("localhost:{port}")));
        assert!(reached(format!("127.0.0.1:{port}")));
        assert!(!reached(format!("127.0.0.1:{}", port.wrapping_add(1).max(1))));
        assert!(!reached(format!("no-such-host.invalid:{port}")));
    }

    #[test]
    fn an_upstream_at_this_machines_address_in_the_network_is_the_gateway_itself() {
        let listeners = bind("*", 0, 1).unwrap();
        let port = listeners.addresses()[0].port();
        let reached = |authority: String| {
            listeners.are_reached_by(&authority.parse::<Authority>().unwrap().into())
        };
        // Where this machine is in no network, it has no such address.
        let here = UdpSocket::bind("0.0.0.0:0").unwrap();
        if here.connect("203.0.113.1:9").is_ok() {
            let here = here.local_addr().unwrap().ip();
            assert!(reached(format!("{here}:{port}")));
        }
        assert!(!reached(format!("203.0.113.1:{port}")));
    }

    #[test]
    fn a_host_without_an_address_names_the_flag() {
        for host in ["no such host", "203.0.113.7"] {
            let error = bind(host, 0, 1).unwrap_err().to_string();
            assert!(error.contains("--host"), "{error}");
        }
    }
}
