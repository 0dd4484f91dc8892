//! What an operator calls a session.

use std::fmt;

use super::changes::SessionDigest;
use super::id::{SessionHash, SessionId};
use super::inspect;
use super::secrets::Secrets;

/// A session's name for operators: never its id, which is worth the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionHandle {
    /// As in logs; needs a secret.
    Log(SessionHash),
    /// As in the notices of the change feed.
    Notice(SessionDigest),
}

impl SessionHandle {
    /// That of logs where their secret is known.
    pub(super) fn of(id: &SessionId, secrets: Option<&Secrets>) -> Self {
        match secrets {
            Some(secrets) => Self::Log(secrets.hash(id)),
            None => Self::Notice(SessionDigest::of(id)),
        }
    }

    fn read(typed: &str) -> Option<Self> {
        match typed.len() {
            16 => from_hex(typed).map(SessionHash).map(Self::Log),
            32 => from_hex(typed).map(SessionDigest).map(Self::Notice),
            _ => None,
        }
    }

    /// Whether this is a name of the session with that id.
    pub(super) fn names(self, id: &SessionId, secrets: Option<&Secrets>) -> bool {
        match self {
            Self::Log(hash) => secrets.is_some_and(|secrets| secrets.hash(id) == hash),
            Self::Notice(digest) => SessionDigest::of(id) == digest,
        }
    }
}

impl fmt::Display for SessionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log(hash) => hash.fmt(f),
            Self::Notice(digest) => digest.0.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
        }
    }
}

fn from_hex<const N: usize>(typed: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let pairs = typed.as_bytes().chunks(2);
    for (byte, pair) in bytes.iter_mut().zip(pairs) {
        let pair = std::str::from_utf8(pair).ok()?;
        let is_hex = pair.bytes().all(|digit| digit.is_ascii_hexdigit());
        *byte = u8::from_str_radix(pair, 16).ok().filter(|_| is_hex)?;
    }
    Some(bytes)
}

/// What was typed for a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meant {
    /// Its name for operators.
    Handle(SessionHandle),
    /// Its cookie.
    Cookie(SessionId),
}

impl Meant {
    /// Reads a name, or a cookie as browsers show it, whoever signed that: it is only to be ended. A
    /// whole Cookie header may hold several. None for anything else.
    pub(crate) fn read(typed: &str, cookie_name: &str) -> Vec<Self> {
        let typed = typed.trim();
        match SessionHandle::read(typed) {
            Some(handle) => vec![Self::Handle(handle)],
            None => inspect::claimed(typed.as_bytes(), cookie_name).map(Self::Cookie).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COOKIE: &str =
        "s%3AFOuIfejAGTNED3azkkvFfsMTsFEtHapb.hOzZxel5kSoqgDzzRaBJtHbAcQqxnxaQXHr2ejP%2BQSc";

    #[test]
    fn a_session_is_called_by_the_hash_of_logs_or_of_notices() {
        let id = SessionId::generate().unwrap();
        let secrets = Secrets::new(&[b"s".to_vec()]);
        let other = SessionId::generate().unwrap();
        for known in [secrets.as_ref(), None] {
            let shown = SessionHandle::of(&id, known).to_string();
            let [Meant::Handle(handle)] = Meant::read(&shown.to_uppercase(), "nextbnb")[..] else {
                panic!("{shown} is no handle")
            };
            assert!(handle.names(&id, known) && !handle.names(&other, known));
            assert_eq!(shown.len(), if known.is_some() { 16 } else { 32 });
        }
    }

    #[test]
    fn a_hash_of_logs_names_nothing_without_its_secret() {
        let id = SessionId::generate().unwrap();
        let secrets = [b"s", b"t"].map(|secret| Secrets::new(&[secret.to_vec()]).unwrap());
        let handle = SessionHandle::of(&id, Some(&secrets[0]));
        assert!(!handle.names(&id, None) && !handle.names(&id, Some(&secrets[1])));
    }

    #[test]
    fn a_cookie_is_taken_as_browsers_show_it_and_other_words_are_not() {
        let id = SessionId::signed("FOuIfejAGTNED3azkkvFfsMTsFEtHapb").unwrap();
        for typed in
            [COOKIE, &format!("nextbnb={COOKIE}"), &format!("Cookie: a=b; nextbnb={COOKIE}")]
        {
            assert_eq!(Meant::read(typed, "nextbnb"), [Meant::Cookie(id.clone())], "{typed}");
        }
        for typed in ["", "ada@example.org", "+123456789abcdef", "0123456789abcdeé", "s:a.b"] {
            assert_eq!(Meant::read(typed, "nextbnb"), [], "{typed}");
        }
    }
}
