//! What a user is called in requests to the upstreams, made once for all of a session's.

use std::fmt;

use bytes::Bytes;
use http::HeaderValue;
use percent_encoding::utf8_percent_encode;

use super::Identity;
use super::headers::{ADDRESS, NAME};
use super::names::{IdentityNames, Told};
use crate::proxy::own_fields::OwnFields;

/// The values of the fields that name a user. Its `Debug` shows none.
pub struct IdentityFields {
    user: Option<HeaderValue>,
    email: Option<HeaderValue>,
    name: Option<HeaderValue>,
}

impl IdentityFields {
    /// Those of a person.
    pub fn of(identity: &Identity) -> Self {
        let plain =
            |text: &str| (!text.is_empty()).then(|| utf8_percent_encode(text, ADDRESS).to_string());
        let name = identity.name.as_deref().map(|name| utf8_percent_encode(name, NAME).to_string());
        Self {
            user: plain(&identity.id.to_string()).and_then(shared),
            email: plain(&identity.email).and_then(shared),
            name: name.and_then(shared),
        }
    }

    /// Adds the fields of `names` to the gateway's own; there must be no copies of a client left.
    pub fn inject(&self, names: &IdentityNames, fields: &mut OwnFields) {
        for (told, field) in names.iter() {
            let value = match told {
                Told::User => &self.user,
                Told::Email => &self.email,
                Told::Name => &self.name,
            };
            if let Some(value) = value {
                fields.add(field, value);
            }
        }
    }

    /// Bytes of memory behind this.
    pub(crate) fn heap_bytes(&self) -> usize {
        [&self.user, &self.email, &self.name].into_iter().flatten().map(HeaderValue::len).sum()
    }
}

/// A value that is cloned without an allocation: the first clone of a `Bytes` makes what the later
/// ones share.
fn shared(text: String) -> Option<HeaderValue> {
    let value = HeaderValue::from_maybe_shared(Bytes::from(text)).ok()?;
    drop(value.clone());
    Some(value)
}

impl fmt::Debug for IdentityFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentityFields(redacted)")
    }
}
