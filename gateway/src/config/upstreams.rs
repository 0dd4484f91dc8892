//! Where upstreams are, checked.

use http::Uri;
use http::uri::Authority;

use super::Routes;
use crate::error::StartError;
use crate::gateway::OWN_PREFIX;
use crate::proxy::pages::{ErrorPages, Reader};
use crate::proxy::routing::{PathPrefix, Target};
use crate::proxy::target::host_and_port;
use crate::proxy::upstream_address::{UNIX, UpstreamAddress};

/// Checks where an upstream is: `http://`, a host, perhaps a port, nothing else; or `unix:` and the
/// path of a socket.
pub fn parse_upstream(url: &str) -> Result<UpstreamAddress, StartError> {
    parse_address(url).map_err(|reason| StartError::Upstream { url: without_user(url), reason })
}

fn parse_address(url: &str) -> Result<UpstreamAddress, &'static str> {
    match url.trim().strip_prefix(UNIX) {
        Some(path) => UpstreamAddress::unix_path(path).map(UpstreamAddress::Unix),
        None => parse_origin(url).map(UpstreamAddress::Tcp),
    }
}

fn parse_origin(url: &str) -> Result<Authority, &'static str> {
    const WANTED: &str = "want http://host:port or unix:/path";
    let uri: Uri = url.trim().parse().map_err(|_| WANTED)?;
    match uri.scheme_str() {
        Some("http") => {}
        Some("https") => return Err("TLS to the upstream is not spoken; want http://host:port"),
        _ => return Err(WANTED),
    }
    if uri.path() != "/" || uri.query().is_some() {
        return Err("want an origin without a path, as in http://host:port");
    }
    match uri.authority() {
        Some(authority) if authority.as_str().contains('@') => Err("want no user name or password"),
        Some(authority) if !has_usable_port(authority) => Err("want a port from 1 to 65535"),
        Some(authority) if host_and_port(authority.as_str()).is_some() => Ok(authority.clone()),
        _ => Err(WANTED),
    }
}

/// Checks what was typed with `--route`, and that no prefix is there twice; `reader_of` tells who
/// reads that an upstream does not answer.
pub(super) fn parse_routes(
    routes: &[String],
    reader_of: impl Fn(&UpstreamAddress) -> Reader,
) -> Result<Routes, StartError> {
    let mut parsed = Routes::new();
    for text in routes.iter().filter(|text| !text.is_empty()) {
        let refused = |reason| StartError::Route { route: without_user(text), reason };
        let (prefix, upstream, stripped) = parse_route(text).map_err(refused)?;
        if parsed.iter().any(|(other, _)| *other == prefix) {
            return Err(refused("the prefix is there twice"));
        }
        let pages = ErrorPages::new(reader_of(&upstream));
        parsed.push((prefix, Target { upstream, stripped, pages }));
    }
    Ok(parsed)
}

/// Reads `/api/=http://host:port`, perhaps with `,strip`.
fn parse_route(
    text: &str,
) -> Result<(PathPrefix, UpstreamAddress, Option<PathPrefix>), &'static str> {
    let (prefix, to) = text.split_once('=').ok_or("want PREFIX=URL, as /api/=http://host:port")?;
    if prefix.starts_with(OWN_PREFIX.trim_end_matches('/')) {
        return Err("what begins so is the gateway's own");
    }
    let prefix =
        PathPrefix::new(prefix).ok_or("want a prefix like /api/, nothing in it encoded")?;
    let (url, stripped) = match to.strip_suffix(",strip") {
        Some(url) => (url, Some(prefix.clone())),
        None => (to.strip_suffix(",keep").unwrap_or(to), None),
    };
    Ok((prefix, parse_address(url)?, stripped))
}

/// Whether what follows the host is nothing or a port; one that is too large would silently be
/// taken for the default.
fn has_usable_port(authority: &Authority) -> bool {
    authority.as_str() == authority.host() || matches!(authority.port_u16(), Some(1..))
}

/// A URL for an error message, without the user name and password that may be in it.
pub(super) fn without_user(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://…@{rest}"),
        (None, Some((_, rest))) => format!("…@{rest}"),
        (_, None) => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_upstream(url: &str, expected: Result<&str, &str>) {
        let parsed = parse_upstream(url).map_err(|error| error.to_string());
        match expected {
            Ok(address) => assert_eq!(parsed.unwrap().to_string(), address),
            Err(part) => assert!(parsed.as_ref().is_err_and(|e| e.contains(part)), "{parsed:?}"),
        }
    }

    #[test]
    fn an_upstream_is_a_plain_http_origin() {
        check_upstream("http://localhost:3001", Ok("http://localhost:3001"));
        check_upstream("http://localhost:3001/", Ok("http://localhost:3001"));
        check_upstream("http://web", Ok("http://web"));
        check_upstream("http://[::1]:3001", Ok("http://[::1]:3001"));
        check_upstream("unix:/run/next.sock", Ok("unix:/run/next.sock"));
        check_upstream("unix:run/next.sock", Err("absolute path"));
        check_upstream("unix:///run/a b", Err("visible ASCII"));
        check_upstream("http://[fe80::1%25eth0]:3001", Err("want http://"));
        check_upstream("https://localhost:3001", Err("TLS to the upstream"));
        check_upstream("localhost:3001", Err("want http://"));
        check_upstream("http://", Err("want http://"));
        check_upstream("http://web:3001/app", Err("without a path"));
        check_upstream("http://web:3001/?a=b", Err("without a path"));
        check_upstream("http://user:pw@web:3001", Err("no user name"));
        check_upstream("http://web:99999", Err("want a port"));
        check_upstream("http://web:0", Err("want a port"));
        check_upstream("http://web:", Err("want a port"));
        check_upstream("", Err("want http://"));
    }

    #[track_caller]
    fn check_routes(routes: &[&str], expected: Result<(), &str>) {
        let routes: Vec<String> = routes.iter().map(|&route| route.to_owned()).collect();
        let parsed =
            parse_routes(&routes, |_| Reader::Visitor).map(drop).map_err(|error| error.to_string());
        match expected {
            Ok(()) => assert_eq!(parsed, Ok(())),
            Err(part) => assert!(parsed.as_ref().is_err_and(|e| e.contains(part)), "{parsed:?}"),
        }
    }

    #[test]
    fn a_route_is_a_prefix_and_an_origin() {
        check_routes(&["/api/=http://a:1", "/api=http://a:1,strip", "/x/=http://b,keep"], Ok(()));
        check_routes(&["/api/=unix:/run/a.sock", "/x/=unix:/run/a.sock,strip"], Ok(()));
        check_routes(&["/api/=unix:/run/a.sock,split"], Err("without quotes and commas"));
        check_routes(&[""], Ok(()));
        check_routes(&["/api/"], Err("want PREFIX=URL"));
        check_routes(&["api/=http://a"], Err("want a prefix"));
        check_routes(&["/=http://a"], Err("want a prefix"));
        check_routes(&["/a%20b/=http://a"], Err("want a prefix"));
        check_routes(&["/api/=https://a"], Err("TLS to the upstream"));
        check_routes(&["/api/=http://a/b"], Err("without a path"));
        check_routes(&["/api/=http://a:1,split"], Err("want a port"));
        check_routes(&["/.nextbnb/x/=http://a"], Err("the gateway's own"));
        check_routes(&["/a/=http://a", "/a/=http://b"], Err("there twice"));
        let parsed = parse_routes(&["/a/=http://u:hunter2@b".to_owned()], |_| Reader::Visitor);
        assert!(!parsed.unwrap_err().to_string().contains("hunter2"));
    }

    #[test]
    fn a_password_in_an_upstream_is_not_repeated() {
        for url in ["http://user:hunter2@web", "user:hunter2@web", "http://u:hunter2@a b"] {
            let message = parse_upstream(url).unwrap_err().to_string();
            assert!(!message.contains("hunter2"), "{message}");
        }
    }
}
