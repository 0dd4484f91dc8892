//! Cuts or silences the connection between the gateway and Postgres.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::database::TestDatabase;

/// A TCP proxy that can be cut: then open connections break and new ones are closed at once. Frozen,
/// it takes what it is sent and passes nothing on, as a network does in which a cable was pulled.
#[derive(Debug)]
pub struct ChaosProxy {
    url: String,
    way: Arc<watch::Sender<Way>>,
    server: Arc<Mutex<Server>>,
    task: JoinHandle<()>,
}

impl ChaosProxy {
    /// Stands before the server of `database`.
    pub async fn before(database: &TestDatabase) -> Self {
        Self::before_url(database.url()).await
    }

    /// Stands before the server of `url`.
    pub async fn before_url(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (server, url) = detour(url, listener.local_addr().unwrap());
        let server = Arc::new(Mutex::new(server));
        let to = server.clone();
        let way = Arc::new(watch::Sender::new(Way::Open));
        let watched = way.clone();
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let server = to.lock().unwrap().clone();
                tokio::spawn(carry(stream, server, watched.subscribe()));
            }
        });
        Self { url, way, server, task }
    }

    /// The database's URL by way of this proxy.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Lets new connections through to the server of `url`, as a name that leads elsewhere; those
    /// that are there stay where they are.
    pub fn lead_to(&self, url: &str) {
        let (server, _) = detour(url, ([127, 0, 0, 1], 0).into());
        *self.server.lock().unwrap() = server;
    }

    /// Breaks all connections and lets none through.
    pub fn cut(&self) {
        self.way.send_replace(Way::Cut);
    }

    /// Passes nothing on, and says nothing of it.
    pub fn freeze(&self) {
        self.way.send_replace(Way::Frozen);
    }

    /// Lets new connections through again.
    pub fn heal(&self) {
        self.way.send_replace(Way::Open);
    }
}

impl Drop for ChaosProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Open,
    Cut,
    Frozen,
}

/// Where a Postgres listens.
#[derive(Debug, Clone)]
pub(crate) enum Server {
    Socket(PathBuf),
    Tcp(String),
}

async fn carry(client: TcpStream, server: Server, mut way: watch::Receiver<Way>) {
    let now = *way.borrow();
    if now != Way::Open {
        drop(way.wait_for(|way| *way != Way::Frozen).await);
        return;
    }
    match server {
        Server::Socket(path) => {
            let Ok(server) = UnixStream::connect(path).await else { return };
            copy(client, server, way).await;
        }
        Server::Tcp(address) => {
            let Ok(server) = TcpStream::connect(address).await else { return };
            copy(client, server, way).await;
        }
    }
}

async fn copy(
    mut client: TcpStream,
    mut server: impl AsyncRead + AsyncWrite + Unpin,
    mut way: watch::Receiver<Way>,
) {
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        _ = way.wait_for(|way| *way != Way::Open) => {}
    }
    drop(way.wait_for(|way| *way != Way::Frozen).await);
}

/// The server that `url` names, and the URL that leads there by way of `proxy`.
pub(crate) fn detour(url: &str, proxy: SocketAddr) -> (Server, String) {
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
