//! What a session is called in its cookie and its row.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRng;
use rand::rngs::{SysError, SysRng};

/// A session id that the gateway, or an Express server with the same secret, gave out.
///
/// Whoever knows it and the secret owns the session: its `Debug` shows nothing, and logs carry a
/// [`SessionHash`].
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SessionId(String);

impl SessionId {
    /// 192 bits from the operating system, in 32 characters: what `uid-safe` makes in Express.
    pub fn generate() -> Result<Self, SysError> {
        let mut bytes = [0; 24];
        SysRng.try_fill_bytes(&mut bytes)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// An id whose signature was checked. No column can hold a NUL, so no row has such an id.
    pub(super) fn signed(text: &str) -> Option<Self> {
        (!text.is_empty() && !text.contains('\0')).then(|| Self(text.to_owned()))
    }

    /// That of a row.
    pub(super) fn stored(sid: String) -> Self {
        Self(sid)
    }

    /// The id itself, which belongs in the cookie and the row and nowhere else.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(redacted)")
    }
}

/// What stands for a session in logs: the same for the same session on every replica, and of no
/// use to whoever reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionHash(pub(super) [u8; 8]);

impl fmt::Display for SessionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_the_form_that_express_gives_it() {
        let id = SessionId::generate().unwrap();
        assert_eq!(id.as_str().len(), 32);
        let is_base64url = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        assert!(id.as_str().chars().all(is_base64url));
        assert_ne!(id, SessionId::generate().unwrap());
    }

    #[test]
    fn an_id_does_not_show_itself() {
        let id = SessionId::generate().unwrap();
        assert!(!format!("{id:?}").contains(id.as_str()));
    }
}
