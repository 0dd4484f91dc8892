//! The attributes of a session's cookie, and the `Set-Cookie` header that carries them.

use std::fmt::Write;

use chrono::{DateTime, Utc};
use clap::ValueEnum;
use cookie::SameSite;
use http::HeaderValue;
use http::uri::Scheme;
use serde_json::Value;

use super::members::Members;

/// How early a browser with too many cookies drops this one (`cookie.priority`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CookiePriority {
    /// Dropped first.
    Low,
    /// Dropped next.
    Medium,
    /// Dropped last.
    High,
}

impl CookiePriority {
    /// As the header has it; a row has it in small letters.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Low => "Low",
            Self::Medium => "Medium",
            Self::High => "High",
        }
    }
}

/// What a session's row says of its cookie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CookieAttributes {
    pub(super) domain: Option<String>,
    pub(super) path: String,
    pub(super) http_only: bool,
    pub(super) secure: bool,
    pub(super) partitioned: bool,
    pub(super) priority: Option<CookiePriority>,
    pub(super) same_site: Option<SameSite>,
}

/// Whether the browser is known to have come over TLS.
pub(super) fn is_secure(scheme: Option<&Scheme>) -> bool {
    scheme == Some(&Scheme::HTTPS)
}

impl CookieAttributes {
    /// Those of a stored session; what is absent or of a wrong type has Express's default.
    pub(super) fn read(cookie: &Members<'_>) -> Self {
        let is_true = |name| cookie.value(name) == Some(Value::Bool(true));
        let lowered = |name| cookie.text(name).map(|text| text.to_lowercase());
        Self {
            domain: cookie.text("domain"),
            path: cookie.text("path").unwrap_or_else(|| "/".to_owned()),
            http_only: cookie.value("httpOnly").is_none_or(|value| value == Value::Bool(true)),
            secure: is_true("secure"),
            partitioned: is_true("partitioned"),
            priority: match lowered("priority").as_deref() {
                Some("low") => Some(CookiePriority::Low),
                Some("medium") => Some(CookiePriority::Medium),
                Some("high") => Some(CookiePriority::High),
                _ => None,
            },
            same_site: match lowered("sameSite").as_deref() {
                Some("strict") => Some(SameSite::Strict),
                Some("lax") => Some(SameSite::Lax),
                Some("none") => Some(SameSite::None),
                _ => is_true("sameSite").then_some(SameSite::Strict),
            },
        }
    }

    /// Whether the browser would not take the cookie, so that it is not sent.
    pub(super) fn are_withheld(&self, scheme: Option<&Scheme>) -> bool {
        self.secure && !is_secure(scheme)
    }

    /// The header in Express's order of attributes, never with `Max-Age`; without `expires` the
    /// cookie lives as long as the browser.
    ///
    /// `None` when a row's domain or path cannot stand in a header.
    pub(super) fn set_cookie(
        &self,
        name: &str,
        value: &str,
        expires: Option<DateTime<Utc>>,
    ) -> Option<HeaderValue> {
        let mut header = format!("{name}={value}");
        if let Some(domain) = &self.domain {
            write!(header, "; Domain={domain}").ok()?;
        }
        write!(header, "; Path={}", self.path).ok()?;
        if let Some(expires) = expires {
            let expires = expires.format("%a, %d %b %Y %H:%M:%S GMT");
            write!(header, "; Expires={expires}").ok()?;
        }
        let flags = [
            (self.http_only, "; HttpOnly"),
            (self.secure, "; Secure"),
            (self.partitioned, "; Partitioned"),
        ];
        header.extend(flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag));
        if let Some(priority) = self.priority {
            write!(header, "; Priority={}", priority.name()).ok()?;
        }
        if let Some(same_site) = self.same_site {
            write!(header, "; SameSite={same_site}").ok()?;
        }
        let fits = is_plain(&self.path) && self.domain.as_deref().is_none_or(is_plain);
        fits.then(|| HeaderValue::from_str(&header).ok()).flatten()
    }

    /// The header that makes the browser drop the cookie: same domain and path, long over.
    pub(super) fn expire_cookie(&self, name: &str) -> Option<HeaderValue> {
        self.set_cookie(name, "", Some(DateTime::<Utc>::UNIX_EPOCH))
    }
}

/// Whether a text can stand in an attribute.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b' '..=b'~') && b != b';')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn express() -> CookieAttributes {
        CookieAttributes {
            domain: None,
            path: "/".to_owned(),
            http_only: true,
            secure: false,
            partitioned: false,
            priority: None,
            same_site: None,
        }
    }

    #[track_caller]
    fn check(attributes: &CookieAttributes, header: Option<&str>) {
        let expires = "2026-12-23T09:15:14.999Z".parse().unwrap();
        let built = attributes.set_cookie("nextbnb", "v", Some(expires));
        assert_eq!(built.as_ref().map(|header| header.to_str().unwrap()), header);
    }

    #[test]
    fn attributes_stand_in_the_order_of_express() {
        check(
            &express(),
            Some("nextbnb=v; Path=/; Expires=Wed, 23 Dec 2026 09:15:14 GMT; HttpOnly"),
        );
        let all = CookieAttributes {
            domain: Some("example.com".to_owned()),
            path: "/foo".to_owned(),
            http_only: true,
            secure: true,
            partitioned: true,
            priority: Some(CookiePriority::High),
            same_site: Some(SameSite::Strict),
        };
        check(
            &all,
            Some(
                "nextbnb=v; Domain=example.com; Path=/foo; Expires=Wed, 23 Dec 2026 09:15:14 GMT; \
                 HttpOnly; Secure; Partitioned; Priority=High; SameSite=Strict",
            ),
        );
    }

    #[test]
    fn a_cookie_of_the_browsers_life_has_no_expiry_and_may_be_read_by_scripts_where_told() {
        let bare = CookieAttributes { http_only: false, ..express() };
        assert_eq!(bare.set_cookie("n", "v", None).unwrap(), "n=v; Path=/");
    }

    #[test]
    fn a_domain_or_path_cannot_smuggle_attributes() {
        check(&CookieAttributes { path: "/; Secure".to_owned(), ..express() }, None);
        check(&CookieAttributes { path: "/\r\nX: y".to_owned(), ..express() }, None);
        check(&CookieAttributes { domain: Some("a;b".to_owned()), ..express() }, None);
        check(&CookieAttributes { domain: Some("é".to_owned()), ..express() }, None);
    }

    #[test]
    fn a_dropped_cookie_is_dropped_where_it_was_set() {
        let attributes = CookieAttributes { domain: Some("a.b".to_owned()), ..express() };
        assert_eq!(
            attributes.expire_cookie("nextbnb").unwrap(),
            "nextbnb=; Domain=a.b; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly"
        );
    }
}
