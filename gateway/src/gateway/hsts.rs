//! Browsers are told to come back over https alone.

use std::net::IpAddr;
use std::time::Duration;

use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::uri::{Authority, Scheme};

/// What `Strict-Transport-Security` says; nothing where it is off.
#[derive(Debug, Clone)]
pub struct Hsts(Option<HeaderValue>);

impl Hsts {
    /// Off.
    pub fn off() -> Self {
        Self(None)
    }

    /// For that long after each answer. Zero takes back what was said before.
    pub fn of(max_age: Duration) -> Self {
        Self(HeaderValue::try_from(format!("max-age={}", max_age.as_secs())).ok())
    }

    /// The field that is due in the answer to a request.
    ///
    /// Not for addresses, of which browsers take none (RFC 6797 §8.1.1), nor for `localhost`, where
    /// other servers are plain.
    pub(super) fn due(&self, head: &Parts, scheme: &Scheme) -> Option<HeaderValue> {
        let value = self.0.as_ref().filter(|_| *scheme == Scheme::HTTPS)?;
        let authority =
            head.uri.authority().cloned().or_else(|| {
                head.headers.get(header::HOST)?.to_str().ok()?.parse::<Authority>().ok()
            })?;
        is_site(authority.host()).then(|| value.clone())
    }
}

/// Adds the field, unless the upstream has said it in its own words.
pub(super) fn add(headers: &mut HeaderMap, due: Option<HeaderValue>) {
    if let Some(value) = due {
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(value);
    }
}

fn is_site(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let is_address = host.starts_with('[') || host.parse::<IpAddr>().is_ok();
    !is_address && host != "localhost" && !host.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[track_caller]
    fn check(hsts: &Hsts, scheme: &Scheme, host: &str, expected: Option<&str>) {
        let head = Request::get("/").header("host", host).body(()).unwrap().into_parts().0;
        let due = hsts.due(&head, scheme);
        assert_eq!(due.as_ref().map(|due| due.to_str().unwrap()), expected, "{scheme} {host}");
    }

    #[test]
    fn sites_alone_are_told_and_over_tls_alone() {
        let hsts = Hsts::of(Duration::from_hours(24));
        check(&hsts, &Scheme::HTTPS, "a.example", Some("max-age=86400"));
        check(&hsts, &Scheme::HTTPS, "a.example:8443", Some("max-age=86400"));
        check(&hsts, &Scheme::HTTP, "a.example", None);
        for local in ["localhost", "LOCALHOST:3000", "a.localhost.", "127.0.0.1", "[::1]:3000"] {
            check(&hsts, &Scheme::HTTPS, local, None);
        }
        check(&Hsts::off(), &Scheme::HTTPS, "a.example", None);
        check(&Hsts::of(Duration::ZERO), &Scheme::HTTPS, "a.example", Some("max-age=0"));
    }
}
