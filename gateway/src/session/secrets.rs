//! The keys that sign session cookies.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::id::{SessionHash, SessionId};

/// Derives the key of log hashes, which must tell nothing of a cookie's signature.
const LOG_PURPOSE: &[u8] = b"nextbnb-gateway session hash";

/// Length of a signature: 32 bytes in base64, without the padding.
pub(super) const SIGNATURE_BYTES: usize = 43;

/// One or more keys: the first signs, all verify. Its `Debug` shows how many there are.
#[derive(Clone)]
pub struct Secrets {
    signing: Hmac<Sha256>,
    retired: Vec<Hmac<Sha256>>,
    logging: Hmac<Sha256>,
}

impl Secrets {
    /// `None` when there is no secret; how long they must be is for the settings to say.
    pub fn new(secrets: &[Vec<u8>]) -> Option<Self> {
        let (first, rest) = secrets.split_first()?;
        let signing = key(first)?;
        let logging = key(&digest(&signing, LOG_PURPOSE))?;
        let retired = rest.iter().map(|secret| key(secret)).collect::<Option<_>>()?;
        Some(Self { signing, retired, logging })
    }

    /// Standard base64 without padding, as `cookie-signature` has it.
    pub(super) fn sign(&self, sid: &str) -> String {
        signature(&self.signing, sid)
    }

    /// Whether any secret gives exactly this signature.
    ///
    /// Compares text and not bytes: Express refuses padding and every other spelling of the same
    /// base64, and a cookie good here must be good there. Takes the same time wherever it differs.
    pub(super) fn verify(&self, sid: &str, presented: &str) -> bool {
        self.place_of_signer(sid, presented).is_some()
    }

    /// Which secret gives exactly this signature, from 1 on; see [`Self::verify`].
    pub(super) fn place_of_signer(&self, sid: &str, presented: &str) -> Option<usize> {
        let matches = |key| signature(key, sid).as_bytes().ct_eq(presented.as_bytes()).into();
        let place = std::iter::once(&self.signing).chain(&self.retired).position(matches);
        place.map(|place| place + 1)
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        1 + self.retired.len()
    }

    pub(super) fn hash(&self, sid: &SessionId) -> SessionHash {
        let digest = digest(&self.logging, sid.as_str().as_bytes());
        let mut short = [0; 8];
        short.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        SessionHash(short)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({} redacted)", self.count())
    }
}

fn key(secret: &[u8]) -> Option<Hmac<Sha256>> {
    Hmac::new_from_slice(secret).ok()
}

fn signature(key: &Hmac<Sha256>, sid: &str) -> String {
    STANDARD_NO_PAD.encode(digest(key, sid.as_bytes()))
}

fn digest(key: &Hmac<Sha256>, message: &[u8]) -> [u8; 32] {
    key.clone().chain_update(message).finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(texts: &[&str]) -> Secrets {
        let secrets: Vec<_> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
        Secrets::new(&secrets).unwrap()
    }

    #[test]
    fn the_first_secret_signs_and_all_verify() {
        let (old, new) = (secrets(&["old"]), secrets(&["new"]));
        let both = secrets(&["new", "old"]);
        assert!(both.verify("sid", &old.sign("sid")));
        assert!(both.verify("sid", &new.sign("sid")));
        assert_eq!(both.place_of_signer("sid", &old.sign("sid")), Some(2));
        assert_eq!(both.sign("sid"), new.sign("sid"));
        assert!(!new.verify("sid", &old.sign("sid")));
    }

    #[test]
    fn no_secret_is_refused() {
        assert!(Secrets::new(&[]).is_none());
    }

    #[test]
    fn a_hash_for_logs_is_steady_and_no_part_of_the_signature() {
        let id = SessionId::generate().unwrap();
        let hash = secrets(&["s"]).hash(&id);
        assert_eq!(hash, secrets(&["s", "older"]).hash(&id));
        assert_ne!(hash, secrets(&["t"]).hash(&id));
        assert_ne!(hash.0, digest(&secrets(&["s"]).signing, id.as_str().as_bytes())[..8]);
        assert_eq!(hash.to_string().len(), 16);
    }

    #[test]
    fn secrets_do_not_show_themselves() {
        assert_eq!(format!("{:?}", secrets(&["hunter2", "x"])), "Secrets(2 redacted)");
    }
}
