//! Single values, checked.

use super::args::DatabaseArgs;
use super::proxy_args::ProxyArgs;
use super::site::parse_users_columns;
use super::upstreams::without_user;
use crate::auth::action::{Action, AuthPaths};
use crate::auth::origin::AllowedOrigins;
use crate::database::tables::TableChoice;
use crate::downstream::public_url::PublicUrl;
use crate::error::StartError;
use crate::gateway::OWN_PREFIX;
use crate::proxy::body_limit::BodyLimit;
use crate::proxy::routing::PathPrefix;

/// Longest name of a table or a column: Postgres cuts what is longer, and then finds another table.
const LONGEST_NAME_BYTES: usize = 63;

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

/// Checks a cookie name: a token (RFC 9110 §5.6.2), since it is written into headers.
pub fn parse_cookie_name(name: &str) -> Result<String, StartError> {
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
