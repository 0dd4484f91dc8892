//! Listening sockets of TCP: which addresses they have, and how they are opened.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};

use socket2::{Domain, Protocol, Socket, Type};

use super::holder;
use super::listeners::BACKLOG;
use crate::error::StartError;
use crate::proxy::bounded_stream::keep_alive;

/// The addresses of `host`; `*` is all there are.
pub(super) fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, StartError> {
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
pub(super) fn bindable(
    host: &str,
    addresses: Vec<SocketAddr>,
) -> Result<Vec<SocketAddr>, StartError> {
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
pub(super) enum Family {
    Both,
    Ipv6Only,
}

/// `::` alone is for everybody; beside an IPv4 address each socket has its own family.
pub(super) fn family(addresses: &[SocketAddr]) -> Family {
    if addresses.iter().any(SocketAddr::is_ipv4) { Family::Ipv6Only } else { Family::Both }
}

/// Listens at an address that others of this process may share.
pub(super) fn listen(address: SocketAddr, family: Family) -> Result<TcpListener, StartError> {
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
