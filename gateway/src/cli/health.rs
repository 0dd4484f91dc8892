//! `health`: asks a gateway whether it serves, where no other client is at hand.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use crate::config::EVERY_ADDRESS;
use crate::config::args::HealthArgs;
use crate::error::StartError;

/// Longest wait for a connection and for the answer, each.
const LIMIT: Duration = Duration::from_secs(2);

pub(super) fn run(args: &HealthArgs) -> Result<(), StartError> {
    let address = format!("{}:{}", args.host, args.port);
    let unhealthy = |reason| StartError::Unhealthy { address: address.clone(), reason };
    let status = ask(&args.host, args.port).map_err(|error| unhealthy(error.to_string()))?;
    if status.contains(" 200 ") { Ok(()) } else { Err(unhealthy(status)) }
}

/// The status line of the answer.
fn ask(host: &str, port: u16) -> io::Result<String> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    // As `--host` takes them: this process is not the one that listens.
    let host = match host {
        EVERY_ADDRESS => "localhost",
        host => host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host),
    };
    for address in (host, port).to_socket_addrs()? {
        match ask_at(address) {
            Ok(status) => return Ok(status),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn ask_at(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    write!(
        stream,
        "GET /.nextbnb/health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut status = String::new();
    BufReader::new(stream).read_line(&mut status)?;
    if status.starts_with("HTTP/") {
        Ok(status.trim_end().to_owned())
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidData, "what answers there speaks no HTTP"))
    }
}
