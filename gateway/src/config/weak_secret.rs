//! Secrets that somebody could guess.

use super::secrets::SHORTEST_SECRET_BYTES;

/// Examples of documentation and courses: express-session's, and what people write in their place.
const EXAMPLES: [&str; 10] = [
    "keyboardcat",
    "changeme",
    "changethis",
    "yoursecret",
    "mysecret",
    "supersecret",
    "topsecret",
    "sessionsecret",
    "password",
    "example",
];

/// Different bytes of a random secret of 32: hexadecimal text has about fourteen.
const FEWEST_DIFFERENT: usize = 8;

/// What is weak about it, in words that do not tell it.
pub(super) fn reason(secret: &[u8]) -> Option<&'static str> {
    let letters: String = String::from_utf8_lossy(secret)
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    if EXAMPLES.iter().any(|example| letters.contains(example)) {
        return Some("one is an example of some documentation");
    }
    let mut different = secret.to_vec();
    different.sort_unstable();
    different.dedup();
    if different.len() < FEWEST_DIFFERENT {
        return Some("one is of very few different characters");
    }
    (secret.len() < SHORTEST_SECRET_BYTES).then_some("one has fewer than 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_monotonous_and_short_secrets_are_weak() {
        for (secret, part) in [
            ("keyboard cat", "example"),
            ("Change-Me-0123456789abcdef0123456789abcdef", "example"),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "few different"),
            ("343ji43j4n3jn4jk3n", "few different"),
            ("a8Zq0Lw7Bd4Xc1", "fewer than 32"),
        ] {
            let found = reason(secret.as_bytes());
            assert!(found.is_some_and(|reason| reason.contains(part)), "{secret}: {found:?}");
        }
    }

    #[test]
    fn random_secrets_are_not() {
        for secret in [
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=",
        ] {
            assert_eq!(reason(secret.as_bytes()), None);
        }
    }
}
