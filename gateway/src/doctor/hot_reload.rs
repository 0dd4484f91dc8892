//! Whether pages of a `next dev` come to life: its socket, and the origins that it knows.

use std::time::Duration;

use futures_util::future::select;

use super::Finding;
use super::ask::{self, Answer};
use super::upstream::TOOLS;
use crate::config::doctor::UpstreamSubject;

/// Paths of the socket, since 16.3 and before. A path that it does not know `next dev` leaves
/// unanswered.
const SOCKETS: [&str; 2] = ["/_next/hmr", "/_next/webpack-hmr"];

/// Longest wait for a socket, which needs no compiling.
const LIMIT: Duration = Duration::from_secs(3);

/// Key of a handshake; what it is does not matter (RFC 6455 §1.3 has this one).
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

pub(super) async fn look(subject: &UpstreamSubject) -> Vec<Finding> {
    let (socket, origins) = tokio::join!(socket(subject), origins(subject));
    let mut findings = vec![socket];
    findings.extend(origins);
    findings
}

async fn socket(subject: &UpstreamSubject) -> Finding {
    const ID: &str = "hot-reload";
    const WHY: &str =
        "the dev runtime waits for it: pages are shown and none of their buttons works";
    let [newer, older] = SOCKETS.map(|path| Box::pin(upgrade(subject, path)));
    // Of the two, one may be left unanswered until the limit.
    let (first, other) = select(newer, older).await.factor_first();
    let mut answers = vec![first];
    if !answers.iter().flatten().any(is_open) {
        answers.push(other.await);
    }
    if answers.iter().flatten().any(is_open) {
        return Finding::ok(ID, "the socket opens");
    }
    if answers.iter().flatten().any(is_refusal) {
        return Finding::problem(ID, format!("the socket is refused to {}", subject.local_origin))
            .why(WHY)
            .cure("name the host in allowedDevOrigins of next.config");
    }
    Finding::warning(ID, "the socket does not open")
        .why(WHY)
        .cure("look into the log of next dev; under a basePath computed in next.config this may be no fault")
}

async fn upgrade(subject: &UpstreamSubject, path: &str) -> Result<Answer, String> {
    let path = format!("{}{path}", subject.base_path.as_deref().unwrap_or_default());
    let fields = [
        ("Origin", subject.local_origin.as_str()),
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", KEY),
    ];
    ask::get(&subject.address, &path, &fields, LIMIT).await
}

fn is_open(answer: &Answer) -> bool {
    answer.status() == Some(101)
}

/// `next dev` writes the bare word to a socket of an origin that it does not know.
fn is_refusal(answer: &Answer) -> bool {
    matches!(answer, Answer::Other(bytes) if bytes.starts_with(b"Unauthorized"))
}

/// Which pages `next dev` lets ask for its tools. Only the site's own origin is worth a warning: by
/// default it knows `localhost` alone.
async fn origins(subject: &UpstreamSubject) -> Vec<Finding> {
    const LOOPBACK: &str = "http://127.0.0.1:3000";
    let public = subject.public_origin.as_deref();
    let (loopback, public_answer) =
        tokio::join!(is_let_in(subject, LOOPBACK), is_let_in(subject, public.unwrap_or(LOOPBACK)));
    let mut findings = Vec::new();
    if let Some(is_let_in) = loopback {
        findings.push(of_loopback(is_let_in));
    }
    if let (Some(public), Some(is_let_in)) = (public, public_answer) {
        findings.push(of_public(public, is_let_in));
    }
    findings
}

const ORIGINS: &str = "dev-origins";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    Granted,
    Refused,
}

async fn is_let_in(subject: &UpstreamSubject, origin: &str) -> Option<Entry> {
    let answer = ask::get(&subject.address, TOOLS, &[("Origin", origin)], LIMIT).await.ok()?;
    match answer.status()? {
        403 => Some(Entry::Refused),
        _ => Some(Entry::Granted),
    }
}

fn of_loopback(entry: Entry) -> Finding {
    match entry {
        Entry::Granted => {
            Finding::ok(ORIGINS, "pages opened at 127.0.0.1 work as those at localhost")
        }
        Entry::Refused => Finding::ok(ORIGINS, "localhost is known, 127.0.0.1 is not")
            .why("pages that are opened at http://127.0.0.1 show and do not work")
            .cure("open http://localhost, or name 127.0.0.1 in allowedDevOrigins of next.config"),
    }
}

fn of_public(origin: &str, entry: Entry) -> Finding {
    match entry {
        Entry::Granted => Finding::ok(ORIGINS, format!("{origin} is known")),
        Entry::Refused => Finding::warning(ORIGINS, format!("{origin} (--public-url) is refused"))
            .why("its pages show and do not work")
            .cure("name its host in allowedDevOrigins of next.config"),
    }
    .fact("origin", origin)
}
