//! `health`: asks a gateway whether it serves, where no other client is at hand.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use crate::config::EVERY_ADDRESS;
use crate::config::args::HealthArgs;
use crate::error::StartError;

/// Longest wait for a connection and for the answer, each.
const LIMIT: Duration = Duration::from_secs(2);

/// Bytes of an answer that are read; the gateway's own are far shorter.
const LONGEST_ANSWER: u64 = 16 * 1024;

pub(super) fn run(args: &HealthArgs) -> Result<(), StartError> {
    let address = format!("{}:{}", args.host, args.port);
    let unhealthy = |reason| StartError::Unhealthy { address: address.clone(), reason };
    let path = if args.upstreams { "/.nextbnb/health/upstreams" } else { "/.nextbnb/health" };
    let answer = ask(&args.host, args.port, path).map_err(|error| unhealthy(error.to_string()))?;
    let status = answer.lines().next().unwrap_or_default();
    if status.contains(" 200 ") {
        return Ok(());
    }
    let body = answer.lines().last().filter(|body| body.starts_with('{')).unwrap_or_default();
    Err(unhealthy(format!("{status} {body}").trim_end().to_owned()))
}

/// The whole answer.
fn ask(host: &str, port: u16, path: &str) -> io::Result<String> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    // As `--host` takes them: this process is not the one that listens.
    let host = match host {
        EVERY_ADDRESS => "localhost",
        host => host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host),
    };
    for address in (host, port).to_socket_addrs()? {
        match ask_at(address, path) {
            Ok(answer) => return Ok(answer),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn ask_at(address: SocketAddr, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(LONGEST_ANSWER).read_to_string(&mut answer)?;
    if answer.starts_with("HTTP/") {
        Ok(answer)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidData, "what answers there speaks no HTTP"))
    }
}
