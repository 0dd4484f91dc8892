//! Cuts the connection between the gateway and Postgres.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::database::TestDatabase;

/// A TCP proxy that can be cut: then open connections break and new ones are closed at once.
#[derive(Debug)]
pub struct ChaosProxy {
    url: String,
    is_cut: Arc<watch::Sender<bool>>,
    task: JoinHandle<()>,
}

impl ChaosProxy {
    /// Stands before the server of `database`.
    pub async fn before(database: &TestDatabase) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (server, url) = detour(database.url(), listener.local_addr().unwrap());
        let is_cut = Arc::new(watch::Sender::new(false));
        let cut = is_cut.clone();
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(carry(stream, server.clone(), cut.subscribe()));
            }
        });
        Self { url, is_cut, task }
    }

    /// The database's URL by way of this proxy.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Breaks all connections and lets none through.
    pub fn cut(&self) {
        self.is_cut.send_replace(true);
    }

    /// Lets connections through again.
    pub fn heal(&self) {
        self.is_cut.send_replace(false);
    }
}

impl Drop for ChaosProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Where a Postgres listens.
#[derive(Debug, Clone)]
enum Server {
    Socket(PathBuf),
    Tcp(String),
}

async fn carry(client: TcpStream, server: Server, is_cut: watch::Receiver<bool>) {
    if *is_cut.borrow() {
        return;
    }
    match server {
        Server::Socket(path) => {
            copy(client, UnixStream::connect(path).await.unwrap(), is_cut).await;
        }
        Server::Tcp(address) => {
            copy(client, TcpStream::connect(address).await.unwrap(), is_cut).await;
        }
    }
}

async fn copy(
    mut client: TcpStream,
    mut server: impl AsyncRead + AsyncWrite + Unpin,
    mut is_cut: watch::Receiver<bool>,
) {
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        _ = is_cut.wait_for(|cut| *cut) => {}
    }
}

/// The server that `url` names, and the URL that leads there by way of `proxy`.
fn detour(url: &str, proxy: SocketAddr) -> (Server, String) {
    let (place, settings) = url.split_once('?').unwrap_or((url, ""));
    let (before, rest) = place.split_once('@').expect("a URL that names a user");
    let (host, name) = rest.split_once('/').expect("a URL that names a database");
    let folder = settings.split('&').find_map(|setting| setting.strip_prefix("host="));
    let server = match folder {
        Some(folder) => Server::Socket(Path::new(folder).join(".s.PGSQL.5432")),
        None => Server::Tcp(host.to_owned()),
    };
    (server, format!("{before}@{proxy}/{name}"))
}
