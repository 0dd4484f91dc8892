//! What the upstream learns of the connection that the gateway ended.

use std::net::IpAddr;

use http::header::HeaderName;
use http::uri::Scheme;

use super::own_fields::OwnFields;

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
    /// Adds the four `X-Forwarded-` fields that Next.js would otherwise make up itself, and
    /// `X-Forwarded-Prefix` where there is one.
    pub fn add_to(&self, fields: &mut OwnFields) {
        fields.add_address(&X_FORWARDED_FOR, self.client);
        fields.add_text(&X_FORWARDED_HOST, self.host);
        fields.add_text(&X_FORWARDED_PROTO, self.scheme.as_str());
        fields.add_number(&X_FORWARDED_PORT, self.port);
        if let Some(prefix) = self.prefix {
            fields.add_text(&X_FORWARDED_PREFIX, prefix);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upstream_learns_client_host_scheme_and_port() {
        let mut fields = OwnFields::new();
        let (client, scheme) = ("::1".parse().unwrap(), &Scheme::HTTPS);
        Forwarding { client, host: "[::1]:3000", scheme, port: 3000, prefix: Some("/shop") }
            .add_to(&mut fields);
        let lines = "x-forwarded-for: ::1\r\nx-forwarded-host: [::1]:3000\r\n\
                     x-forwarded-proto: https\r\nx-forwarded-port: 3000\r\n\
                     x-forwarded-prefix: /shop\r\n";
        assert_eq!(fields.as_bytes(), lines.as_bytes());
    }
}
