//! The names that `--identity-header` gives, checked.

use http::HeaderName;

use super::proxy_args::ProxyArgs;
use crate::error::StartError;
use crate::identity::headers::{fold, is_managed};
use crate::identity::names::{IdentityNames, Told};
use crate::next::request_headers::is_internal;
use crate::ops::request_id::is_request_id;
use crate::proxy::forwarding::is_forwarding;
use crate::proxy::hop_by_hop::{is_end_to_end, is_of_connection};

/// The names in use; what is named with `--identity-header` takes the place of the preset's name.
pub(super) fn parse(args: &ProxyArgs) -> Result<IdentityNames, StartError> {
    let mut own: Vec<(Told, HeaderName)> = Vec::new();
    for text in args.own_identity_headers.iter().filter(|text| !text.is_empty()) {
        let refused = |reason| StartError::IdentityHeader { typed: text.clone(), reason };
        let (told, name) = parse_one(text).map_err(refused)?;
        if own.iter().any(|(_, other)| *other == name) {
            return Err(refused("that name is there twice"));
        }
        own.push((told, name));
    }
    Ok(IdentityNames::new(args.identity_headers, own))
}

fn parse_one(text: &str) -> Result<(Told, HeaderName), &'static str> {
    const WANTED: &str = "want user=, email= or name=, and the name of a header field";
    let (told, name) = match text.split_once('=').ok_or(WANTED)? {
        ("user", name) => (Told::User, name),
        ("email", name) => (Told::Email, name),
        ("name", name) => (Told::Name, name),
        _ => return Err(WANTED),
    };
    let name: HeaderName = name.parse().map_err(|_| WANTED)?;
    if fold(&name) != name.as_str() {
        return Err("want letters, digits and -: other marks are read in several ways");
    }
    if is_taken(name.as_str()) {
        return Err("that field means something else");
    }
    Ok((told, name))
}

/// Whether a client's copy of a field cannot be removed, or ours would be.
fn is_taken(name: &str) -> bool {
    const PREFIXES: [&str; 9] = [
        "accept",
        "access-control-",
        "content-",
        "if-",
        "next-",
        "proxy",
        "sec-",
        "x-nextbnb-",
        "x-nextjs-",
    ];
    const NAMES: [&str; 8] =
        ["cache-control", "expect", "forwarded", "origin", "range", "referer", "rsc", "user-agent"];
    is_of_connection(name)
        || is_end_to_end(name)
        || is_internal(name)
        || is_request_id(name)
        || (is_forwarding(name) && !is_managed(name))
        || NAMES.contains(&name)
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>) {
        let parsed = parse_one(text);
        let name = parsed.as_ref().map(|(_, name)| name.as_str());
        match expected {
            Ok(expected) => assert_eq!(name, Ok(expected), "{text}"),
            Err(part) => {
                assert!(name.is_err_and(|reason| reason.contains(part)), "{text}: {name:?}");
            }
        }
    }

    #[test]
    fn a_name_of_ones_own_means_nothing_else() {
        check("user=X-User", Ok("x-user"));
        check("email=Cf-Access-Authenticated-User-Email", Ok("cf-access-authenticated-user-email"));
        check("name=Remote-Name", Ok("remote-name"));
        for bad in ["X-User", "id=X-User", "user=", "user=X User", "user=X-User:"] {
            check(bad, Err("want user="));
        }
        for bad in ["user=X_User", "user=X.User"] {
            check(bad, Err("letters, digits"));
        }
        for bad in [
            "connection",
            "Keep-Alive",
            "Transfer-Encoding",
            "TE",
            "Trailer",
            "Upgrade",
            "Host",
            "Content-Length",
            "Content-Type",
            "Cookie",
            "Authorization",
            "X-Forwarded-For",
            "X-Forwarded-Host",
            "Forwarded",
            "X-Real-IP",
            "X-Request-Id",
            "X-Nextbnb-User",
            "RSC",
            "Next-Action",
            "X-Middleware-Next",
            "Origin",
            "Sec-Fetch-Site",
            "Proxy-User",
            "Expect",
        ] {
            check(&format!("user={bad}"), Err("something else"));
        }
    }
}
