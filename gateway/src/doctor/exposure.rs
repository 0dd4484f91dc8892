//! Whether others than the gateway reach the upstream: they could say who is signed in.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use http::uri::Authority;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Finding;
use super::upstream::is_local;
use crate::proxy::upstream_address::UpstreamAddress;
use crate::server::holder;

const ID: &str = "upstream-exposure";

/// Longest wait for a connection to this machine's own address.
const LIMIT: Duration = Duration::from_secs(1);

/// An address that is nobody's (RFC 5737 §3): the way towards it tells this machine's own.
const NOBODY: (&str, u16) = ("192.0.2.1", 9);

pub(super) async fn look(address: &UpstreamAddress) -> Finding {
    match address {
        UpstreamAddress::Unix(path) => of_file(path),
        UpstreamAddress::Tcp(authority) if is_local(authority.host()) => of_port(authority).await,
        UpstreamAddress::Tcp(authority) => {
            let what = format!(
                "{} is not this machine alone: who else reaches it is not seen from here",
                authority.host()
            );
            Finding::ok(ID, what)
                .why("whoever reaches Next.js directly can say that he is any user")
                .cure("a network of its own, or a firewall, that lets the gateway alone to it")
        }
    }
}

async fn of_port(authority: &Authority) -> Finding {
    let port = authority.port_u16().unwrap_or(80);
    match holder::addresses(port) {
        Some(addresses) => judge(port, &addresses),
        None => match reached_from_outside(port).await {
            Some(address) => judge(port, &[address]),
            None => judge(port, &[]),
        },
    }
}

/// `addresses` are those at which somebody listens on the upstream's port.
fn judge(port: u16, addresses: &[IpAddr]) -> Finding {
    let open = addresses.iter().find(|address| !address.is_loopback());
    let Some(open) = open else {
        let what = format!("port {port} is this machine's own");
        return Finding::ok(ID, what).fact("open", false);
    };
    let at = if open.is_unspecified() { "every address".to_owned() } else { open.to_string() };
    Finding::warning(ID, format!("port {port} is open at {at}: other machines may reach it"))
        .why("whoever reaches Next.js directly can say that he is any user")
        .cure("bind it to this machine: next start -H 127.0.0.1, HOSTNAME=127.0.0.1 for server.js, no published port in Docker")
        .fact("open", true)
        .fact("address", open.to_string())
}

/// This machine's own address in the network, if the port answers there; where the system does not
/// tell who listens.
async fn reached_from_outside(port: u16) -> Option<IpAddr> {
    let address = own_address().ok()?;
    let connecting = TcpStream::connect(SocketAddr::from((address, port)));
    timeout(LIMIT, connecting).await.ok()?.ok()?;
    Some(address)
}

/// Nothing is sent: a datagram's socket only looks up its way.
fn own_address() -> io::Result<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.connect(NOBODY)?;
    Ok(socket.local_addr()?.ip())
}

fn of_file(path: &Path) -> Finding {
    let mode = path.metadata().map(|found| found.permissions().mode() & 0o777).unwrap_or_default();
    let shown = path.display();
    if mode & 0o002 == 0 {
        return Finding::ok(ID, format!("{shown} is this machine's own, mode {mode:o}"));
    }
    Finding::warning(ID, format!("every user of this machine may connect to {shown}"))
        .why("whoever reaches Next.js directly can say that he is any user")
        .cure(format!("chmod o-w {shown}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn a_port_is_open_at_any_address_but_loopback() {
        let level = |addresses: &[&str]| {
            let addresses: Vec<IpAddr> =
                addresses.iter().map(|text| text.parse().unwrap()).collect();
            judge(3001, &addresses).level
        };
        assert_eq!(level(&["127.0.0.1", "::1"]), Level::Ok);
        assert_eq!(level(&[]), Level::Ok);
        assert_eq!(level(&["127.0.0.1", "0.0.0.0"]), Level::Warning);
        assert_eq!(level(&["::"]), Level::Warning);
        assert_eq!(level(&["192.168.1.2"]), Level::Warning);
    }
}
