//! What an answer through the gateway may differ in from the application's own.

use std::net::SocketAddr;

use http::{HeaderMap, HeaderName, header};

use super::check::Step;
use super::play::{HOST, Seen};

/// Fields that differ, each for a reason; all others must be the same, value by value.
const ALLOWED: [(&str, &str); 7] = [
    ("connection", "describes one connection (RFC 9110 §7.6.1)"),
    ("keep-alive", "describes one connection"),
    ("transfer-encoding", "describes one connection"),
    ("date", "two answers, two moments"),
    ("x-powered-by", "removed: what kind of server answers is nobody's business"),
    ("x-request-id", "added to every answer"),
    ("age", "told of built files from memory (RFC 9111 §5.1)"),
];

/// Whether the application is built, or compiled as it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Production,
    Development,
}

/// In what `through` is not what the application answered, `straight`.
pub(crate) fn differences(
    straight: &Seen,
    through: &Seen,
    mode: Mode,
    next: SocketAddr,
) -> Vec<String> {
    let mut found = Vec::new();
    if straight.status != through.status {
        found.push(format!("{} became {}", straight.status, through.status));
    }
    for name in names_of(&straight.headers, &through.headers) {
        let (before, after) = (values(straight, &name, next), values(through, &name, next));
        // Next.js leaves it out of a 304; RFC 9110 §15.4.5 does not.
        let is_left_out = name == header::VARY && straight.status == 304 && before.is_empty();
        // Of built files from memory it is known.
        let is_told = name == header::CONTENT_LENGTH
            && before.is_empty()
            && after == [through.body.len().to_string()];
        if before != after && !is_left_out && !is_told {
            found.push(format!("{name}: {before:?} became {after:?}"));
        }
    }
    if rows(straight) != rows(through) && !is_made_anew(straight, mode) {
        let (before, after) = (shown(straight), shown(through));
        found.push(format!("the body {before} became {after}"));
    }
    found
}

/// In what an answer is not what the check wants.
pub(crate) fn shortcomings(step: &Step, seen: &Seen) -> Vec<String> {
    let mut found = Vec::new();
    if seen.status != step.status {
        found.push(format!("{} instead of {}: {}", seen.status, step.status, shown(seen)));
    }
    let text = String::from_utf8_lossy(&seen.body);
    for part in step.says.iter().filter(|part| !text.contains(**part)) {
        found.push(format!("{part:?} is not in {}", shown(seen)));
    }
    for (name, part) in &step.fields {
        let values: Vec<_> = seen.headers.get_all(*name).iter().collect();
        if !values.iter().any(|value| String::from_utf8_lossy(value.as_bytes()).contains(part)) {
            found.push(format!("{name} has no {part:?}: {values:?}"));
        }
    }
    found
}

fn names_of(one: &HeaderMap, other: &HeaderMap) -> Vec<HeaderName> {
    let mut names: Vec<_> = one.keys().chain(other.keys()).cloned().collect();
    names.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    names.dedup();
    names.retain(|name| !ALLOWED.iter().any(|(allowed, _)| name == allowed));
    names
}

/// The values of a field as a browser understands them: a redirect to the application's own
/// address is one to the site, and moments are moments.
fn values(seen: &Seen, name: &HeaderName, next: SocketAddr) -> Vec<String> {
    let values = seen.headers.get_all(name).iter();
    let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let (port, site) = (next.port(), format!("http://{HOST}"));
    values
        .map(|value| match *name {
            header::LOCATION | header::CONTENT_LOCATION | header::REFRESH => value
                .replace(&format!("http://localhost:{port}"), &site)
                .replace(&format!("http://127.0.0.1:{port}"), &site),
            header::SET_COOKIE => without_moment(&value),
            _ if name == "x-nextjs-cache" => without_staleness(value),
            _ => value,
        })
        .collect()
}

fn without_moment(cookie: &str) -> String {
    let parts = cookie.split("; ");
    parts.filter(|part| !part.starts_with("Expires=")).collect::<Vec<_>>().join("; ")
}

/// The first to ask after the time to live gets what is stale, the second what it had made anew.
fn without_staleness(cached: String) -> String {
    if cached == "STALE" { "HIT".to_owned() } else { cached }
}

/// `next dev` puts ids and times of the rendering into pages.
fn is_made_anew(seen: &Seen, mode: Mode) -> bool {
    let is_page = content_type(seen).starts_with("text/html") || is_flight(seen);
    mode == Mode::Development && is_page
}

/// A body; the scripts of a page and the rows of a flight answer come in the order in which they were
/// ready, and the rows have an id of the rendering in them.
fn rows(seen: &Seen) -> Vec<Vec<u8>> {
    if content_type(seen).starts_with("text/html")
        && let Ok(page) = std::str::from_utf8(&seen.body)
    {
        let parts = page.split("<script").flat_map(|part| part.split("</script>"));
        let mut parts: Vec<_> = parts.map(|part| part.as_bytes().to_vec()).collect();
        parts.sort_unstable();
        return parts;
    }
    if !is_flight(seen) {
        return vec![seen.body.to_vec()];
    }
    let is_id = |part: &&[u8]| part.len() == 22 && part.iter().all(|byte| is_of_id(*byte));
    let rows = seen.body.split(|byte| *byte == b'\n');
    let mut rows: Vec<_> = rows
        .map(|row| row.split(|byte| *byte == b'"').filter(|part| !is_id(part)).collect::<Vec<_>>())
        .map(|parts| parts.join(&b'"'))
        .collect();
    rows.sort_unstable();
    rows
}

fn is_of_id(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

fn content_type(seen: &Seen) -> &str {
    let value = seen.headers.get(header::CONTENT_TYPE);
    value.and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn is_flight(seen: &Seen) -> bool {
    content_type(seen) == "text/x-component"
}

fn shown(seen: &Seen) -> String {
    let text: String = String::from_utf8_lossy(&seen.body).chars().take(400).collect();
    format!("({} bytes) {text:?}", seen.body.len())
}
