//! The application of `tests/next-app/site`, which does what applications may do, as a server.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;

use rustix::process::Signal;
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};

use crate::next::{Group, build, free_address, next, repository};
use crate::visitor::Visitor;
use crate::wait_until;

/// `next start` or `next dev` of the application.
#[derive(Debug)]
pub struct NextApp {
    command: &'static str,
    address: SocketAddr,
    data: TempDir,
    process: Option<Group>,
    _turn: Option<MutexGuard<'static, ()>>,
}

impl NextApp {
    /// Builds it, unless that was done after its last change, and starts it.
    pub async fn start() -> Self {
        tokio::task::spawn_blocking(|| build(&folder())).await.unwrap();
        Self::run("start", None).await
    }

    /// Starts `next dev`, once there is no other in the folder: it allows for one.
    pub async fn develop() -> Self {
        static TURN: Mutex<()> = Mutex::const_new(());
        Self::run("dev", Some(TURN.lock().await)).await
    }

    async fn run(command: &'static str, turn: Option<MutexGuard<'static, ()>>) -> Self {
        let data = TempDir::new().unwrap();
        let address = free_address();
        let mut server = Self { command, address, data, process: None, _turn: turn };
        server.restart().await;
        server
    }

    /// Where it answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The ids of the orders that were ever carried out, one for each time, over all restarts.
    pub fn orders(&self) -> Vec<String> {
        let written = std::fs::read_to_string(self.orders_file()).unwrap_or_default();
        written.lines().map(str::to_owned).collect()
    }

    /// What the server has written on its terminal.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// Kills it as `kill -9` does.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Ends it as an operator does, and waits for the end.
    pub async fn terminate(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        process.signal(Signal::TERM);
        wait_until("next ends", async || process.has_ended()).await;
    }

    /// Starts it (again, on the same port) and waits until it answers.
    pub async fn restart(&mut self) {
        let mut next = next(self.command, &folder());
        next.args(["-H", "127.0.0.1", "-p", &self.address.port().to_string()]);
        let log = std::fs::File::options().create(true).append(true).open(self.log_file()).unwrap();
        next.env("ORDERS_FILE", self.orders_file()).stdout(log.try_clone().unwrap()).stderr(log);
        self.process = Some(Group::spawn(next.stdin(Stdio::null())));
        let address = self.address;
        wait_until("next answers", async || {
            let is_open = tokio::net::TcpStream::connect(address).await.is_ok();
            is_open && Visitor::new(address).get("/api/orders?id=0").await.status == 200
        })
        .await;
    }

    fn orders_file(&self) -> PathBuf {
        self.data.path().join("orders")
    }

    fn log_file(&self) -> PathBuf {
        self.data.path().join("log")
    }
}

/// Where the application is.
pub fn folder() -> PathBuf {
    repository().join("tests/next-app/site")
}
