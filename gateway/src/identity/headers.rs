//! The request headers by which the upstream knows who is signed in.

use std::borrow::Cow;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Identity;

const USER: HeaderName = HeaderName::from_static("x-forwarded-user");
const EMAIL: HeaderName = HeaderName::from_static("x-forwarded-email");
const PREFERRED_USERNAME: HeaderName = HeaderName::from_static("x-forwarded-preferred-username");

/// Names that a later version may set: reserved from the first day, so that no upstream ever
/// learned to trust a client's copy.
const RESERVED: [&str; 2] = ["x-forwarded-groups", "x-forwarded-access-token"];
const RESERVED_PREFIX: &str = "x-nextbnb-";

/// Bytes of an e-mail address that are percent-encoded: all but those of a dot-atom (RFC 5322
/// §3.2.3) and `@`, so that no reader takes it for a list or the beginning of something else; and
/// `%`, so that decoding gives back exactly the address.
const ADDRESS: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'%')
    .add(b'(')
    .add(b')')
    .add(b',')
    .add(b':')
    .add(b';')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']');

/// Bytes of a name that are percent-encoded: all but the unreserved ones (RFC 3986 §2.3).
const NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Whether a field, its name folded, is one that only the gateway may set.
pub fn is_managed(folded: &str) -> bool {
    [USER, EMAIL, PREFERRED_USERNAME].iter().any(|name| name == folded)
        || RESERVED.contains(&folded)
        || folded.starts_with(RESERVED_PREFIX)
}

/// A field's name as a careless backend may read it: lower case, and `-` for whatever is neither a
/// letter nor a digit.
///
/// CGI and its heirs turn all of those into `_`, so that `X_Forwarded_User` or `X~Forwarded~User`
/// would be taken for `X-Forwarded-User` (CVE-2026-54763).
pub fn fold(name: &HeaderName) -> Cow<'_, str> {
    let is_mark = |c: char| c != '-' && !c.is_ascii_alphanumeric();
    let name = name.as_str(); // It is lower case.
    if name.contains(is_mark) {
        return Cow::Owned(name.replace(is_mark, "-"));
    }
    Cow::Borrowed(name)
}

impl Identity {
    /// Sets the fields that name this user; there must be no copies of a client left.
    pub fn inject(&self, headers: &mut HeaderMap) {
        headers.insert(USER, HeaderValue::from(self.id));
        let name = self.name.as_deref().map(|name| utf8_percent_encode(name, NAME).to_string());
        let email = utf8_percent_encode(&self.email, ADDRESS).to_string();
        for (field, value) in [(EMAIL, Some(email)), (PREFERRED_USERNAME, name)] {
            if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
                headers.insert(field, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(email: &str, name: Option<&str>, expected_email: &str, expected_name: Option<&str>) {
        let name = name.map(str::to_owned);
        let mut headers = HeaderMap::new();
        Identity { id: 7, email: email.to_owned(), name }.inject(&mut headers);
        assert_eq!(headers[USER], "7");
        assert_eq!(headers[EMAIL], expected_email);
        assert_eq!(headers.get(PREFERRED_USERNAME).map(|v| v.to_str().unwrap()), expected_name);
    }

    #[test]
    fn an_identity_is_visible_ascii_in_headers() {
        check("a@b.c", None, "a@b.c", None);
        check("a+b/c@d.e", Some("Ada"), "a+b/c@d.e", Some("Ada"));
        check("é@b.c", Some("Ada Lovelace"), "%C3%A9@b.c", Some("Ada%20Lovelace"));
        check("a\r\nX-Evil: 1@b", Some("\u{0}\n%"), "a%0D%0AX-Evil%3A%201@b", Some("%00%0A%25"));
        check("50%@b.c", Some("李"), "50%25@b.c", Some("%E6%9D%8E"));
        check("!#$&'*+-/=?^_`{|}~@b", None, "!#$&'*+-/=?^_`{|}~@b", None);
        check("a,\"b\"<c>;@[\\]()", None, "a%2C%22b%22%3Cc%3E%3B@%5B%5C%5D%28%29", None);
        check("\0\t\u{7f}\u{85}", None, "%00%09%7F%C2%85", None);
    }

    #[test]
    fn every_spelling_of_a_managed_name_is_known() {
        let spellings = [
            "x-forwarded-user",
            "X-Forwarded-User",
            "X_Forwarded_User",
            "x.forwarded.email",
            "x-forwarded_preferred.username",
            "X-Nextbnb-Anything",
            "x_nextbnb_assertion",
            "X~Forwarded~User",
            "X'Forwarded'User",
            "x!forwarded#user",
            "x$forwarded%email",
            "x&forwarded*email",
            "x+forwarded^email",
            "x`forwarded|email",
            "x-forwarded-groups",
        ];
        for spelling in spellings {
            assert!(is_managed(&fold(&spelling.parse().unwrap())), "{spelling}");
        }
        for other in ["x-user", "user", "x-nextjs-data", "cookie", "xforwardeduser"] {
            assert!(!is_managed(&fold(&other.parse().unwrap())), "{other}");
        }
    }
}
