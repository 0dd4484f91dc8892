//! Who sits at this machine, in a browser that was told to come here.

use std::net::Ipv6Addr;

use http::header::{self, HeaderMap};
use http::request::Parts;

use super::dev_hosts::is_localhost;
use super::peer::Peer;
use crate::proxy::asker::Nearness;
use crate::proxy::target::host_and_port;

/// Whether who asks may be shown what Next.js says, which tells of files, settings and mistakes.
///
/// The address alone proves nothing: what comes through a tunnel or a proxy on this machine has it as
/// well, and so has a page of another site's whose name was pointed here (DNS rebinding). Such a page
/// asks under its own name, and tunnels say that they are there.
pub fn nearness_of(head: &Parts, peer: Peer) -> Nearness {
    let asks_for_here = named_host(head).is_some_and(is_this_machine);
    if peer.address.is_loopback() && asks_for_here && !came_through_a_proxy(&head.headers) {
        Nearness::Here
    } else {
        Nearness::Elsewhere
    }
}

/// HTTP/2 names it in the target, and whoever names it twice, nothing.
fn named_host(head: &Parts) -> Option<&str> {
    let mut fields = head.headers.get_all(header::HOST).iter();
    let field = fields.next().and_then(|host| host.to_str().ok());
    let target = head.uri.authority().map(http::uri::Authority::as_str);
    if fields.next().is_some() {
        return None;
    }
    match (field, target) {
        (Some(field), Some(target)) => (field == target).then_some(field),
        (one, other) => one.or(other),
    }
}

fn is_this_machine(host: &str) -> bool {
    let Some((name, _)) = host_and_port(host) else { return false };
    let address = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    is_localhost(name)
        || name == "127.0.0.1"
        || address.and_then(|address| address.parse().ok()) == Some(Ipv6Addr::LOCALHOST)
}

/// Only whether they speak is asked here, never what they say.
fn came_through_a_proxy(headers: &HeaderMap) -> bool {
    let tells = |name: &str| {
        matches!(name, "forwarded" | "via" | "x-real-ip") || name.starts_with("x-forwarded-")
    };
    headers.keys().any(|name| tells(name.as_str()))
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use http::Request;

    use super::*;

    #[track_caller]
    fn check(address: &str, fields: &[(&str, &str)], expected: Nearness) {
        let mut request = Request::builder().uri("/");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        let address: IpAddr = address.parse().unwrap();
        let peer = Peer { address, is_trusted: false };
        assert_eq!(nearness_of(&head, peer), expected, "{address} {fields:?}");
    }

    #[test]
    fn somebody_is_here_who_asks_from_here_for_here() {
        for host in ["localhost", "LOCALHOST:3000", "shop.localhost:3000", "127.0.0.1", "[::1]:80"]
        {
            check("127.0.0.1", &[("host", host)], Nearness::Here);
            check("::1", &[("host", host)], Nearness::Here);
            check("192.168.1.7", &[("host", host)], Nearness::Elsewhere);
        }
    }

    #[test]
    fn a_foreign_name_a_tunnel_and_a_doubled_host_are_not_from_here() {
        for host in ["evil.example", "localhost.evil.example", "notlocalhost", "192.168.1.7", "a b"]
        {
            check("127.0.0.1", &[("host", host)], Nearness::Elsewhere);
        }
        check("127.0.0.1", &[], Nearness::Elsewhere);
        let here = ("host", "localhost");
        check("127.0.0.1", &[here, here], Nearness::Elsewhere);
        for name in ["x-forwarded-for", "x-forwarded-proto", "forwarded", "via", "x-real-ip"] {
            check("127.0.0.1", &[here, (name, "a")], Nearness::Elsewhere);
        }
    }
}
