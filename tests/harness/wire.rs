//! Raw bytes to the gateway, for what no well-behaved client sends.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use nextbnb_gateway::proxy::socket::Socket;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection on which bytes are sent as they are.
#[derive(Debug)]
pub struct Wire {
    stream: Socket,
    read: Vec<u8>,
}

impl Wire {
    /// Connects to the gateway.
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: Socket::Tcp(stream), read: Vec::new() }
    }

    /// Connects to the gateway's socket at `path`.
    pub async fn connect_at(path: &Path) -> Self {
        let stream = UnixStream::connect(path).await.unwrap();
        Self { stream: Socket::Unix(stream), read: Vec::new() }
    }

    /// Sends `bytes`.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Sends no more, and still reads.
    pub async fn end(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// Reads until `part` has come; returns everything up to its end and keeps the rest.
    #[track_caller]
    pub fn read_until(&mut self, part: &str) -> impl Future<Output = String> {
        let read = async move {
            loop {
                let at = self.read.windows(part.len()).position(|w| w == part.as_bytes());
                if let Some(at) = at {
                    let rest = self.read.split_off(at + part.len());
                    let all = std::mem::replace(&mut self.read, rest);
                    return String::from_utf8_lossy(&all).into_owned();
                }
                let came = self.stream.read_buf(&mut self.read).await.unwrap();
                let so_far = String::from_utf8_lossy(&self.read);
                assert_ne!(came, 0, "closed before {part:?}; so far: {so_far:?}");
            }
        };
        async { timeout(PATIENCE, read).await.expect("nothing came in time") }
    }

    /// Reads the head of a response.
    pub async fn read_head(&mut self) -> String {
        self.read_until("\r\n\r\n").await
    }

    /// Reads until the gateway closes the connection.
    pub async fn read_to_end(mut self) -> String {
        let read = async {
            // A reset is an end too.
            drop(self.stream.read_to_end(&mut self.read).await);
            String::from_utf8_lossy(&self.read).into_owned()
        };
        timeout(PATIENCE, read).await.expect("the gateway kept the connection open")
    }
}

/// Sends `bytes` on a connection of its own and reads until the gateway closes it.
pub async fn exchange(address: SocketAddr, bytes: impl AsRef<[u8]>) -> String {
    let mut wire = Wire::connect(address).await;
    wire.send(bytes).await;
    wire.read_to_end().await
}
