//! What a request is for: refused where that could be read in two ways.

use http::request::Parts;
use http::{Method, Version, header};

use crate::error::RequestError;

/// The one host, with its port, that a request is for, as the browser wrote it.
///
/// `None` is an HTTP/1.0 request that names none. Refused are TRACE and CONNECT, targets other
/// than a path (RFC 9112 §3.2.1), and a `Host` that is missing, doubled or no host
/// (RFC 9112 §3.2).
pub fn public_host(head: &Parts) -> Result<Option<&str>, RequestError> {
    if matches!(head.method, Method::TRACE | Method::CONNECT) {
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
            Ok(host) if is_host(host) => Ok(Some(host)),
            _ => Err(RequestError::Ambiguous("Host is no host")),
        },
    }
}

/// Whether `host` is a name or address with perhaps a port (RFC 3986 §3.2.2, no percent-encoding).
fn is_host(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, "")) => (address, None),
        Some((address, rest)) => (address, Some(rest.strip_prefix(':').unwrap_or("none"))),
        None => match host.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (host, None),
        },
    };
    let is_address_byte = |byte: u8| byte.is_ascii_hexdigit() || byte == b':' || byte == b'.';
    let is_name_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let is_address = host.starts_with('[');
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| if is_address { is_address_byte(byte) } else { is_name_byte(byte) })
        && port.is_none_or(|port| port.parse::<u16>().is_ok() && !port.starts_with('+'))
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
            "", ":80", "a:", "a:b", "a:+1", "a:99999", "a b", "a/b", "a@b", "[::1", "[::1]x", "[]",
            "a,b", "é", "::1",
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
