//! The program itself, on a test's database.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use nextbnb_tests::binary::gateway_binary;
use nextbnb_tests::wait_until;
use tokio::net::TcpStream;

use crate::site::SECRET;

/// `serve` at `address`, before an upstream that is not there.
pub(crate) fn serve(url: &str, folder: &Path, address: SocketAddr) -> Command {
    let mut serve = Command::new(gateway_binary());
    serve.args(["serve", "--upstream", "http://127.0.0.1:9", "--database-url", url]);
    serve.env("PORT", address.port().to_string()).env("SESSION_SECRET", SECRET.repeat(2));
    serve.current_dir(folder).stdout(Stdio::null());
    serve
}

/// Waits until somebody does at `address`.
pub(crate) async fn listens(address: SocketAddr) {
    wait_until("it listens", async || TcpStream::connect(address).await.is_ok()).await;
}
