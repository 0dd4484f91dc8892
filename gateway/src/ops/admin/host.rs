//! Whom a request to the admin listener names.

use std::net::{Ipv4Addr, Ipv6Addr};

use http::header;
use http::request::Parts;

/// Whether the `Host` of a request names this machine as nobody else's page can: by an address, by a
/// name without dots, which nobody can register, or by the `host` of `--admin`.
///
/// A path on a Unix socket is no name, so that clients make one up: that is `localhost` mostly.
pub(super) fn is_admins(head: &Parts, host: Option<&str>) -> bool {
    let mut fields = head.headers.get_all(header::HOST).iter();
    let (Some(field), None) = (fields.next(), fields.next()) else { return false };
    let Some(authority) = field.to_str().ok().filter(|_| head.uri.authority().is_none()) else {
        return false;
    };
    let name = name_of(authority);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    name.parse::<Ipv4Addr>().is_ok()
        || name.parse::<Ipv6Addr>().is_ok()
        || !name.is_empty() && name.chars().all(is_plain)
        || host.is_some_and(|host| host.eq_ignore_ascii_case(name))
}

/// The host of an authority, without port and brackets.
fn name_of(authority: &str) -> &str {
    if let Some((name, _)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return name;
    }
    authority.rsplit_once(':').map_or(authority, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[track_caller]
    fn check(host: &str, expected: bool) {
        let request = Request::get("/metrics").header("host", host).body(()).unwrap();
        let head = request.into_parts().0;
        assert_eq!(is_admins(&head, Some("gateway.internal")), expected, "{host}");
    }

    #[test]
    fn names_that_somebody_could_register_are_not_this_machines() {
        for own in ["127.0.0.1:9464", "127.0.0.1", "[::1]:9464", "localhost:9464", "gateway"] {
            check(own, true);
        }
        check("GATEWAY.internal:9464", true);
        for foreign in ["evil.example:9464", "127.0.0.1.evil.example", "gateway.", "", ":9464"] {
            check(foreign, false);
        }
    }

    #[test]
    fn a_request_has_one_host() {
        let none = Request::get("/metrics").body(()).unwrap();
        let two = Request::get("/metrics").header("host", "a").header("host", "a");
        let absolute = Request::get("http://evil.example/metrics").header("host", "a");
        for request in [none, two.body(()).unwrap(), absolute.body(()).unwrap()] {
            assert!(!is_admins(&request.into_parts().0, None));
        }
    }
}
