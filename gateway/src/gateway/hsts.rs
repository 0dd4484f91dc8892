//! Browsers are told to come back over https alone.

use std::net::IpAddr;
use std::time::Duration;

use http::header::HeaderValue;
use http::uri::Scheme;

use crate::downstream::origin::Origin;
use crate::proxy::target::host_and_port;

/// What `Strict-Transport-Security` says, and to whom.
#[derive(Debug, Clone)]
pub struct Hsts {
    value: Option<HeaderValue>,
    /// Whether browsers are told that came to a proxy which speaks TLS, too.
    before_proxies: bool,
}

impl Hsts {
    /// Off.
    pub fn off() -> Self {
        Self { value: None, before_proxies: false }
    }

    /// For that long after each answer over the gateway's own TLS. Zero takes back what was said
    /// before.
    ///
    /// Nothing behind a proxy that speaks TLS, whose own field would come after this one: browsers
    /// hear the first (RFC 6797 §8.1), and a year would become a day.
    pub fn of(max_age: Duration) -> Self {
        let value = HeaderValue::try_from(format!("max-age={}", max_age.as_secs())).ok();
        Self { value, before_proxies: false }
    }

    /// For that long after each answer over https, whoever speaks TLS.
    pub fn everywhere(max_age: Duration) -> Self {
        Self { before_proxies: true, ..Self::of(max_age) }
    }

    /// The field that is due in the answer to a request for `origin` on a connection of `scheme`.
    ///
    /// Not for addresses, of which browsers take none (RFC 6797 §8.1.1), nor for `localhost`, where
    /// other servers are plain.
    pub(super) fn due(&self, origin: &Origin, scheme: &Scheme) -> Option<HeaderValue> {
        let is_told = self.before_proxies || *scheme == Scheme::HTTPS;
        let is_https = origin.known_scheme() == Some(&Scheme::HTTPS);
        self.value.as_ref().filter(|_| is_told && is_https && is_site(origin.host())).cloned()
    }
}

fn is_site(host: &str) -> bool {
    let Some((name, _)) = host_and_port(host) else { return false };
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let is_address = name.starts_with('[') || name.parse::<IpAddr>().is_ok();
    !is_address && name != "localhost" && !name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    #[track_caller]
    fn check(hsts: &Hsts, known: Option<Scheme>, scheme: &Scheme, host: &str, expected: &str) {
        let origin = Origin::new(known, host.to_owned(), None);
        let due = hsts.due(&origin, scheme);
        let said = due.as_ref().map_or("", |due| due.to_str().unwrap());
        assert_eq!(said, expected, "{origin:?} over {scheme}");
    }

    #[test]
    fn sites_alone_are_told_and_over_tls_alone() {
        let hsts = Hsts::of(DAY);
        let https = || Some(Scheme::HTTPS);
        check(&hsts, https(), &Scheme::HTTPS, "a.example", "max-age=86400");
        check(&hsts, https(), &Scheme::HTTPS, "a.example:8443", "max-age=86400");
        check(&hsts, None, &Scheme::HTTP, "a.example", "");
        for local in ["localhost", "LOCALHOST:3000", "a.localhost.", "127.0.0.1", "[::1]:3000"] {
            check(&hsts, https(), &Scheme::HTTPS, local, "");
        }
        check(&Hsts::off(), https(), &Scheme::HTTPS, "a.example", "");
        check(&Hsts::of(Duration::ZERO), https(), &Scheme::HTTPS, "a.example", "max-age=0");
    }

    #[test]
    fn a_proxy_that_speaks_tls_speaks_for_itself_unless_the_operator_chose() {
        let behind = (Some(Scheme::HTTPS), Scheme::HTTP);
        check(&Hsts::of(DAY), behind.0.clone(), &behind.1, "a.example", "");
        check(&Hsts::everywhere(DAY), behind.0, &behind.1, "a.example", "max-age=86400");
        check(&Hsts::everywhere(DAY), None, &Scheme::HTTP, "a.example", "");
        check(&Hsts::everywhere(DAY), Some(Scheme::HTTP), &Scheme::HTTPS, "a.example", "");
    }
}
