//! The attributes of a session's cookie, and the `Set-Cookie` header that carries them.

use std::fmt::Write;

use chrono::{DateTime, Utc};
use clap::ValueEnum;
use cookie::SameSite;
use http::HeaderValue;
use http::uri::Scheme;

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
    pub(super) path: Option<String>,
    pub(super) http_only: bool,
    pub(super) secure: bool,
    pub(super) partitioned: bool,
    pub(super) priority: Option<CookiePriority>,
    pub(super) same_site: Option<SameSite>,
    pub(super) soundness: Soundness,
}

/// Whether Express could write all attributes of a cookie; else it sends none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Soundness {
    Sound,
    Unsound,
}

/// Whether the browser is known to have come over TLS.
pub(super) fn is_secure(scheme: Option<&Scheme>) -> bool {
    scheme == Some(&Scheme::HTTPS)
}

impl CookieAttributes {
    /// Whether the browser would not take the cookie, so that it is not sent.
    pub(super) fn are_withheld(&self, scheme: Option<&Scheme>) -> bool {
        self.secure && !is_secure(scheme)
    }

    /// The header in Express's order of attributes, never with `Max-Age`; without `expires` the
    /// cookie lives as long as the browser.
    ///
    /// `None` when a row's attributes cannot stand in a header.
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
        if let Some(path) = &self.path {
            write!(header, "; Path={path}").ok()?;
        }
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
        let fits = self.soundness == Soundness::Sound
            && self.path.as_deref().is_none_or(is_path)
            && self.domain.as_deref().is_none_or(is_domain);
        fits.then(|| HeaderValue::from_str(&header).ok()).flatten()
    }

    /// The header that makes the browser drop the cookie: same domain and path, long over.
    pub(super) fn expire_cookie(&self, name: &str) -> Option<HeaderValue> {
        let expired = Self { soundness: Soundness::Sound, ..self.clone() };
        expired.set_cookie(name, "", Some(DateTime::<Utc>::UNIX_EPOCH))
    }
}

/// Whether a text can stand in `Path` (the package `cookie` refuses `<`, too).
fn is_path(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b':' | b'='..=b'~'))
}

/// Whether a text is a host name (RFC 1123 §2.1), perhaps after a dot.
fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.strip_prefix('.').unwrap_or(text).split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn express() -> CookieAttributes {
        CookieAttributes {
            domain: None,
            path: Some("/".to_owned()),
            http_only: true,
            secure: false,
            partitioned: false,
            priority: None,
            same_site: None,
            soundness: Soundness::Sound,
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
            path: Some("/foo".to_owned()),
            http_only: true,
            secure: true,
            partitioned: true,
            priority: Some(CookiePriority::High),
            same_site: Some(SameSite::Strict),
            soundness: Soundness::Sound,
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
        check(&CookieAttributes { path: Some("/; Secure".to_owned()), ..express() }, None);
        check(&CookieAttributes { path: Some("/\r\nX: y".to_owned()), ..express() }, None);
        check(&CookieAttributes { domain: Some("a;b".to_owned()), ..express() }, None);
        for domain in ["é", "a b", "-a", "a-", "a..b", "a.", "."] {
            check(&CookieAttributes { domain: Some(domain.to_owned()), ..express() }, None);
        }
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
