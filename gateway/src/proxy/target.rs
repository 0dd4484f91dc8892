//! What a request is for: refused where that could be read in two ways.

use std::net::Ipv6Addr;

use http::request::Parts;
use http::{Method, Version, header};
use memchr::memchr;

use crate::error::RequestError;

/// The one host, with its port, that a request is for, as the browser wrote it.
///
/// `None` is an HTTP/1.0 request that names none. Refused are TRACE and CONNECT, targets other
/// than a path (RFC 9112 §3.2.1), and a `Host` that is missing, doubled or no host
/// (RFC 9112 §3.2).
pub fn public_host(head: &Parts) -> Result<Option<&str>, RequestError> {
    // Names of methods are case-sensitive, but not to every server.
    let is = |method: Method| head.method.as_str().eq_ignore_ascii_case(method.as_str());
    if is(Method::TRACE) || is(Method::CONNECT) {
        return Err(RequestError::Method);
    }
    if head.uri.authority().is_some() || !head.uri.path().starts_with('/') {
        return Err(RequestError::Ambiguous("the target is not a path"));
    }
    let mut hosts = head.headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) if head.version == Version::HTTP_10 => Ok(None),
        (None, _) => Err(RequestError::Ambiguous("no Host")),
        (Some(_), Some(_)) => Err(RequestError::Ambiguous("more than one Host")),
        (Some(host), None) => match host.to_str() {
            Ok(host) if host_and_port(host).is_some() => Ok(Some(host)),
            _ => Err(RequestError::Ambiguous("Host is no host")),
        },
    }
}

/// Takes a host apart: a name or address, an IPv6 one in its brackets and without a zone, and
/// perhaps a port (RFC 3986 §3.2.2, no percent-encoding); `None` where it is none.
pub fn host_and_port(host: &str) -> Option<(&str, Option<u16>)> {
    let is_name_byte =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    let bracketed = host.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let name = if let Some((address, rest)) = bracketed {
        address.parse::<Ipv6Addr>().ok()?;
        host.strip_suffix(rest)?
    } else {
        let end = memchr(b':', host.as_bytes()).unwrap_or(host.len());
        host.get(..end).filter(|name| name.bytes().all(is_name_byte))?
    };
    let rest = host.get(name.len()..)?;
    let port = match rest.strip_prefix(':') {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok(),
        _ => None,
    };
    (!name.is_empty() && (port.is_some() || rest.is_empty())).then_some((name, port))
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn head(method: &str, target: &str, hosts: &[&str]) -> Parts {
        let mut request = Request::builder().method(method).uri(target);
        for host in hosts {
            request = request.header("host", *host);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_request_is_for_one_well_formed_host() {
        for host in ["a", "a.b-c_d~:3000", "127.0.0.1:1", "[::1]", "[::1]:3000", "localhost:0"] {
            assert_eq!(public_host(&head("GET", "/", &[host])).unwrap(), Some(host));
        }
        let bad = [
            "",
            ":80",
            "a:",
            "a:b",
            "a:+1",
            "a:99999",
            "a b",
            "a/b",
            "a@b",
            "[::1",
            "[::1]x",
            "[]",
            "a,b",
            "é",
            "::1",
            "[::::]",
            "[1.2.3.4]",
            "[fe80::1%eth0]",
            "[fe80::1%25eth0]",
            "[::1]:",
        ];
        for host in bad {
            assert!(public_host(&head("GET", "/", &[host])).is_err(), "{host:?}");
        }
        assert!(public_host(&head("GET", "/", &[])).is_err());
        assert!(public_host(&head("GET", "/", &["a", "a"])).is_err());
    }

    #[test]
    fn only_paths_are_served() {
        assert!(public_host(&head("GET", "//evil.example/x", &["a"])).is_ok());
        assert!(public_host(&head("GET", "http://a/x", &["a"])).is_err());
        assert!(public_host(&head("OPTIONS", "*", &["a"])).is_err());
        assert!(public_host(&head("CONNECT", "a:443", &["a"])).is_err());
        assert!(matches!(public_host(&head("TRACE", "/", &["a"])), Err(RequestError::Method)));
    }

    #[test]
    fn an_old_client_may_leave_the_host_out() {
        let mut old = head("GET", "/", &[]);
        old.version = Version::HTTP_10;
        assert_eq!(public_host(&old).unwrap(), None);
    }
}
