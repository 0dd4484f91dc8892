//! What a site has chosen of the options of express-session's cookie.

use clap::ValueEnum;
use cookie::SameSite;
use http::uri::Scheme;

use super::attributes::{CookieAttributes, CookiePriority, Soundness, is_secure};

/// When the cookie is for TLS only (`cookie.secure`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CookieSecure {
    /// As the scheme is.
    ///
    /// That over which the session begins.
    Auto,
    /// Over TLS alone.
    ///
    /// Over plain HTTP no session begins.
    Always,
    /// Over anything.
    Never,
}

/// Which foreign pages' requests carry the cookie (`cookie.sameSite`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CookieSameSite {
    /// Other sites' links, not their forms and frames.
    Lax,
    /// None.
    Strict,
    /// All; browsers want Secure with it.
    None,
    /// `none` over TLS, else `lax`.
    Auto,
    /// No attribute.
    ///
    /// Stored sessions keep exactly the attributes of their rows.
    Unset,
}

/// The options of the session's cookie. What a row says of its own cookie wins until the next
/// sign-in, but for what is stricter here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CookiePolicy {
    /// `--cookie-name`
    pub name: String,
    /// `--cookie-domain`; `None` is the very host.
    pub domain: Option<String>,
    /// `--cookie-path`
    pub path: String,
    /// `--cookie-http-only`
    pub http_only: bool,
    /// `--cookie-secure`
    pub secure: CookieSecure,
    /// `--cookie-same-site`
    pub same_site: CookieSameSite,
    /// `--cookie-partitioned`
    pub partitioned: bool,
    /// `--cookie-priority`
    pub priority: Option<CookiePriority>,
}

impl Default for CookiePolicy {
    fn default() -> Self {
        Self {
            name: "nextbnb".to_owned(),
            domain: None,
            path: "/".to_owned(),
            http_only: true,
            secure: CookieSecure::Auto,
            same_site: CookieSameSite::Lax,
            partitioned: false,
            priority: None,
        }
    }
}

impl CookiePolicy {
    /// Those of a session that begins over `scheme`.
    pub(super) fn attributes(&self, scheme: Option<&Scheme>) -> CookieAttributes {
        CookieAttributes {
            domain: self.domain.clone(),
            path: Some(self.path.clone()),
            http_only: self.http_only,
            secure: self.is_secure(scheme),
            partitioned: self.partitioned,
            priority: self.priority,
            same_site: self.same_site(scheme),
            soundness: Soundness::Sound,
        }
    }

    /// Those of a stored session, or the policy's own over `scheme`, whichever is stricter.
    pub(super) fn tighten(
        &self,
        stored: &CookieAttributes,
        scheme: Option<&Scheme>,
    ) -> CookieAttributes {
        let mut attributes = stored.clone();
        attributes.secure |= self.is_secure(scheme);
        if self.same_site != CookieSameSite::Unset {
            attributes.http_only |= self.http_only;
            let own = self.same_site(scheme);
            if strictness(own) > strictness(attributes.same_site) {
                attributes.same_site = own;
            }
        }
        attributes
    }

    /// Whether requests for `path` have sessions: as in Express a comparison of texts, so that
    /// `/app` covers `/application`, too.
    pub(super) fn covers(&self, path: &str) -> bool {
        path.starts_with(&self.path)
    }

    fn is_secure(&self, scheme: Option<&Scheme>) -> bool {
        match self.secure {
            CookieSecure::Auto => is_secure(scheme),
            CookieSecure::Always => true,
            CookieSecure::Never => false,
        }
    }

    fn same_site(&self, scheme: Option<&Scheme>) -> Option<SameSite> {
        match self.same_site {
            CookieSameSite::Strict => Some(SameSite::Strict),
            CookieSameSite::None => Some(SameSite::None),
            CookieSameSite::Auto if is_secure(scheme) => Some(SameSite::None),
            CookieSameSite::Lax | CookieSameSite::Auto => Some(SameSite::Lax),
            CookieSameSite::Unset => None,
        }
    }
}

fn strictness(same_site: Option<SameSite>) -> u8 {
    match same_site {
        None => 0,
        Some(SameSite::None) => 1,
        Some(SameSite::Lax) => 2,
        Some(SameSite::Strict) => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HTTPS: Option<&Scheme> = Some(&Scheme::HTTPS);
    const HTTP: Option<&Scheme> = Some(&Scheme::HTTP);

    fn express() -> CookiePolicy {
        CookiePolicy {
            secure: CookieSecure::Never,
            same_site: CookieSameSite::Unset,
            ..CookiePolicy::default()
        }
    }

    fn same_site(same_site: CookieSameSite) -> CookiePolicy {
        CookiePolicy { same_site, ..CookiePolicy::default() }
    }

    #[test]
    fn secure_follows_the_scheme_or_the_setting() {
        let is_secure = |secure, scheme| {
            CookiePolicy { secure, ..CookiePolicy::default() }.attributes(scheme).secure
        };
        assert!(is_secure(CookieSecure::Auto, HTTPS));
        assert!(!is_secure(CookieSecure::Auto, HTTP));
        assert!(!is_secure(CookieSecure::Auto, None));
        assert!(is_secure(CookieSecure::Always, HTTP));
        assert!(!is_secure(CookieSecure::Never, HTTPS));
    }

    #[test]
    fn same_site_auto_is_none_over_tls_and_else_lax() {
        let of = |policy, scheme| same_site(policy).attributes(scheme).same_site;
        assert_eq!(of(CookieSameSite::Auto, HTTPS), Some(SameSite::None));
        assert_eq!(of(CookieSameSite::Auto, None), Some(SameSite::Lax));
        assert_eq!(of(CookieSameSite::Unset, HTTPS), None);
        assert_eq!(of(CookieSameSite::Strict, HTTP), Some(SameSite::Strict));
    }

    #[test]
    fn the_stricter_attribute_wins() {
        let lax = CookiePolicy::default();
        let bare = CookieAttributes { http_only: false, ..express().attributes(None) };
        let strict = CookieAttributes { same_site: Some(SameSite::Strict), ..bare.clone() };
        let none = CookieAttributes { same_site: Some(SameSite::None), ..bare.clone() };
        assert_eq!(lax.tighten(&bare, None).same_site, Some(SameSite::Lax));
        assert_eq!(lax.tighten(&none, HTTPS).same_site, Some(SameSite::Lax));
        assert_eq!(lax.tighten(&strict, None).same_site, Some(SameSite::Strict));
        assert!(lax.tighten(&bare, HTTPS).secure);
        assert!(!lax.tighten(&bare, HTTP).secure);
        assert!(lax.tighten(&CookieAttributes { secure: true, ..bare.clone() }, None).secure);
        assert!(lax.tighten(&bare, None).http_only);
    }

    #[test]
    fn with_expresss_settings_a_row_keeps_its_attributes() {
        let none = CookieAttributes {
            same_site: Some(SameSite::None),
            http_only: false,
            ..express().attributes(None)
        };
        assert_eq!(express().tighten(&none, HTTPS), none);
    }

    #[test]
    fn a_path_covers_what_begins_with_it() {
        let policy = CookiePolicy { path: "/app".to_owned(), ..CookiePolicy::default() };
        assert!(policy.covers("/app") && policy.covers("/app/x") && policy.covers("/application"));
        assert!(!policy.covers("/") && !policy.covers("/APP") && !policy.covers("/%61pp"));
    }
}
