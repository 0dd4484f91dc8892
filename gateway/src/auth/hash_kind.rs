//! What stands in the column of passwords, as its first characters tell.

use std::fmt;

use super::passwords::COST;

/// A hash that the gateway verifies, or why it does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HashKind {
    /// `$2a$`, `$2b$` or `$2y$`, and its cost: three names of one function.
    Bcrypt(u32),
    Unverified(Unverified),
}

/// Passwords that nobody signs in with here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unverified {
    /// No password: somebody who signs in by other means.
    Missing,
    Empty,
    /// Begins as bcrypt, and is not whole, or of a version with a known mistake.
    BrokenBcrypt,
    /// A hash of another function.
    Other(&'static str),
    /// None that is known; the password itself, perhaps.
    Unknown,
}

/// How other functions' hashes begin: the PHC string format, `crypt(5)`, Django and Werkzeug.
const OTHERS: [(&str, &str); 11] = [
    ("$argon2", "argon2"),
    ("$pbkdf2", "pbkdf2"),
    ("pbkdf2", "pbkdf2"),
    ("$scrypt", "scrypt"),
    ("scrypt", "scrypt"),
    ("$7$", "scrypt"),
    ("$1$", "md5-crypt"),
    ("$5$", "sha256-crypt"),
    ("$6$", "sha512-crypt"),
    ("sha", "sha"),
    ("{SSHA", "sha"),
];

/// Digits of an MD5, SHA-1, SHA-256 and SHA-512 in hexadecimal.
const DIGESTS: [(usize, &str); 4] = [(32, "md5"), (40, "sha1"), (64, "sha256"), (128, "sha512")];

impl HashKind {
    pub(crate) fn of(hash: Option<&str>) -> Self {
        let hash = match hash {
            None => return Self::Unverified(Unverified::Missing),
            Some("") => return Self::Unverified(Unverified::Empty),
            Some(hash) => hash,
        };
        if hash.starts_with("$2") {
            let cost = cost_of(hash);
            return cost.map_or(Self::Unverified(Unverified::BrokenBcrypt), Self::Bcrypt);
        }
        let is_hex = hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        let digest = DIGESTS.iter().find(|(length, _)| is_hex && hash.len() == *length);
        let other = OTHERS.iter().find(|(start, _)| hash.starts_with(start));
        let known = other.map(|(_, name)| name).or(digest.map(|(_, name)| name));
        Self::Unverified(known.map_or(Unverified::Unknown, |name| Unverified::Other(name)))
    }

    pub(super) fn cost(self) -> Option<u32> {
        match self {
            Self::Bcrypt(cost) => Some(cost),
            Self::Unverified(_) => None,
        }
    }

    /// Whether a password gets a costlier one today.
    pub(crate) fn is_weak(self) -> bool {
        self.cost().is_some_and(|cost| cost < COST)
    }
}

impl fmt::Display for HashKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bcrypt(cost) => write!(f, "bcrypt {cost}"),
            Self::Unverified(kind) => kind.fmt(f),
        }
    }
}

impl fmt::Display for Unverified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "none",
            Self::Empty => "empty",
            Self::BrokenBcrypt => "a broken or unknown bcrypt",
            Self::Other(name) => name,
            Self::Unknown => "no known hash",
        })
    }
}

/// The cost of a hash that is whole, and of a version without a known mistake.
fn cost_of(hash: &str) -> Option<u32> {
    let is_version = ["$2a$", "$2b$", "$2y$"].iter().any(|version| hash.starts_with(version));
    let parts = hash.parse::<bcrypt::HashParts>().ok().filter(|_| is_version)?;
    Some(parts.get_cost()).filter(|cost| (4..=31).contains(cost))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BCRYPT: &str = "$2b$10$bsEj3iWiUAC607D2MGlcy.Dr1wnUPx2ayJNxxU/uBGfgVnjg83WN2";

    #[track_caller]
    fn check(hash: &str, expected: &str) {
        assert_eq!(HashKind::of(Some(hash)).to_string(), expected, "{hash}");
    }

    #[test]
    fn bcrypt_is_verified_in_its_three_versions_and_at_any_cost() {
        for version in ["$2a$", "$2b$", "$2y$"] {
            check(&BCRYPT.replace("$2b$", version), "bcrypt 10");
        }
        check(&BCRYPT.replace("$10$", "$04$"), "bcrypt 4");
        check(&BCRYPT.replace("$10$", "$31$"), "bcrypt 31");
        for broken in ["$2x$", "$2$", "$2c$"] {
            check(&BCRYPT.replace("$2b$", broken), "a broken or unknown bcrypt");
        }
        for broken in ["$2b$10$", &BCRYPT.replace("$10$", "$03$"), &format!("{BCRYPT}x")] {
            check(broken, "a broken or unknown bcrypt");
        }
    }

    #[test]
    fn every_other_kind_is_told_by_its_name() {
        check("$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA", "argon2");
        check("pbkdf2_sha256$600000$salt$hash", "pbkdf2");
        check("$pbkdf2-sha512$25000$salt$hash", "pbkdf2");
        check("scrypt:32768:8:1$salt$hash", "scrypt");
        check("$6$salt$hash", "sha512-crypt");
        check("sha1$salt$1$hash", "sha");
        check("5f4dcc3b5aa765d61d8327deb882cf99", "md5");
        check(&"0f".repeat(64), "sha512");
        check("", "empty");
        for text in ["correct horse", "pw", "deadbeef"] {
            check(text, "no known hash");
        }
        assert_eq!(HashKind::of(None), HashKind::Unverified(Unverified::Missing));
    }
}
