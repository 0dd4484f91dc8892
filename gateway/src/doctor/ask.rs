//! One harmless request, and the head of what comes back.

use std::io;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::error::{RequestError, chain};
use crate::proxy::connect::connect;
use crate::proxy::upstream_address::UpstreamAddress;

/// Longest wait for a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);

/// What the log of an upstream knows it by.
const AGENT: &str = "nextbnb-gateway-doctor";

/// Bytes of a head that are read, four times Node's own limit.
const LONGEST_HEAD: usize = 64 * 1024;

/// Fields of a head that are read.
const MOST_FIELDS: usize = 100;

/// A WebSocket's frame that says goodbye: empty, masked with nothing (RFC 6455 §5.5.1).
const GOODBYE: &[u8] = &[0x88, 0x80, 0, 0, 0, 0];

/// What came back.
#[derive(Debug)]
pub(super) enum Answer {
    /// The head of an answer.
    Head { status: u16, fields: HeaderMap },
    /// Bytes that are no HTTP.
    Other(Vec<u8>),
    /// The connection's end, without a byte.
    Nothing,
    /// No whole head within the limit.
    Late,
}

impl Answer {
    /// Its status, where it has one.
    pub(super) fn status(&self) -> Option<u16> {
        match self {
            Self::Head { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// A field of it.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        match self {
            Self::Head { fields, .. } => fields.get(name)?.to_str().ok(),
            _ => None,
        }
    }
}

/// Sends `GET path` with these fields beside the usual ones, and reads the head of the answer within
/// `limit`; fails where no connection comes about, with the reason in words.
pub(super) async fn get(
    upstream: &UpstreamAddress,
    path: &str,
    fields: &[(&str, &str)],
    limit: Duration,
) -> Result<Answer, String> {
    let mut stream = connect(upstream, CONNECT_LIMIT).await.map_err(|error| match error {
        RequestError::UpstreamUnreachable(reason) => reason.to_string(),
        other => chain(&other),
    })?;
    let request = written(upstream, path, fields);
    let exchange = async {
        stream.write_all(request.as_bytes()).await?;
        let mut head = Vec::new();
        loop {
            let answer = read(&head);
            if let Some(answer) = answer.filter(|_| !head.is_empty()) {
                return Ok::<_, io::Error>(answer);
            }
            if head.len() >= LONGEST_HEAD || stream.read_buf(&mut head).await? == 0 {
                return Ok(if head.is_empty() { Answer::Nothing } else { Answer::Other(head) });
            }
        }
    };
    let answer = match timeout(limit, exchange).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => Answer::Nothing, // Reset, which says no more than an end.
        Err(_) => Answer::Late,
    };
    if answer.status() == Some(101) {
        drop(stream.write_all(GOODBYE).await); // It is closed either way.
    }
    Ok(answer)
}

fn written(upstream: &UpstreamAddress, path: &str, fields: &[(&str, &str)]) -> String {
    let host = upstream.authority().map_or("localhost", |authority| authority.as_str());
    let mut request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n");
    for (name, value) in [("User-Agent", AGENT), ("Accept", "text/html")].iter().chain(fields) {
        for part in [name, ": ", value, "\r\n"] {
            request.push_str(part);
        }
    }
    request.push_str("\r\n");
    request
}

/// The answer that these bytes are; `None` while more may come.
fn read(bytes: &[u8]) -> Option<Answer> {
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut response = httparse::Response::new(&mut fields);
    match response.parse(bytes) {
        Ok(httparse::Status::Partial) => None,
        Err(_) => Some(Answer::Other(bytes.to_vec())),
        Ok(httparse::Status::Complete(_)) => {
            let field = |field: &httparse::Header<'_>| {
                let name = HeaderName::from_bytes(field.name.as_bytes()).ok()?;
                Some((name, HeaderValue::from_bytes(field.value).ok()?))
            };
            let mut read = HeaderMap::new();
            for (name, value) in response.headers.iter().filter_map(field) {
                read.append(name, value);
            }
            Some(Answer::Head { status: response.code?, fields: read })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_when_it_is_whole() {
        assert!(read(b"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\n").is_none());
        let answer = read(b"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\n\r\nbody").unwrap();
        assert_eq!((answer.status(), answer.field("keep-alive")), (Some(200), Some("timeout=5")));
    }

    #[test]
    fn bare_bytes_are_no_answer() {
        assert!(
            matches!(read(b"Unauthorized"), Some(Answer::Other(bytes)) if bytes == b"Unauthorized")
        );
    }
}
