//! What the upstream learns of the connection that the gateway ended.

use std::net::IpAddr;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::uri::Scheme;

pub(crate) const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
pub(crate) const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
pub(crate) const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
pub(crate) const X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const X_FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// Whether a field, its name folded, tells where a request came from or what it asked for.
///
/// Next.js believes such fields (16.4.5, `base-server.js`), so clients may not send them.
pub fn is_forwarding(folded: &str) -> bool {
    const PREFIXES: [&str; 3] = ["x-forwarded-", "x-original-", "x-rewrite-"];
    matches!(folded, "forwarded" | "x-real-ip")
        || PREFIXES.iter().any(|prefix| folded.starts_with(prefix))
}

/// One connection and the host asked for on it.
#[derive(Debug, Clone, Copy)]
pub struct Forwarding<'a> {
    /// The client's address.
    pub client: IpAddr,
    /// The host as the browser wrote it, with its port.
    pub host: &'a str,
    /// How the browser speaks to the gateway.
    pub scheme: &'a Scheme,
    /// The port that the browser speaks to.
    pub port: u16,
    /// What was taken off the front of the path.
    pub prefix: Option<&'a str>,
}

impl Forwarding<'_> {
    /// Sets the four `X-Forwarded-` fields that Next.js would otherwise make up itself, and
    /// `X-Forwarded-Prefix` where there is one.
    pub fn set(&self, headers: &mut HeaderMap) {
        let client = HeaderValue::try_from(self.client.to_string());
        let values = [
            (X_FORWARDED_FOR, client),
            (X_FORWARDED_HOST, HeaderValue::try_from(self.host)),
            (X_FORWARDED_PROTO, HeaderValue::try_from(self.scheme.as_str())),
            (X_FORWARDED_PORT, Ok(HeaderValue::from(self.port))),
        ];
        let prefix = self.prefix.map(|prefix| (X_FORWARDED_PREFIX, HeaderValue::try_from(prefix)));
        for (name, value) in values.into_iter().chain(prefix) {
            if let Ok(value) = value {
                headers.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upstream_learns_client_host_scheme_and_port() {
        let mut headers = HeaderMap::new();
        let (client, scheme) = ("::1".parse().unwrap(), &Scheme::HTTPS);
        Forwarding { client, host: "[::1]:3000", scheme, port: 3000, prefix: None }
            .set(&mut headers);
        let names = [X_FORWARDED_FOR, X_FORWARDED_HOST, X_FORWARDED_PROTO, X_FORWARDED_PORT];
        let values = names.map(|name| headers[name].to_str().unwrap().to_owned());
        assert_eq!(values, ["::1", "[::1]:3000", "https", "3000"]);
    }
}
