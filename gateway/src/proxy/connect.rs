//! Connections to the upstream.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use http::uri::Authority;
use socket2::SockRef;
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::time::{sleep, timeout};

use super::bounded_stream::keep_alive;
use super::socket::Socket;
use super::upstream_address::{UNIX, UpstreamAddress};
use crate::error::RequestError;

/// Port of an `http://` origin that names none (RFC 9110 §4.2.1).
const HTTP_PORT: u16 = 80;

/// Rest between two attempts at a Unix socket whose queue is full, which fails at once where TCP
/// would wait.
const QUEUE_PAUSE: Duration = Duration::from_millis(10);

/// Connects to `upstream`, whose name is looked up anew, so that a recreated container is found.
///
/// Every address is tried in turn within `limit`, none for longer than half of it, so that one
/// dead address does not use up the time of a living one.
pub(crate) async fn connect(
    upstream: &UpstreamAddress,
    limit: Duration,
) -> Result<Socket, RequestError> {
    let dial = async {
        match upstream {
            UpstreamAddress::Tcp(authority) => dial(authority, limit / 2).await.map(Socket::Tcp),
            UpstreamAddress::Unix(path) => dial_unix(path).await.map(Socket::Unix),
        }
    };
    match timeout(limit, dial).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) if error.kind() == io::ErrorKind::TimedOut => {
            Err(RequestError::UpstreamSilent(limit))
        }
        Ok(Err(error)) => Err(RequestError::UpstreamUnreachable(error)),
        Err(_) => Err(RequestError::UpstreamSilent(limit)),
    }
}

async fn dial(upstream: &Authority, limit_each: Duration) -> io::Result<TcpStream> {
    let host = upstream.host().trim_start_matches('[').trim_end_matches(']');
    let port = upstream.port_u16().unwrap_or(HTTP_PORT);
    dial_any(lookup_host((host, port)).await?, limit_each).await
}

/// Fails with the path in the error's text: what the system says names none.
async fn dial_unix(path: &Path) -> io::Result<UnixStream> {
    loop {
        match UnixStream::connect(path).await {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => sleep(QUEUE_PAUSE).await,
            Err(error) => {
                let text = format!("{UNIX}{}: {error}", path.display());
                return Err(io::Error::new(error.kind(), text));
            }
            connected => return connected,
        }
    }
}

async fn dial_any(
    addresses: impl Iterator<Item = SocketAddr>,
    limit_each: Duration,
) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        match dial_address(address, limit_each).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn dial_address(address: SocketAddr, limit: Duration) -> io::Result<TcpStream> {
    let stream = timeout(limit, TcpStream::connect(address)).await??;
    stream.set_nodelay(true)?; // Heads and stream pieces are small and must not wait for more.
    SockRef::from(&stream).set_tcp_keepalive(&keep_alive())?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use socket2::{Domain, SockAddr, Socket as Socket2, Type};
    use tokio::net::TcpListener;

    use super::*;

    const LIMIT: Duration = Duration::from_millis(500);

    fn loopback() -> SocketAddr {
        (Ipv4Addr::LOCALHOST, 0).into()
    }

    /// A listener whose queue is full, so that no more connections come about; and what fills it.
    fn full_listener() -> (SocketAddr, Vec<Socket2>) {
        let open = || Socket2::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let listener = open();
        listener.bind(&loopback().into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let mut sockets = vec![listener];
        loop {
            let socket = open();
            let connected = socket.connect_timeout(&address, Duration::from_millis(200));
            sockets.push(socket);
            if connected.is_err() {
                return (address.as_socket().unwrap(), sockets);
            }
        }
    }

    #[tokio::test]
    async fn every_address_is_tried_until_one_answers() {
        let closed = std::net::TcpListener::bind(loopback()).unwrap().local_addr().unwrap();
        let (full, _sockets) = full_listener();
        let living = TcpListener::bind(loopback()).await.unwrap();
        let address = living.local_addr().unwrap();
        let stream = dial_any([closed, full, address].into_iter(), LIMIT).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address);
        assert!(stream.nodelay().unwrap());
    }

    #[tokio::test]
    async fn the_last_failure_is_told_where_no_address_answers() {
        let closed = std::net::TcpListener::bind(loopback()).unwrap().local_addr().unwrap();
        let refused = dial_any([closed].into_iter(), LIMIT).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        let none = dial_any([].into_iter(), LIMIT).await.unwrap_err();
        assert_eq!(none.kind(), io::ErrorKind::NotFound);
    }

    #[tokio::test]
    async fn an_upstream_that_does_not_let_anybody_in_is_silent() {
        let (full, _sockets) = full_listener();
        let error = connect(&full.to_string().parse::<Authority>().unwrap().into(), LIMIT)
            .await
            .unwrap_err();
        assert!(matches!(error, RequestError::UpstreamSilent(LIMIT)), "{error}");
    }

    #[tokio::test]
    async fn a_unix_socket_that_lets_nobody_in_is_silent_until_it_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("next.sock");
        let listener = Socket2::new(Domain::UNIX, Type::STREAM, None).unwrap();
        listener.bind(&SockAddr::unix(&path).unwrap()).unwrap();
        listener.listen(0).unwrap();
        let address = UpstreamAddress::Unix(path);
        let first = connect(&address, LIMIT).await.unwrap();
        let error = connect(&address, LIMIT).await.unwrap_err();
        assert!(matches!(error, RequestError::UpstreamSilent(LIMIT)), "{error}");
        let accept = tokio::task::spawn_blocking(move || listener.accept().map(|_| listener));
        connect(&address, Duration::from_secs(10)).await.unwrap();
        drop((first, accept.await));
    }

    #[tokio::test]
    async fn a_unix_socket_that_is_not_there_is_named() {
        let address = UpstreamAddress::Unix("/nowhere/next.sock".into());
        let error = connect(&address, LIMIT).await.unwrap_err();
        let said = crate::error::chain(&error);
        assert!(said.contains("unix:/nowhere/next.sock: No such file"), "{said}");
    }
}
