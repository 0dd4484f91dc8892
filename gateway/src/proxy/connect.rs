//! TCP connections to the upstream.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use http::uri::Authority;
use socket2::SockRef;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::bounded_stream::keep_alive;
use crate::error::RequestError;

/// Port of an `http://` origin that names none (RFC 9110 §4.2.1).
const HTTP_PORT: u16 = 80;

/// Connects to `upstream`, whose name is looked up anew, so that a recreated container is found.
///
/// Every address is tried in turn within `limit`, none for longer than half of it, so that one
/// dead address does not use up the time of a living one.
pub(super) async fn connect(
    upstream: &Authority,
    limit: Duration,
) -> Result<TcpStream, RequestError> {
    match timeout(limit, dial(upstream, limit / 2)).await {
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
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in lookup_host((host, port)).await? {
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
