//! The attributes of a cookie as its row has them.

use cookie::SameSite;

use super::attributes::{CookieAttributes, CookiePriority, Soundness};
use super::members::Members;

impl CookieAttributes {
    /// Those of a stored session as the package `cookie` takes them; what is absent has Express's
    /// default.
    pub(super) fn read(cookie: &Members<'_>) -> Self {
        let is_true = |name| cookie.truth(name) == Some(true);
        let mut are_sound = true;
        let mut text = |name| {
            let text = is_true(name).then(|| cookie.text(name));
            are_sound &= text != Some(None);
            text.flatten()
        };
        let (domain, priority) = (text("domain"), text("priority"));
        let path = match cookie.raw("path") {
            Some(_) => text("path"),
            None => Some("/".to_owned()),
        };
        let same_site = match cookie.raw("sameSite") {
            Some("true") => Some("strict".to_owned()),
            _ => text("sameSite"),
        };
        let priority = match priority.as_deref().map(str::to_lowercase).as_deref() {
            Some("low") => Some(CookiePriority::Low),
            Some("medium") => Some(CookiePriority::Medium),
            Some("high") => Some(CookiePriority::High),
            other => {
                are_sound &= other.is_none();
                None
            }
        };
        let same_site = match same_site.as_deref().map(str::to_lowercase).as_deref() {
            Some("strict") => Some(SameSite::Strict),
            Some("lax") => Some(SameSite::Lax),
            Some("none") => Some(SameSite::None),
            other => {
                are_sound &= other.is_none();
                None
            }
        };
        Self {
            domain,
            path,
            http_only: cookie.truth("httpOnly") != Some(false),
            secure: is_true("secure"),
            partitioned: is_true("partitioned"),
            priority,
            same_site,
            soundness: if are_sound { Soundness::Sound } else { Soundness::Unsound },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The attributes of a row's cookie, and whether there is one.
    #[track_caller]
    fn check_row(member: &str, attributes: Option<&str>) {
        let cookie = format!("{{{member}}}");
        let cookie = CookieAttributes::read(&Members::of(&cookie).unwrap());
        let header = cookie.set_cookie("n", "v", None);
        assert_eq!(
            header,
            attributes.map(|told| format!("n=v{told}").parse().unwrap()),
            "{member}"
        );
    }

    #[test]
    fn a_flag_is_set_by_whatever_javascript_takes_for_true() {
        for is_true in ["1", "-1", "1e400", "\"false\"", "[]", "{}", "true"] {
            check_row(&format!("\"httpOnly\":{is_true}"), Some("; Path=/; HttpOnly"));
            check_row(&format!("\"secure\":{is_true}"), Some("; Path=/; HttpOnly; Secure"));
            check_row(
                &format!("\"partitioned\":{is_true}"),
                Some("; Path=/; HttpOnly; Partitioned"),
            );
        }
        for is_false in ["0", "-0.0", "1e-400", "null", "false", "\"\""] {
            check_row(&format!("\"httpOnly\":{is_false}"), Some("; Path=/"));
            for name in ["secure", "partitioned", "priority", "sameSite", "domain"] {
                check_row(&format!("\"{name}\":{is_false}"), Some("; Path=/; HttpOnly"));
            }
            check_row(&format!("\"path\":{is_false}"), Some("; HttpOnly"));
        }
    }

    #[test]
    fn a_cookie_that_express_could_not_write_is_not_sent() {
        for name in ["priority", "sameSite", "domain", "path"] {
            for value in ["1", "[]", "{}", "\";\""] {
                check_row(&format!("\"{name}\":{value}"), None);
            }
        }
        check_row(r#""sameSite":"auto""#, None);
        check_row(r#""sameSite":"lax ""#, None);
        check_row(
            r#""sameSite":"NONE","priority":"HIGH""#,
            Some("; Path=/; HttpOnly; Priority=High; SameSite=None"),
        );
        check_row(
            r#""sameSite":true,"domain":".Example.com""#,
            Some("; Domain=.Example.com; Path=/; HttpOnly; SameSite=Strict"),
        );
    }
}
