//! Fields that describe one connection and so never cross the gateway.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// Whether a field is one of a connection (RFC 9110 §7.6.1), or an older one that still occurs.
///
/// Among them `Trailer`: hyper sends no trailer that is not announced, and a backend that merges
/// trailers into its headers would take a client's for ours.
pub fn is_of_connection(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
            | "http2-settings"
    )
}

/// Whether a field is one that a request rests on. `Connection` may not name it away: removing it
/// would change who is asked, or how much is read (CVE-2024-45410 is of that kind).
pub fn is_end_to_end(name: &str) -> bool {
    matches!(name, "host" | "content-length" | "cookie" | "authorization")
}

/// Whether a field, its name folded, may pass for one of a connection, or for a length, without
/// being it; or means something to CGI (`Proxy` becomes `HTTP_PROXY`: CVE-2016-5385).
pub fn is_imitation(name: &HeaderName, folded: &str) -> bool {
    let is_of_message = folded == header::CONTENT_LENGTH || is_of_connection(folded);
    (is_of_message && name != folded) || folded == "proxy" || folded.starts_with("proxy-")
}

/// Removes the fields of one connection and those that `Connection` names.
///
/// The gateway's own fields are not among `headers`, so that a client cannot name those away.
pub fn remove_hop_by_hop(headers: &mut HeaderMap) {
    remove_hop_by_hop_and(headers, |_| false);
}

/// As [`remove_hop_by_hop`], and what `is_other` says of, in one walk.
pub(super) fn remove_hop_by_hop_and(
    headers: &mut HeaderMap,
    is_other: impl Fn(&HeaderName) -> bool,
) {
    let is_gone = |name: &&HeaderName| is_field_of_connection(name) || is_other(name);
    let mut gone: Vec<HeaderName> = headers.keys().filter(is_gone).cloned().collect();
    if gone.contains(&header::CONNECTION) {
        gone.extend(named_by_connection(headers));
    }
    for name in gone {
        headers.remove(name);
    }
}

fn named_by_connection(headers: &HeaderMap) -> impl Iterator<Item = HeaderName> {
    // Mostly it is one of these, and names nothing that does not go anyway.
    let is_usual = |value: &&HeaderValue| matches!(value.as_bytes(), b"keep-alive" | b"close");
    let values = headers.get_all(header::CONNECTION).iter().filter(move |value| !is_usual(value));
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|name| !is_of_connection(name))
        .filter_map(|name| name.parse().ok())
        .filter(|name: &HeaderName| !is_end_to_end(name.as_str()))
}

/// As [`is_of_connection`]; what `http` knows by number is told without a look at its letters.
fn is_field_of_connection(name: &HeaderName) -> bool {
    match *name {
        header::CONNECTION
        | header::PROXY_AUTHENTICATE
        | header::PROXY_AUTHORIZATION
        | header::TE
        | header::TRAILER
        | header::TRANSFER_ENCODING
        | header::UPGRADE => true,
        _ => matches!(name.as_str(), "keep-alive" | "proxy-connection" | "http2-settings"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sent: &[(&'static str, &'static str)], left: &[&str]) {
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.append(*name, HeaderValue::from_static(value));
        }
        remove_hop_by_hop(&mut headers);
        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, left);
    }

    #[test]
    fn fields_of_one_connection_stay_behind() {
        check(
            &[
                ("connection", "keep-alive, X-Hop"),
                ("connection", "x-other , , b@d"),
                ("keep-alive", "timeout=5"),
                ("transfer-encoding", "chunked"),
                ("upgrade", "h2c"),
                ("http2-settings", "AAMAAABkAAQ"),
                ("te", "trailers"),
                ("x-hop", "1"),
                ("x-other", "1"),
                ("x-kept", "1"),
            ],
            &["x-kept"],
        );
    }

    #[test]
    fn a_field_is_of_a_connection_by_its_number_as_by_its_letters() {
        let names = "connection keep-alive proxy-authenticate proxy-authorization proxy-connection \
                     te trailer transfer-encoding upgrade http2-settings upgrade-insecure-requests \
                     content-length host cookie x-te trailers";
        for name in names.split(' ') {
            let field: HeaderName = name.parse().unwrap();
            assert_eq!(is_field_of_connection(&field), is_of_connection(name), "{name}");
        }
    }

    #[track_caller]
    fn check_imitation(name: &str, folded: &str, expected: bool) {
        assert_eq!(is_imitation(&name.parse().unwrap(), folded), expected, "{name}");
    }

    #[test]
    fn fields_that_pass_for_others_are_known() {
        check_imitation("transfer.encoding", "transfer-encoding", true);
        check_imitation("content_length", "content-length", true);
        check_imitation("keep~alive", "keep-alive", true);
        check_imitation("proxy", "proxy", true);
        check_imitation("proxy_connection", "proxy-connection", true);
        check_imitation("proxy-status", "proxy-status", true);
        check_imitation("transfer-encoding", "transfer-encoding", false);
        check_imitation("content-length", "content-length", false);
        check_imitation("content_type", "content-type", false);
        check_imitation("proxying", "proxying", false);
    }

    #[test]
    fn connection_cannot_name_away_what_the_request_rests_on() {
        check(
            &[("connection", "host, cookie, content-length"), ("host", "a"), ("cookie", "b=c")],
            &["cookie", "host"],
        );
    }
}
