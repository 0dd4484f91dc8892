//! The client that trusted proxies name in `X-Forwarded-For`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::HeaderMap;

use super::trusted_proxies::TrustedProxies;
use crate::proxy::forwarding::X_FORWARDED_FOR;

/// The client behind the trusted `peer`: read from the right, the first hop that is not trusted
/// itself, since each proxy appends whom it saw and what stands further left is that one's word.
///
/// Where a hop cannot be read (`unknown`, a name of RFC 7239 §6.3, a zone), the client is the hop
/// that wrote it. Where all are trusted it is the first.
pub fn client(headers: &HeaderMap, peer: IpAddr, trusted: &TrustedProxies) -> IpAddr {
    let lines = headers.get_all(X_FORWARDED_FOR).iter().rev();
    let hops = lines.flat_map(|line| line.as_bytes().rsplit(|&byte| byte == b','));
    let mut client = peer;
    for hop in hops.map(<[u8]>::trim_ascii).filter(|hop| !hop.is_empty()) {
        let Some(hop) = address(hop) else { break };
        client = hop;
        if !trusted.hold(hop) {
            break;
        }
    }
    client
}

/// The address of a hop, which some proxies write with its port: `10.0.0.7:5678`, `[::1]:5678`.
fn address(hop: &[u8]) -> Option<IpAddr> {
    let hop = std::str::from_utf8(hop).ok()?;
    let address = hop.parse().ok().or_else(|| bracketed(hop)).or_else(|| with_port(hop));
    address.map(|address| address.to_canonical())
}

fn bracketed(hop: &str) -> Option<IpAddr> {
    let (address, port) = hop.strip_prefix('[')?.split_once(']')?;
    let address: Ipv6Addr = address.parse().ok()?;
    (port.is_empty() || is_port(port)).then_some(address.into())
}

fn with_port(hop: &str) -> Option<IpAddr> {
    let (address, port) = hop.split_at(hop.find(':')?);
    let address: Ipv4Addr = address.parse().ok()?;
    is_port(port).then_some(address.into())
}

/// Whether this is a colon and a port.
fn is_port(text: &str) -> bool {
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    text.strip_prefix(':').is_some_and(|port| is_number(port) && port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const PEER: &str = "10.0.0.1";

    fn client_of(lines: &[&[u8]]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_bytes(line).unwrap());
        }
        let mut trusted = TrustedProxies::default();
        trusted.add("private").unwrap();
        client(&headers, PEER.parse().unwrap(), &trusted).to_string()
    }

    #[track_caller]
    fn check(line: &str, expected: &str) {
        assert_eq!(client_of(&[line.as_bytes()]), expected, "{line}");
    }

    #[test]
    fn the_client_is_the_rightmost_hop_that_is_not_trusted() {
        assert_eq!(client_of(&[]), PEER);
        check("203.0.113.7", "203.0.113.7");
        check("6.6.6.6, 203.0.113.7", "203.0.113.7");
        check("6.6.6.6, 203.0.113.7, 10.0.0.2, 192.168.0.1", "203.0.113.7");
        check("10.0.0.3, 10.0.0.2", "10.0.0.3");
        check("2001:db8::7,10.0.0.2", "2001:db8::7");
    }

    #[test]
    fn several_lines_are_one_list() {
        assert_eq!(client_of(&[b"6.6.6.6", b"203.0.113.7", b"10.0.0.2"]), "203.0.113.7");
        assert_eq!(client_of(&[b"203.0.113.7,10.0.0.3", b"10.0.0.2"]), "203.0.113.7");
    }

    #[test]
    fn a_hop_may_have_a_port_brackets_or_a_mapped_address() {
        check("203.0.113.7:5678", "203.0.113.7");
        check("[2001:db8::7]:1", "2001:db8::7");
        check("[2001:db8::7]", "2001:db8::7");
        check("::ffff:203.0.113.7", "203.0.113.7");
        check("203.0.113.7, ::ffff:10.0.0.2", "203.0.113.7");
        check("[::ffff:203.0.113.7]:80", "203.0.113.7");
    }

    #[test]
    fn empty_elements_are_no_hops() {
        check("", PEER);
        check(" , ,, ", PEER);
        check(",203.0.113.7, , 10.0.0.2 ,\t", "203.0.113.7");
    }

    #[test]
    fn what_cannot_be_read_was_written_by_the_client_found_so_far() {
        for odd in [
            "unknown",
            "_hidden",
            "fe80::1%eth0",
            "[fe80::1%1]:80",
            "1.2.3",
            "1.2.3.4.5",
            "[1.2.3.4]",
            "1.2.3.4:",
            "1.2.3.4:x",
            "1.2.3.4:99999",
            "1.2.3.4:+1",
            "[::1",
            "[::1]x",
            "::1:",
            "é",
            "\"1.2.3.4\"",
            "for=1.2.3.4",
            "1.2.3.4;",
            "01.2.3.4",
            "1.2.3.4 5.6.7.8",
            "a.example",
        ] {
            check(&format!("6.6.6.6, {odd}"), PEER);
            check(&format!("6.6.6.6, {odd}, 10.0.0.2"), "10.0.0.2");
            check(&format!("{odd}, 203.0.113.7, 10.0.0.2"), "203.0.113.7");
        }
        assert_eq!(client_of(&[b"\xff\xfe, 203.0.113.7"]), "203.0.113.7");
    }

    #[test]
    fn a_thousand_hops_are_read_as_far_as_they_are_trusted() {
        let forged = vec!["6.6.6.6"; 1000].join(",");
        check(&format!("{forged}, 203.0.113.7, 10.0.0.2"), "203.0.113.7");
        let trusted = vec!["10.0.0.2"; 1000].join(",");
        check(&format!("203.0.113.7, {trusted}"), "203.0.113.7");
    }
}
