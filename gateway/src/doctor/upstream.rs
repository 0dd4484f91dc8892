//! What answers behind the gateway, asked with a few harmless requests.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::Finding;
use super::ask::{self, Answer};
use super::{exposure, hot_reload};
use crate::config::doctor::UpstreamSubject;
use crate::config::limits::Limits;

/// Longest wait for an answer: `next dev` may have to compile the page first.
const LIMIT: Duration = Duration::from_secs(5);

/// `next dev` itself answers this 400, nothing is compiled (`next/ready_probe.rs`); others have no
/// such page.
pub(super) const TOOLS: &str = "/__nextjs_source-map";

/// `Cache-Control` of pages of `next dev`, since 16 and before.
const OF_DEV: [&str; 2] = ["no-cache, must-revalidate", "no-store, must-revalidate"];

/// Asks two things at a time, then what concerns `next dev` alone.
pub(super) async fn look(subject: &UpstreamSubject) -> Vec<Finding> {
    let address = &subject.address;
    let began = Instant::now();
    let gzip = [("Accept-Encoding", "gzip")];
    let root = format!("{}/", subject.base_path.as_deref().unwrap_or_default());
    let (tools, page) =
        tokio::join!(ask::get(address, TOOLS, &[], LIMIT), ask::get(address, &root, &gzip, LIMIT));
    let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (tools, page) = match (tools, page) {
        (Ok(tools), Ok(page)) => (tools, page),
        (Err(reason), _) | (_, Err(reason)) => return vec![unreachable(subject, &reason)],
    };
    let first = if tools.status().is_some() { &tools } else { &page };
    if first.status().is_none() {
        return vec![silent(subject, first)];
    }
    let is_dev = is_dev(&tools, &page);
    let kind = if is_dev { "next dev" } else { "HTTP" };
    let what = format!("{kind} answers at {address}, within {milliseconds} ms");
    let mut findings = vec![
        Finding::ok("upstream", what)
            .fact("address", address.to_string())
            .fact("milliseconds", milliseconds)
            .fact("dev", is_dev),
        kind_of(&tools, &page),
        keep_alive(first),
        compression(&page),
    ];
    findings.push(exposure::look(address).await);
    if is_dev {
        findings.extend(hot_reload::look(subject).await);
    }
    findings
}

fn unreachable(subject: &UpstreamSubject, reason: &str) -> Finding {
    let address = &subject.address;
    let what = format!("nothing answers at {address}: {reason}");
    let finding = if subject.is_named {
        Finding::problem("upstream", what)
            .why("every page is 502")
            .cure("start Next.js there, or say where it is: --upstream URL")
    } else {
        Finding::ok("upstream", format!("{what}; none is named"))
            .why("`dev` starts its own; `serve` looks there unless told otherwise")
            .cure("--upstream URL looks at another")
    };
    finding.fact("address", address.to_string())
}

fn silent(subject: &UpstreamSubject, answer: &Answer) -> Finding {
    let found = match answer {
        Answer::Late => format!("no answer within {} s", LIMIT.as_secs()),
        Answer::Other(_) => "what answers is no HTTP".to_owned(),
        _ => "the connection is closed without an answer".to_owned(),
    };
    let what = format!("{}: {found}", subject.address);
    let finding = if subject.is_named {
        Finding::problem("upstream", what)
    } else {
        Finding::warning("upstream", what) // Perhaps nobody means it.
    };
    finding
        .why("every page is 502 or 504")
        .cure("look into the log of Next.js there, or give another --upstream")
        .fact("address", subject.address.to_string())
}

/// A server of TLS answers 400 whatever is asked, and others too forbid to keep pages.
fn is_dev(tools: &Answer, page: &Answer) -> bool {
    let is_of_dev = page.field("cache-control").is_some_and(|value| OF_DEV.contains(&value));
    (tools.status() == Some(400) && page.status() != Some(400)) || (is_next(page) && is_of_dev)
}

/// Whether it is Next.js: by a field that can be switched off, or by one that cannot.
fn is_next(answer: &Answer) -> bool {
    let Answer::Head { fields, .. } = answer else { return false };
    answer.field("x-powered-by").is_some_and(|value| value.contains("Next.js"))
        || answer.field("vary").is_some_and(|value| value.contains("next-router-state-tree"))
        || fields.keys().any(|name| name.as_str().starts_with("x-nextjs-"))
}

fn kind_of(tools: &Answer, page: &Answer) -> Finding {
    const ID: &str = "upstream-kind";
    if is_next(tools) || is_next(page) {
        return Finding::ok(ID, "it is Next.js").fact("next", true);
    }
    Finding::warning(ID, "nothing in its answers tells of Next.js")
        .why("the gateway serves what it likes, but another server may have the port of yours")
        .cure("--upstream URL says where Next.js is")
        .fact("next", false)
}

/// How long the upstream holds idle connections, and that the gateway leaves before.
fn keep_alive(answer: &Answer) -> Finding {
    const ID: &str = "keep-alive";
    let ours = Limits::default().upstream_idle.as_secs();
    let is_closed =
        answer.field("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    let seconds = answer.field("keep-alive").and_then(seconds_of);
    let finding = match seconds {
        _ if is_closed => costly(Finding::warning(ID, "it closes each connection after an answer")),
        Some(0 | 1) => costly(Finding::warning(ID, "it closes idle connections after a second")),
        Some(seconds) => {
            let left = ours.min(seconds - 1);
            Finding::ok(
                ID,
                format!("idle connections for {seconds} s; the gateway leaves after {left} s"),
            )
        }
        None => Finding::ok(ID, format!("how long is not told; the gateway leaves after {ours} s")),
    };
    finding.fact("seconds", seconds)
}

fn costly(finding: Finding) -> Finding {
    finding
        .why("each request waits for a connection of its own")
        .cure("next start --keepAliveTimeout 65000, or KEEP_ALIVE_TIMEOUT=65000 for server.js")
}

/// The number of `timeout=5`, perhaps among others.
fn seconds_of(field: &str) -> Option<u64> {
    field.split(',').find_map(|part| part.trim().strip_prefix("timeout=")?.trim().parse().ok())
}

fn compression(page: &Answer) -> Finding {
    const ID: &str = "compression";
    let status = page.status();
    match page.field("content-encoding") {
        Some(coding) => Finding::ok(ID, format!("pages come as {coding}")).fact("coding", coding),
        None if status != Some(200) => {
            let status = status.map_or("nothing in time".to_owned(), |status| status.to_string());
            Finding::ok(ID, format!("not seen: the first page answered {status}"))
        }
        None => Finding::warning(ID, "the first page comes uncompressed though gzip was offered")
            .why("the gateway compresses nothing: pages go out several times as large")
            .cure(
                "leave out `compress: false` in next.config, or compress in front of the gateway",
            ),
    }
}

/// Whether an address is nobody's but this machine's.
pub(super) fn is_local(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost")
        || bare.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;
    use http::{HeaderMap, HeaderName, HeaderValue};

    fn answer(status: u16, fields: &[(&'static str, &'static str)]) -> Answer {
        let field = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        let fields: HeaderMap = fields.iter().map(field).collect();
        Answer::Head { status, fields }
    }

    #[test]
    fn idle_connections_are_left_before_their_end() {
        let check = |value, level, part: &str| {
            let finding = keep_alive(&answer(200, &[("keep-alive", value)]));
            assert!(finding.level == level && finding.what.contains(part), "{finding:?}");
        };
        check("timeout=5", Level::Ok, "leaves after 4 s");
        check("timeout=3, max=100", Level::Ok, "leaves after 2 s");
        check("timeout=65", Level::Ok, "leaves after 4 s");
        check("timeout=1", Level::Warning, "a second");
        check("x", Level::Ok, "not told");
        let closed = keep_alive(&answer(200, &[("connection", "close")]));
        assert_eq!(closed.level, Level::Warning);
    }

    #[test]
    fn next_dev_is_known_by_its_tools_or_its_pages() {
        let page =
            |control| answer(200, &[("x-powered-by", "Next.js"), ("cache-control", control)]);
        let built = "private, no-cache, no-store, max-age=0, must-revalidate";
        assert!(is_dev(&answer(400, &[]), &answer(200, &[])));
        assert!(is_dev(&answer(404, &[]), &page("no-store, must-revalidate")));
        assert!(is_dev(&answer(404, &[]), &page("no-cache, must-revalidate")));
        assert!(!is_dev(&answer(404, &[]), &page(built)));
        assert!(!is_dev(&answer(400, &[]), &answer(400, &[])), "a server of TLS");
        let other = answer(200, &[("cache-control", "no-cache, must-revalidate")]);
        assert!(!is_dev(&answer(404, &[]), &other), "another server");
    }

    #[test]
    fn next_js_is_known_without_the_field_that_can_be_switched_off() {
        let level = |fields| kind_of(&answer(404, &[]), &answer(200, fields)).level;
        assert_eq!(level(&[("x-powered-by", "Next.js")]), Level::Ok);
        assert_eq!(level(&[("vary", "rsc, next-router-state-tree")]), Level::Ok);
        assert_eq!(level(&[("x-nextjs-cache", "HIT")]), Level::Ok);
        assert_eq!(level(&[("x-powered-by", "Express")]), Level::Warning);
    }

    #[test]
    fn a_page_without_compression_is_told_when_it_is_one() {
        assert_eq!(compression(&answer(200, &[])).level, Level::Warning);
        assert_eq!(compression(&answer(307, &[])).level, Level::Ok);
        assert_eq!(compression(&answer(200, &[("content-encoding", "gzip")])).level, Level::Ok);
    }
}
