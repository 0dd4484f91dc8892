//! Request heads of HTTP/2, put as those of HTTP/1.1 are.

use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Method, Uri};

use crate::error::RequestError;

/// Turns `:authority` into `Host`, the target into a path, and the pieces of `Cookie` into one field
/// (RFC 9113 §8.2.3, §8.3.1), so that everybody behind reads one thing.
///
/// The scheme that a client claims is dropped: its connection tells. Refused is a `Host` that says
/// something else than `:authority`.
pub fn put_as_http1(head: &mut Parts) -> Result<(), RequestError> {
    if head.method == Method::CONNECT {
        return Err(RequestError::Method);
    }
    if let Some(authority) = head.uri.authority() {
        let is_other = |host: &HeaderValue| {
            !host.as_bytes().eq_ignore_ascii_case(authority.as_str().as_bytes())
        };
        if head.headers.get_all(header::HOST).iter().any(is_other) {
            return Err(RequestError::Ambiguous("Host is not :authority"));
        }
        let host = HeaderValue::try_from(authority.as_str())
            .map_err(|_| RequestError::Ambiguous(":authority is no host"))?;
        head.headers.insert(header::HOST, host);
    }
    let path = head.uri.path_and_query().cloned();
    head.uri = path.map_or_else(Uri::default, Uri::from);
    join_cookies(&mut head.headers);
    Ok(())
}

fn join_cookies(headers: &mut HeaderMap) {
    let pieces: Vec<&[u8]> =
        headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if pieces.len() > 1
        && let Ok(joined) = HeaderValue::from_bytes(&pieces.join(&b"; "[..]))
    {
        headers.insert(header::COOKIE, joined);
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn read(target: &str, fields: &[(&str, &str)]) -> Result<Parts, RequestError> {
        let mut request = Request::builder().uri(target);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let mut head = request.body(()).unwrap().into_parts().0;
        put_as_http1(&mut head).map(|()| head)
    }

    #[track_caller]
    fn check(target: &str, hosts: &[&str], expected: Option<(&str, &str)>) {
        let fields: Vec<_> = hosts.iter().map(|host| ("host", *host)).collect();
        let read = read(target, &fields).ok();
        let read = read.map(|head| (head.uri.to_string(), head.headers["host"].clone()));
        let read = read.as_ref().map(|(path, host)| (path.as_str(), host.to_str().unwrap()));
        assert_eq!(read, expected, "{target} {hosts:?}");
    }

    #[test]
    fn the_authority_is_the_host() {
        check("https://a.example:444/x?y=z", &[], Some(("/x?y=z", "a.example:444")));
        check("http://a.example/", &["A.Example"], Some(("/", "a.example")));
        check("http://a.example/", &["b.example"], None);
        check("http://a.example/", &["a.example", "b"], None);
        check("/x", &["a.example"], Some(("/x", "a.example")));
    }

    #[test]
    fn the_pieces_of_a_cookie_are_one() {
        let head =
            read("/", &[("cookie", "a=1"), ("cookie", "b=2; c=3"), ("cookie", "d=4")]).unwrap();
        let all: Vec<_> = head.headers.get_all("cookie").iter().collect();
        assert_eq!(all, ["a=1; b=2; c=3; d=4"]);
    }
}
