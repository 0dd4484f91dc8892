//! `health`: asks a gateway whether it serves, where no other client is at hand.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::health_tls::{is_no_tls, over_tls};
use crate::config::EVERY_ADDRESS;
use crate::config::args::HealthArgs;
use crate::config::front::place;
use crate::downstream::proxy_protocol::LOCAL_HEADER;
use crate::error::StartError;
use crate::server::client_stream::WANTS_TLS;
use crate::server::listen_at::ListenAt;

/// Longest wait for a connection and for the answer, each.
const LIMIT: Duration = Duration::from_secs(2);

/// Bytes of an answer that are read; the gateway's own are far shorter.
const LONGEST_ANSWER: u64 = 16 * 1024;

pub(super) fn run(args: &HealthArgs) -> Result<(), StartError> {
    let asked = match args.listen.iter().find(|typed| !typed.is_empty()) {
        Some(typed) => place(typed, 0)?,
        None => ListenAt::Tcp { host: args.host.clone(), port: args.port },
    };
    let unhealthy = |reason| StartError::Unhealthy { address: asked.to_string(), reason };
    let path = if args.upstreams { "/.nextbnb/health/upstreams" } else { "/.nextbnb/health" };
    let question = Question {
        introduction: if args.proxy_protocol { &LOCAL_HEADER[..] } else { &[] },
        over_tls: args.tls,
        request: format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
    };
    let answer = ask(&asked, &question).map_err(|error| unhealthy(error.to_string()))?;
    let status = answer.lines().next().unwrap_or_default();
    if status.contains(" 200 ") {
        return Ok(());
    }
    if answer.ends_with(WANTS_TLS) {
        return Err(unhealthy("it speaks TLS: ask with --tls".to_owned()));
    }
    let body = answer.lines().last().filter(|body| body.starts_with('{')).unwrap_or_default();
    Err(unhealthy(format!("{status} {body}").trim_end().to_owned()))
}

/// What is sent, and through what.
struct Question<'a> {
    introduction: &'a [u8],
    over_tls: bool,
    request: String,
}

/// The whole answer.
fn ask(asked: &ListenAt, question: &Question<'_>) -> io::Result<String> {
    let (host, port) = match asked {
        ListenAt::Tcp { host, port } => (host, *port),
        ListenAt::Unix { path, .. } => return ask_socket(path, question),
    };
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    // As `--host` takes them: this process is not the one that listens.
    let host = match host.as_str() {
        EVERY_ADDRESS => "localhost",
        host => host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host),
    };
    for address in (host, port).to_socket_addrs()? {
        match ask_address(address, question) {
            Ok(answer) => return Ok(answer),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn ask_address(address: SocketAddr, question: &Question<'_>) -> io::Result<String> {
    if question.over_tls && !address.ip().is_loopback() {
        let reason = "--tls asks a gateway on this machine alone: its certificate is not checked";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
    }
    let stream = TcpStream::connect_timeout(&address, LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    exchange(stream, question)
}

fn ask_socket(path: &Path, question: &Question<'_>) -> io::Result<String> {
    let stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    exchange(stream, question)
}

fn exchange(mut stream: impl Read + Write, question: &Question<'_>) -> io::Result<String> {
    stream.write_all(question.introduction)?;
    if question.over_tls {
        read_answer(over_tls(stream)?, question).map_err(|error| {
            if is_no_tls(&error) {
                io::Error::other("it speaks no TLS: ask without --tls")
            } else {
                error
            }
        })
    } else {
        read_answer(stream, question)
    }
}

fn read_answer(mut stream: impl Read + Write, question: &Question<'_>) -> io::Result<String> {
    stream.write_all(question.request.as_bytes())?;
    let mut answer = String::new();
    stream.take(LONGEST_ANSWER).read_to_string(&mut answer)?;
    if answer.starts_with("HTTP/") {
        Ok(answer)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidData, "what answers there speaks no HTTP"))
    }
}
