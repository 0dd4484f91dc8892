//! The session ids that a request presents.

use http::HeaderMap;
use memchr::memmem::Finder;

use super::cookie_header;
use super::id::SessionId;
use super::secrets::Secrets;
use super::signed_cookie::Claim;

/// Session cookies looked up for one request. A browser sends two after a change of domain or
/// path; whoever sends many wants work done.
const COOKIES_LOOKED_UP: usize = 3;

/// Signatures computed for one request, with each secret: more than any browser's mishaps need.
const CLAIMS_VERIFIED: usize = 16;

/// The ids under `cookie_name` that one of the secrets signed, in order; the first three.
///
/// Work is bounded whatever the header holds, for nobody has proved anything yet.
pub fn presented(headers: &HeaderMap, cookie_name: &str, secrets: &Secrets) -> Vec<SessionId> {
    let name = Finder::new(cookie_name);
    let values = cookie_header::values_of(headers, &name);
    let claims = values.filter_map(Claim::read).take(CLAIMS_VERIFIED);
    let mut ids: Vec<SessionId> = Vec::new();
    for id in claims.filter_map(|claim| claim.verify(secrets)) {
        if !ids.contains(&id) {
            ids.push(id);
        }
        if ids.len() == COOKIES_LOOKED_UP {
            break;
        }
    }
    ids
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::COOKIE;

    use super::*;

    const GOOD: &str =
        "s%3AFOuIfejAGTNED3azkkvFfsMTsFEtHapb.hOzZxel5kSoqgDzzRaBJtHbAcQqxnxaQXHr2ejP%2BQSc";

    /// Whether a good cookie is found behind `count` times `value`.
    fn is_found_behind(count: usize, value: &str) -> bool {
        let mut cookies = vec![format!("nextbnb={value}"); count];
        cookies.push(format!("nextbnb={GOOD}"));
        let cookies = HeaderValue::try_from(cookies.join("; ")).unwrap();
        let headers = HeaderMap::from_iter([(COOKIE, cookies)]);
        let secrets = Secrets::new(&[b"343ji43j4n3jn4jk3n".to_vec()]).unwrap();
        !presented(&headers, "nextbnb", &secrets).is_empty()
    }

    #[test]
    fn what_is_no_signed_cookie_hides_none() {
        assert!(is_found_behind(5000, "s:sid.short"));
        assert!(is_found_behind(5000, "junk"));
        assert!(is_found_behind(3, &"x".repeat(100_000)));
    }

    #[test]
    fn signatures_are_computed_for_a_few_only() {
        let forged = format!("s:sid.{}", "x".repeat(43));
        assert!(is_found_behind(CLAIMS_VERIFIED - 1, &forged));
        assert!(!is_found_behind(CLAIMS_VERIFIED, &forged));
    }
}
