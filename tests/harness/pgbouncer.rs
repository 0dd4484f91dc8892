//! The real `PgBouncer` in its transaction mode, before a test's database.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use rustix::process::geteuid;
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::chaos::{Server, detour};
use crate::database::TestDatabase;
use crate::next::{Group, free_address};
use crate::wait_until;

/// Where Debian has it, to which only root's PATH leads.
const DEBIANS: &str = "/usr/sbin/pgbouncer";

/// A pooler, ended when this is dropped.
#[derive(Debug)]
pub struct PgBouncer {
    url: String,
    _process: Group,
    _folder: TempDir,
}

impl PgBouncer {
    /// Lends each connection of the server's for a transaction.
    pub async fn before(database: &TestDatabase) -> Self {
        let address = free_address();
        let (server, url) = detour(database.url(), address);
        let place = match server {
            Server::Socket(socket) => format!("host={}", socket.parent().unwrap().display()),
            Server::Tcp(address) => {
                let (host, port) = address.rsplit_once(':').unwrap_or((&address, "5432"));
                format!("host={host} port={port}")
            }
        };
        let folder = TempDir::new().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let settings = folder.path().join("pgbouncer.ini");
        let port = address.port();
        let text = format!(
            "[databases]\n* = {place} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\n"
        );
        fs::write(&settings, text).unwrap();
        let program = if Path::new(DEBIANS).exists() { DEBIANS } else { "pgbouncer" };
        let mut command = if geteuid().is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--", program]); // It refuses to be root.
            command
        } else {
            Command::new(program)
        };
        let process = Group::spawn(command.arg("-q").arg(&settings));
        wait_until("PgBouncer listens", async || TcpStream::connect(address).await.is_ok()).await;
        Self { url, _process: process, _folder: folder }
    }

    /// The database's URL by way of it. `PgBouncer` before 1.21 keeps no prepared statements.
    pub fn url(&self) -> String {
        format!("{}?statement-cache-capacity=0", self.url)
    }
}
