//! bcrypt hashes, and what they cost.

use std::collections::BTreeMap;

use super::credentials::Password;
use super::hash_kind::HashKind;

/// Salt and hash of no password of anybody's.
const DUMMY: &str = "bsEj3iWiUAC607D2MGlcy.Dr1wnUPx2ayJNxxU/uBGfgVnjg83WN2";

/// The hash that a verification spends its time on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Spent {
    /// The account's own.
    Theirs(String),
    /// One of the usual cost; whatever comes out, it is no match.
    Dummy(String),
}

impl Spent {
    pub(super) fn on(hash: Option<String>, cost: u32) -> Self {
        let known = hash.filter(|hash| cost_of(hash).is_some());
        known.map_or_else(|| Self::Dummy(format!("$2b${cost:02}${DUMMY}")), Self::Theirs)
    }
}

/// What most of `hashes` cost; the higher of two that are as frequent.
pub(super) fn prevailing_cost(hashes: &[String]) -> Option<u32> {
    let mut counts = BTreeMap::<u32, usize>::new();
    for cost in hashes.iter().filter_map(|hash| cost_of(hash)) {
        *counts.entry(cost).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(cost, _)| cost)
}

#[expect(clippy::disallowed_methods, reason = "in its turn, on a thread that may block")]
pub(super) fn verify(password: &Password, hash: &str) -> bool {
    bcrypt::verify(&password.0, hash).unwrap_or(false)
}

fn cost_of(hash: &str) -> Option<u32> {
    HashKind::of(Some(hash)).cost()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Node's bcrypt of `pw`.
    const HASH: &str = "$2b$10$bsEj3iWiUAC607D2MGlcy.Dr1wnUPx2ayJNxxU/uBGfgVnjg83WN2";

    fn password(text: &str) -> Password {
        Password(text.to_owned())
    }

    #[track_caller]
    fn check(text: &str, hash: &str, matches: bool) {
        let known = cost_of(hash).is_some();
        assert_eq!(known && verify(&password(text), hash), matches, "{hash}");
    }

    #[test]
    fn a_hash_of_node_verifies() {
        check("pw", HASH, true);
        check("pw", &HASH.replace("$2b$", "$2a$"), true);
        check("pW", HASH, false);
    }

    /// As in bcryptjs; Node's bcrypt refuses the version of PHP, whose function is the same.
    #[test]
    fn a_hash_of_php_verifies() {
        check("pw", &HASH.replace("$2b$", "$2y$"), true);
        check("pW", &HASH.replace("$2b$", "$2y$"), false);
    }

    /// As in Node's bcrypt; registration refuses a NUL for it.
    #[test]
    fn a_nul_counts_and_a_repetition_does_not() {
        check("pw\0", HASH, false);
        check("pw\0x", HASH, false);
        check("pw\0pw", HASH, true);
    }

    #[test]
    fn what_is_no_bcrypt_is_no_match() {
        check("pw", &HASH.replace("$2b$", "$2x$"), false);
        for hash in
            ["", "pw", "$2b$10$", "$2b$03$bsEj3iWiUAC607D2MGlcy.Dr1wnUPx2ayJNxxU/uBGfgVnjg83WN2"]
        {
            check("pw", hash, false);
        }
    }

    #[test]
    fn an_unknown_account_costs_what_a_known_one_does() {
        let theirs = Spent::on(Some(HASH.to_owned()), 12);
        assert_eq!(theirs, Spent::Theirs(HASH.to_owned()));
        for hash in [None, Some(""), Some("$2y$")] {
            let Spent::Dummy(dummy) = Spent::on(hash.map(str::to_owned), 12) else {
                panic!("{hash:?} is nobody's")
            };
            assert_eq!(cost_of(&dummy), Some(12));
        }
    }

    #[test]
    fn what_a_password_costs_is_what_most_of_them_do() {
        let of = |costs: &[&str]| {
            let hashes = costs.iter().map(|cost| HASH.replace("$10$", &format!("${cost}$")));
            prevailing_cost(&hashes.collect::<Vec<_>>())
        };
        assert_eq!(of(&[]), None);
        assert_eq!(of(&["12"]), Some(12));
        assert_eq!(of(&["10", "08", "08"]), Some(8));
        assert_eq!(of(&["12", "10"]), Some(12));
        assert_eq!(of(&["03", "32", "10"]), Some(10));
        assert_eq!(prevailing_cost(&[String::new(), HASH.replace("$2b$", "$2x$")]), None);
    }
}
