//! The site's origin, as browsers name it.

use http::uri::Scheme;

use crate::proxy::target::host_and_port;

/// The origin under which the browser knows the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// `None`: plain HTTP as far as is known, but a proxy that is not trusted may speak TLS.
    scheme: Option<Scheme>,
    host: String,
    /// What a trusted proxy says, which cannot be read off `host`.
    told_port: Option<u16>,
}

impl Origin {
    /// One whose `host`, with its port, is well-formed.
    pub fn new(scheme: Option<Scheme>, host: String, told_port: Option<u16>) -> Self {
        Self { scheme, host, told_port }
    }

    /// How the browser speaks to the site; plain HTTP where nobody knows.
    pub fn scheme(&self) -> &Scheme {
        self.scheme.as_ref().unwrap_or(&Scheme::HTTP)
    }

    /// How the browser speaks to the site, where that is sure: by the settings, by the connection,
    /// or by a trusted proxy's word.
    pub fn known_scheme(&self) -> Option<&Scheme> {
        self.scheme.as_ref()
    }

    /// The host as the browser writes it, with its port unless that is the scheme's own.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port that the browser speaks to.
    pub fn port(&self) -> u16 {
        // It is well-formed, so what follows the last colon is its port, or the end of an address.
        let own = self.host.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        own.or(self.told_port).unwrap_or(default_port(self.scheme()))
    }

    /// Whether the value of an `Origin` field is this one; its scheme counts where ours is known.
    pub fn is_named_by(&self, origin: &str) -> bool {
        let Some((scheme, host)) = origin.split_once("://") else { return false };
        let scheme = match scheme {
            "http" => Scheme::HTTP,
            "https" => Scheme::HTTPS,
            _ => return false,
        };
        self.known_scheme().is_none_or(|known| *known == scheme)
            && is_same_host(host, &self.host, &scheme)
    }
}

/// Whether two hosts are one over `scheme`, whose port may be left out, in letters of any case.
pub(super) fn is_same_host(one: &str, other: &str, scheme: &Scheme) -> bool {
    let (Some((name, port)), Some((other_name, other_port))) =
        (host_and_port(one), host_and_port(other))
    else {
        return false;
    };
    let default = default_port(scheme);
    name.eq_ignore_ascii_case(other_name)
        && port.unwrap_or(default) == other_port.unwrap_or(default)
}

/// The port that a URL may leave out (RFC 9110 §4.2).
pub(super) fn default_port(scheme: &Scheme) -> u16 {
    if *scheme == Scheme::HTTPS { 443 } else { 80 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(scheme: Option<Scheme>, host: &str, origin: &str, expected: bool) {
        let own = Origin::new(scheme, host.to_owned(), None);
        assert_eq!(own.is_named_by(origin), expected, "{own:?} {origin}");
    }

    #[test]
    fn an_origin_is_named_by_host_and_port() {
        check(None, "a.com", "http://a.com", true);
        check(None, "A.com", "https://a.COM", true);
        check(None, "a.com:3000", "http://a.com:3000", true);
        check(None, "[::1]:3000", "http://[::1]:3000", true);
        check(None, "a.com", "http://b.com", false);
        check(None, "a.com", "http://sub.a.com", false);
        check(None, "a.com:3000", "http://a.com:3001", false);
        check(None, "a.com:3000", "http://a.com", false);
    }

    #[test]
    fn a_default_port_may_be_left_out() {
        check(None, "a.com:443", "https://a.com", true);
        check(None, "a.com", "https://a.com:443", true);
        check(None, "a.com", "http://a.com:80", true);
        check(None, "a.com:80", "https://a.com", false);
        check(None, "a.com", "http://a.com:443", false);
    }

    #[test]
    fn the_scheme_counts_where_it_is_known() {
        check(Some(Scheme::HTTP), "a.com", "http://a.com", true);
        check(Some(Scheme::HTTPS), "a.com", "http://a.com", false);
        check(Some(Scheme::HTTP), "a.com", "https://a.com", false);
    }

    #[test]
    fn what_is_no_origin_names_none() {
        for origin in [
            "null",
            "",
            "a.com",
            "http://",
            "http://a.com/",
            "http://x@a.com",
            "ftp://a.com",
            "http://a.com http://a.com",
            "HTTP://a.com",
        ] {
            check(None, "a.com", origin, false);
        }
    }

    #[test]
    fn the_port_is_the_hosts_then_what_was_told_then_the_schemes() {
        let port = |scheme, host: &str, told| Origin::new(scheme, host.to_owned(), told).port();
        assert_eq!(port(Some(Scheme::HTTPS), "a:3000", Some(8443)), 3000);
        assert_eq!(port(Some(Scheme::HTTPS), "a", Some(8443)), 8443);
        assert_eq!(port(Some(Scheme::HTTPS), "[::1]", None), 443);
        assert_eq!(port(None, "[::1]", None), 80);
    }
}
