//! What `tests/harness/properties/` holds to its promises and nobody else may call.

use http::HeaderMap;
use memchr::memmem::Finder;

use crate::gateway::strip;
use crate::identity::names::IdentityNames;
use crate::session::cookie_header;

/// Removes what clients may not send.
pub fn strip(headers: &mut HeaderMap, names: &IdentityNames) {
    strip::strip(headers, names);
}

/// Every value of the cookie `name`.
pub fn cookie_values(headers: &HeaderMap, name: &str) -> Vec<Vec<u8>> {
    cookie_header::values_of(headers, &Finder::new(name)).map(<[u8]>::to_vec).collect()
}

/// Leaves one cookie `name`.
pub fn replace_cookie(headers: &mut HeaderMap, name: &str, value: &str) {
    cookie_header::replace(headers, name, value);
}
