//! The attributes of a session's cookie, and the `Set-Cookie` header that carries them.

use std::fmt::Write;

use chrono::{DateTime, Utc};
use cookie::SameSite;
use http::HeaderValue;
use http::uri::Scheme;
use serde_json::Value;

use super::members::Members;

/// What a session's row says of its cookie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CookieAttributes {
    pub(super) domain: Option<String>,
    pub(super) path: String,
    pub(super) secure: bool,
    pub(super) partitioned: bool,
    /// `Low`, `Medium` or `High`.
    pub(super) priority: Option<&'static str>,
    pub(super) same_site: Option<SameSite>,
}

/// Whether the browser is known to have come over TLS.
pub(super) fn is_secure(scheme: Option<&Scheme>) -> bool {
    scheme == Some(&Scheme::HTTPS)
}

impl CookieAttributes {
    /// Those of a session that begins over `scheme`.
    pub(super) fn new(scheme: Option<&Scheme>) -> Self {
        Self {
            domain: None,
            path: "/".to_owned(),
            secure: is_secure(scheme),
            partitioned: false,
            priority: None,
            same_site: Some(SameSite::Lax),
        }
    }

    /// Those of a stored session; what is absent or of a wrong type has Express's default.
    pub(super) fn read(cookie: &Members<'_>) -> Self {
        let is_true = |name| cookie.value(name) == Some(Value::Bool(true));
        let lowered = |name| cookie.text(name).map(|text| text.to_lowercase());
        Self {
            domain: cookie.text("domain"),
            path: cookie.text("path").unwrap_or_else(|| "/".to_owned()),
            secure: is_true("secure"),
            partitioned: is_true("partitioned"),
            priority: match lowered("priority").as_deref() {
                Some("low") => Some("Low"),
                Some("medium") => Some("Medium"),
                Some("high") => Some("High"),
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

    /// These or the gateway's own over `scheme`, whichever is stricter.
    pub(super) fn tightened(&self, scheme: Option<&Scheme>) -> Self {
        let same_site = match self.same_site {
            Some(SameSite::Strict) => SameSite::Strict,
            _ => SameSite::Lax,
        };
        Self {
            secure: self.secure || is_secure(scheme),
            same_site: Some(same_site),
            ..self.clone()
        }
    }

    /// The header in Express's order of attributes, always `HttpOnly`, never with `Max-Age`.
    ///
    /// `None` when a row's domain or path cannot stand in a header.
    pub(super) fn set_cookie(
        &self,
        name: &str,
        value: &str,
        expires: DateTime<Utc>,
    ) -> Option<HeaderValue> {
        let mut header = format!("{name}={value}");
        if let Some(domain) = &self.domain {
            write!(header, "; Domain={domain}").ok()?;
        }
        let expires = expires.format("%a, %d %b %Y %H:%M:%S GMT");
        write!(header, "; Path={}; Expires={expires}; HttpOnly", self.path).ok()?;
        if self.secure {
            header.push_str("; Secure");
        }
        if self.partitioned {
            header.push_str("; Partitioned");
        }
        if let Some(priority) = self.priority {
            write!(header, "; Priority={priority}").ok()?;
        }
        if let Some(same_site) = self.same_site {
            write!(header, "; SameSite={same_site}").ok()?;
        }
        let is_plain = |text: &str| text.bytes().all(|b| matches!(b, b' '..=b'~') && b != b';');
        let fits = is_plain(&self.path) && self.domain.as_deref().is_none_or(is_plain);
        fits.then(|| HeaderValue::from_str(&header).ok()).flatten()
    }

    /// The header that makes the browser drop the cookie: same domain and path, long over.
    pub(super) fn expire_cookie(&self, name: &str) -> Option<HeaderValue> {
        self.set_cookie(name, "", DateTime::<Utc>::UNIX_EPOCH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn express() -> CookieAttributes {
        CookieAttributes { same_site: None, ..CookieAttributes::new(None) }
    }

    #[track_caller]
    fn check(attributes: &CookieAttributes, header: Option<&str>) {
        let expires = "2026-12-23T09:15:14.999Z".parse().unwrap();
        let built = attributes.set_cookie("nextbnb", "v", expires);
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
            secure: true,
            partitioned: true,
            priority: Some("High"),
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
    fn a_domain_or_path_cannot_smuggle_attributes() {
        check(&CookieAttributes { path: "/; Secure".to_owned(), ..express() }, None);
        check(&CookieAttributes { path: "/\r\nX: y".to_owned(), ..express() }, None);
        check(&CookieAttributes { domain: Some("a;b".to_owned()), ..express() }, None);
        check(&CookieAttributes { domain: Some("é".to_owned()), ..express() }, None);
    }

    #[test]
    fn the_stricter_attribute_wins() {
        let https = Some(&Scheme::HTTPS);
        let strict = CookieAttributes { same_site: Some(SameSite::Strict), ..express() };
        let none = CookieAttributes { same_site: Some(SameSite::None), secure: true, ..express() };
        assert_eq!(express().tightened(None).same_site, Some(SameSite::Lax));
        assert_eq!(none.tightened(https).same_site, Some(SameSite::Lax));
        assert_eq!(strict.tightened(None).same_site, Some(SameSite::Strict));
        assert!(express().tightened(https).secure);
        assert!(!express().tightened(Some(&Scheme::HTTP)).secure);
        assert!(none.tightened(None).secure);
    }

    #[test]
    fn a_dropped_cookie_is_dropped_where_it_was_set() {
        let attributes =
            CookieAttributes { domain: Some("a.b".to_owned()), ..CookieAttributes::new(None) };
        assert_eq!(
            attributes.expire_cookie("nextbnb").unwrap(),
            "nextbnb=; Domain=a.b; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; \
             SameSite=Lax"
        );
    }
}
