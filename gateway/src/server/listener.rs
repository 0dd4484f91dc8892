//! One listening socket, over TCP or in the file system.

use std::io;
use std::net;
use std::os::unix;

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use crate::downstream::peer::Source;
use crate::proxy::socket::Socket;

/// A listening socket that no runtime watches yet, or any more.
#[derive(Debug)]
pub(super) enum Unwatched {
    Tcp(net::TcpListener),
    Unix(unix::net::UnixListener),
}

/// A listening socket that the current runtime watches.
#[derive(Debug)]
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    pub(super) fn watch(listener: Unwatched) -> io::Result<Self> {
        match listener {
            Unwatched::Tcp(listener) => TcpListener::from_std(listener).map(Self::Tcp),
            Unwatched::Unix(listener) => UnixListener::from_std(listener).map(Self::Unix),
        }
    }

    pub(super) async fn accept(&self) -> io::Result<(Socket, Source)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, client) = listener.accept().await?;
                Ok((Socket::Tcp(stream), Source::Tcp(client.ip())))
            }
            Self::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                Ok((Socket::Unix(stream), Source::Unix))
            }
        }
    }

    pub(super) fn unwatch(self) -> io::Result<Unwatched> {
        match self {
            Self::Tcp(listener) => listener.into_std().map(Unwatched::Tcp),
            Self::Unix(listener) => listener.into_std().map(Unwatched::Unix),
        }
    }
}

impl Unwatched {
    /// Accepts what waits in the system's queue, or fails with [`io::ErrorKind::WouldBlock`].
    pub(super) fn accept(&self) -> io::Result<(Socket, Source)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, client) = listener.accept()?;
                stream.set_nonblocking(true)?;
                Ok((Socket::Tcp(TcpStream::from_std(stream)?), Source::Tcp(client.ip())))
            }
            Self::Unix(listener) => {
                let (stream, _) = listener.accept()?;
                stream.set_nonblocking(true)?;
                Ok((Socket::Unix(UnixStream::from_std(stream)?), Source::Unix))
            }
        }
    }
}

/// The address that a client connected to, if it is one; fails where the client is gone.
pub(super) fn prepare(socket: &Socket) -> io::Result<Option<net::SocketAddr>> {
    match socket {
        Socket::Tcp(stream) => {
            // Stream pieces are small and must not wait for more.
            stream.set_nodelay(true)?;
            stream.local_addr().map(Some)
        }
        Socket::Unix(_) => Ok(None),
    }
}
