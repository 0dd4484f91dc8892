//! What clients may not send.

use http::header::{self, HeaderMap, HeaderName};

use crate::identity::headers::fold;
use crate::identity::names::IdentityNames;
use crate::next::request_headers::is_internal;
use crate::ops::request_id::is_request_id;
use crate::proxy::forwarding::is_forwarding;
use crate::proxy::hop_by_hop::is_imitation;

/// Removes what clients may not send, in every spelling that a backend may fold to it: the
/// identity of a user, where a request came from, its id, what Next.js tells itself, and what
/// passes for a field of the connection.
pub(crate) fn strip(headers: &mut HeaderMap, names: &IdentityNames) {
    let is_to_go = |name: &&HeaderName| may_be_forbidden(name, names) && is_forbidden(name, names);
    let forbidden: Vec<HeaderName> = headers.keys().filter(is_to_go).cloned().collect();
    for name in forbidden {
        headers.remove(name);
    }
}

fn is_forbidden(name: &HeaderName, names: &IdentityNames) -> bool {
    let folded = fold(name);
    names.are_managing(&folded)
        || is_forwarding(&folded)
        || is_internal(&folded)
        || is_request_id(&folded)
        || is_imitation(name, &folded)
}

/// A look that says no of nearly every field, and never of a forbidden one: all that may be forbidden
/// begin, folded or not, with one of these letters or like a name in use, or hold a mark that is folded.
fn may_be_forbidden(name: &HeaderName, names: &IdentityNames) -> bool {
    if is_usual(name) {
        return names.hold(name);
    }
    let bytes = name.as_str().as_bytes();
    let first = bytes.first().copied().unwrap_or_default();
    matches!(first, b'f' | b'n' | b'p' | b'r' | b'x')
        || names.may_begin_with(first)
        || !bytes.iter().all(|byte| is_plain(*byte))
}

/// Whether `fold` leaves a byte of a name as it is.
fn is_plain(byte: u8) -> bool {
    byte == b'-' || byte.is_ascii_alphanumeric()
}

/// Fields of nearly every request, of which no letter need be looked at: `http` knows most by number.
fn is_usual(name: &HeaderName) -> bool {
    match *name {
        header::ACCEPT
        | header::ACCEPT_ENCODING
        | header::ACCEPT_LANGUAGE
        | header::CACHE_CONTROL
        | header::CONNECTION
        | header::CONTENT_LENGTH
        | header::CONTENT_TYPE
        | header::COOKIE
        | header::HOST
        | header::IF_MODIFIED_SINCE
        | header::IF_NONE_MATCH
        | header::ORIGIN
        | header::UPGRADE_INSECURE_REQUESTS
        | header::USER_AGENT => true,
        _ => matches!(
            name.as_str(),
            "priority"
                | "sec-ch-ua"
                | "sec-ch-ua-mobile"
                | "sec-ch-ua-platform"
                | "sec-fetch-dest"
                | "sec-fetch-mode"
                | "sec-fetch-site"
                | "sec-fetch-user"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::names::{Preset, Told};

    /// Names of every kind, forbidden and not.
    const NAMES: [&str; 67] = [
        "accept",
        "accept-encoding",
        "accept-language",
        "authorization",
        "cache-control",
        "connection",
        "content-length",
        "content-type",
        "cookie",
        "expect",
        "forwarded",
        "from",
        "host",
        "http2-settings",
        "if-modified-since",
        "if-none-match",
        "keep-alive",
        "next-action",
        "next-resume",
        "next-router-state-tree",
        "origin",
        "proxy",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "proxy-status",
        "priority",
        "range",
        "referer",
        "remote-email",
        "remote-groups",
        "remote-name",
        "remote-user",
        "rsc",
        "sec-ch-ua-platform",
        "sec-fetch-mode",
        "sec-fetch-site",
        "sec-websocket-key",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "upgrade-insecure-requests",
        "user-agent",
        "user",
        "via",
        "x-action-forwarded",
        "x-auth-request-user",
        "x-forwarded-server",
        "x-forwarded-for",
        "x-forwarded-groups",
        "x-forwarded-prefix",
        "x-invocation-id",
        "x-invoke-path",
        "x-matched-path",
        "x-middleware-prefetch",
        "x-middleware-subrequest",
        "x-nextbnb-session",
        "x-next-cache",
        "x-nextjs-data",
        "x-now-route",
        "x-original-url",
        "x-prerender-revalidate",
        "x-real-ip",
        "x-request-id",
        "x-rewrite-url",
        "x-vercel-id",
    ];

    /// As it is, with each mark in place of each hyphen, and before and behind it.
    fn spellings(name: &str) -> impl Iterator<Item = HeaderName> {
        let marks = "-!#$%&'*+.^_`|~".chars();
        let spelled = marks.flat_map(move |mark| {
            let mark = mark.to_string();
            let replaced = name.replace('-', &mark);
            [
                format!("{mark}{name}"),
                format!("{name}{mark}"),
                format!("{mark}{replaced}"),
                replaced,
            ]
        });
        spelled.map(|name| name.parse().unwrap())
    }

    #[test]
    fn the_look_misses_no_name_that_is_forbidden() {
        let own = |name| (Told::User, HeaderName::from_static(name));
        let presets = [Preset::Forwarded, Preset::Remote, Preset::AuthRequest, Preset::None];
        let mut in_use: Vec<_> =
            presets.into_iter().map(|preset| IdentityNames::new(preset, Vec::new())).collect();
        in_use.push(IdentityNames::new(Preset::None, vec![own("user"), own("via"), own("host")]));
        let mut forbidden = 0;
        for names in &in_use {
            for name in NAMES.into_iter().flat_map(spellings) {
                if is_forbidden(&name, names) {
                    assert!(may_be_forbidden(&name, names), "{name} {names:?}");
                    forbidden += 1;
                }
            }
        }
        assert!(forbidden > 4000, "{forbidden}");
    }

    #[test]
    fn what_browsers_send_is_told_at_a_look() {
        for name in ["accept", "user-agent", "sec-fetch-mode", "cookie", "te", "host"] {
            assert!(!may_be_forbidden(&name.parse().unwrap(), &IdentityNames::default()), "{name}");
        }
    }
}
