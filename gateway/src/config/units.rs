//! Single values, checked.

use http::Uri;
use http::uri::Authority;

use super::Routes;
use super::args::DatabaseArgs;
use super::proxy_args::ProxyArgs;
use super::site::parse_users_columns;
use crate::auth::action::{Action, AuthPaths};
use crate::auth::origin::AllowedOrigins;
use crate::database::tables::TableChoice;
use crate::downstream::public_url::PublicUrl;
use crate::error::StartError;
use crate::gateway::OWN_PREFIX;
use crate::proxy::body_limit::BodyLimit;
use crate::proxy::pages::{ErrorPages, Reader};
use crate::proxy::routing::{PathPrefix, Target};
use crate::proxy::target::host_and_port;
use crate::proxy::upstream_address::{UNIX, UpstreamAddress};

/// Longest name of a table or a column: Postgres cuts what is longer, and then finds another table.
const LONGEST_NAME_BYTES: usize = 63;

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

/// Checks what was typed with `--max-body-except`; without `--max-body` there is no limit.
pub(super) fn parse_max_body(args: &ProxyArgs) -> Result<Option<BodyLimit>, StartError> {
    let typed = args.max_body_except.iter().filter(|text| !text.is_empty());
    let parse = |text: &String| {
        PathPrefix::new(text).ok_or_else(|| StartError::MaxBodyExcept { typed: text.clone() })
    };
    let except = typed.map(parse).collect::<Result<Vec<_>, _>>()?;
    Ok(args.max_body.map(|bytes| BodyLimit { bytes, except }))
}

/// Checks what was typed with `--allow-origin`.
pub(super) fn parse_origins(typed: &[String]) -> Result<AllowedOrigins, StartError> {
    let parse = |text: &String| {
        let url = PublicUrl::parse(text);
        url.map(|url| url.origin())
            .map_err(|reason| StartError::AllowOrigin { typed: without_user(text), reason })
    };
    let origins: Result<_, _> = typed.iter().filter(|text| !text.is_empty()).map(parse).collect();
    origins.map(AllowedOrigins::new)
}

/// Checks what was typed with `--auth-path`: the name of a route, and a path of the site's.
pub(super) fn parse_auth_paths(typed: &[String]) -> Result<AuthPaths, StartError> {
    let mut paths = AuthPaths::default();
    for text in typed.iter().filter(|text| !text.is_empty()) {
        let refused = |reason| StartError::AuthPath { typed: text.clone(), reason };
        let (action, path) = match text.split_once('=') {
            Some(("login", path)) => (Action::Login, path),
            Some(("register", path)) => (Action::Register, path),
            Some(("logout", path)) => (Action::Logout, path),
            _ => return Err(refused("want login=, register= or logout=, and a path")),
        };
        let is_plain = |byte: u8| matches!(byte, b'!'..=b'~') && !b"?#\"<>\\^`{|}".contains(&byte);
        if !path.starts_with('/') || path == "/" || !path.bytes().all(is_plain) {
            return Err(refused("want a path like /api/users/login"));
        }
        if path.starts_with(OWN_PREFIX) {
            return Err(refused("what begins so is the gateway's own"));
        }
        if !paths.set(action, path) {
            return Err(refused("another of the three routes has that path"));
        }
    }
    Ok(paths)
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

/// Checks a cookie name: a token (RFC 9110 §5.6.2), since it is written into headers.
pub(super) fn parse_cookie_name(name: &str) -> Result<String, StartError> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(StartError::CookieName { name: name.to_owned() });
    }
    Ok(name.to_owned())
}

/// Whether a table or a column can be called so.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= LONGEST_NAME_BYTES && !name.contains('\0')
}

/// Checks the names of tables and columns: what a column of the catalogue can hold.
pub fn parse_tables(args: &DatabaseArgs) -> Result<TableChoice, StartError> {
    let check = |flag: &'static str, name: &Option<String>| match name {
        Some(name) if !is_name(name) => Err(StartError::TableName { flag, name: name.clone() }),
        name => Ok(name.clone()),
    };
    let sessions = check("--session-table", &args.session_table)?;
    let users = check("--users-table", &args.users_table)?;
    let user_columns = parse_users_columns(&args.users_columns)?;
    Ok(TableChoice { sessions, users, user_columns })
}

/// Checks a cookie's domain: a host name, with a dot before it or none.
pub(super) fn parse_cookie_domain(domain: &str) -> Result<String, StartError> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
    if domain.is_empty() || !domain.bytes().all(is_name) {
        return Err(StartError::CookieDomain { domain: domain.to_owned() });
    }
    Ok(domain.to_owned())
}

/// Checks a cookie's path: what can stand in its header.
pub(super) fn parse_cookie_path(path: &str) -> Result<String, StartError> {
    let is_plain = |byte: u8| matches!(byte, b'!'..=b'~') && byte != b';';
    if !path.starts_with('/') || !path.bytes().all(is_plain) {
        return Err(StartError::CookiePath { path: path.to_owned() });
    }
    Ok(path.to_owned())
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

    #[track_caller]
    fn check_auth_paths(typed: &[&str], expected: Result<(), &str>) {
        let typed: Vec<String> = typed.iter().map(|&text| text.to_owned()).collect();
        let parsed = parse_auth_paths(&typed).map(drop).map_err(|error| error.to_string());
        match expected {
            Ok(()) => assert_eq!(parsed, Ok(())),
            Err(part) => assert!(parsed.as_ref().is_err_and(|e| e.contains(part)), "{parsed:?}"),
        }
    }

    #[test]
    fn an_auth_path_is_a_route_and_a_path_of_its_own() {
        check_auth_paths(&[], Ok(()));
        check_auth_paths(&["login=/api/users/login", "logout=/bye"], Ok(()));
        check_auth_paths(&["/api/users/login"], Err("want login="));
        check_auth_paths(&["signin=/x"], Err("want login="));
        check_auth_paths(&["login=x"], Err("want a path"));
        check_auth_paths(&["login=/"], Err("want a path"));
        check_auth_paths(&["login=/a?b"], Err("want a path"));
        check_auth_paths(&["login=/.nextbnb/login"], Err("gateway's own"));
        check_auth_paths(&["login=/a", "register=/A/"], Err("another of the three"));
    }

    #[test]
    fn an_allowed_origin_is_one() {
        let check = |typed: &str| parse_origins(&[typed.to_owned()]).map_err(|e| e.to_string());
        assert!(
            check("https://a.example").is_ok() && check("http://a:1/").is_ok() && check("").is_ok()
        );
        for bad in ["a.example", "*", "https://*.a.example", "https://a/b", "https://u:pw@a"] {
            let message = check(bad).unwrap_err();
            assert!(message.contains("--allow-origin") && !message.contains("pw"), "{message}");
        }
    }

    #[test]
    fn a_password_in_an_upstream_is_not_repeated() {
        for url in ["http://user:hunter2@web", "user:hunter2@web", "http://u:hunter2@a b"] {
            let message = parse_upstream(url).unwrap_err().to_string();
            assert!(!message.contains("hunter2"), "{message}");
        }
    }

    #[test]
    fn a_cookie_name_is_a_token() {
        assert!(parse_cookie_name("connect.sid").is_ok());
        for name in ["", "a b", "a=b", "a;b", "né"] {
            assert!(parse_cookie_name(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_table_has_any_name_that_postgres_keeps_whole() {
        let check = |sessions: &str, users: &str| {
            let (session_table, users_table) = (Some(sessions.to_owned()), Some(users.to_owned()));
            let args = DatabaseArgs {
                database_url: None,
                state_dir: None,
                session_table,
                users_table,
                users_columns: Vec::new(),
            };
            parse_tables(&args).is_ok()
        };
        assert!(check("sessions", "Users") && check("a\"b.c d'é", "x;--"));
        assert!(check(&"x".repeat(63), "users") && !check(&"x".repeat(64), "users"));
        assert!(!check("", "users") && !check("s", "") && !check("s\0", "u"));
    }

    #[test]
    fn domain_and_path_of_a_cookie_can_stand_in_its_header() {
        for domain in ["example.com", ".example.com", "localhost"] {
            assert!(parse_cookie_domain(domain).is_ok(), "{domain}");
        }
        for domain in ["", "a b", "a;b", "a\nb", "né.fr", "http://a"] {
            assert!(parse_cookie_domain(domain).is_err(), "{domain:?}");
        }
        assert!(parse_cookie_path("/").is_ok() && parse_cookie_path("/a/b_c%20d").is_ok());
        for path in ["", "a", "/a b", "/;x", "/\r\n", "/é"] {
            assert!(parse_cookie_path(path).is_err(), "{path:?}");
        }
    }
}
