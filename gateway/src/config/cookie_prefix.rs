//! Names of cookies that promise browsers something (RFC 6265bis §4.1.3).

use crate::error::StartError;
use crate::session::cookie_policy::{CookiePolicy, CookieSecure};

/// Checks that the cookie is what its name promises: browsers drop it otherwise.
pub(super) fn check(cookie: &CookiePolicy) -> Result<(), StartError> {
    let is_secure = cookie.secure == CookieSecure::Always;
    let is_of_host = is_secure && cookie.path == "/" && cookie.domain.is_none();
    let promises = [
        ("__Host-", is_of_host, "--cookie-secure always, --cookie-path / and no --cookie-domain"),
        ("__Secure-", is_secure, "--cookie-secure always"),
    ];
    for (prefix, is_kept, want) in promises {
        // Browsers do not look at the case.
        let start = cookie.name.get(..prefix.len());
        if start.is_some_and(|start| start.eq_ignore_ascii_case(prefix)) && !is_kept {
            return Err(StartError::CookiePrefix { name: cookie.name.clone(), prefix, want });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::config::args::{Command, CommandLine};
    use crate::config::cookie_policy;

    #[track_caller]
    fn check_flags(flags: &str, is_usable: bool) {
        let words = ["nextbnb-gateway", "serve", "--cookie-name"];
        let line = CommandLine::try_parse_from(words.into_iter().chain(flags.split(' '))).unwrap();
        let Some(Command::Serve(args)) = line.command else { panic!("{flags}") };
        let checked = cookie_policy(&args.session.cookie);
        assert_eq!(checked.is_ok(), is_usable, "{flags}: {checked:?}");
    }

    #[test]
    fn a_cookie_is_what_its_name_promises() {
        check_flags("__Host-s", false);
        check_flags("__host-s --cookie-secure never", false);
        check_flags("__Host-s --cookie-secure always", true);
        check_flags("__Host-s --cookie-secure always --cookie-path /app", false);
        check_flags("__Host-s --cookie-secure always --cookie-domain a.b", false);
        check_flags("__Secure-s", false);
        check_flags("__SECURE-s --cookie-secure auto", false);
        check_flags("__Secure-s --cookie-secure always --cookie-domain a.b", true);
        check_flags("__Hosts --cookie-secure never", true);
    }
}
