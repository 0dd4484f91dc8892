//! The request headers by which the upstream knows who is signed in.

use std::borrow::Cow;

use std::fmt;

use http::header::{HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

use super::names::Preset;
use crate::proxy::own_fields::OwnFields;

/// Proves to the upstream that a request comes from the gateway.
const TOKEN: HeaderName = HeaderName::from_static("x-nextbnb-token");
/// What the session's row holds of cookie and user, for `nextbnb-req-session`.
const SESSION: HeaderName = HeaderName::from_static("x-nextbnb-session");

/// Longest session told of, in bytes: Node reads 16 kB of header fields in all.
const LONGEST_SESSION: usize = 8 * 1024;

/// Fewest bytes of a token; as the npm package has it.
const SHORTEST_TOKEN: usize = 16;

/// Names that a later version may set: reserved from the first day, so that no upstream ever
/// learned to trust a client's copy.
const RESERVED: [&str; 3] = ["x-forwarded-groups", "x-forwarded-access-token", "remote-groups"];
const RESERVED_PREFIXES: [&str; 2] = ["x-nextbnb-", "x-auth-request-"];

/// Bytes of an e-mail address, or of an id, that are percent-encoded: all but those of a dot-atom (RFC 5322
/// §3.2.3) and `@`, so that no reader takes it for a list or the beginning of something else; and
/// `%`, so that decoding gives back exactly the address.
pub(super) const ADDRESS: &AsciiSet = &CONTROLS
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
pub(super) const NAME: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Whether a field, its name folded, is one that only the gateway may set, whichever names are in
/// use.
pub fn is_managed(folded: &str) -> bool {
    Preset::any_has(folded)
        || RESERVED.contains(&folded)
        || RESERVED_PREFIXES.iter().any(|prefix| folded.starts_with(prefix))
}

/// A field's name as a careless backend may read it: lower case, and `-` for whatever is neither a
/// letter nor a digit.
///
/// CGI and its heirs turn all of those into `_`, so that `X_Forwarded_User` or `X~Forwarded~User`
/// would be taken for `X-Forwarded-User` (CVE-2026-54763).
pub fn fold(name: &HeaderName) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte == b'-' || byte.is_ascii_alphanumeric();
    let name = name.as_str(); // It is lower case.
    if !name.bytes().all(is_plain) {
        return Cow::Owned(name.replace(|c| !u8::try_from(c).is_ok_and(is_plain), "-"));
    }
    Cow::Borrowed(name)
}

/// A secret between the gateway and its upstreams, by which they tell its requests from everybody
/// else's.
#[derive(Clone)]
pub struct UpstreamToken(HeaderValue);

impl UpstreamToken {
    /// `None` for what is too short to be a secret or cannot stand in a header.
    pub fn new(text: &str) -> Option<Self> {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        let mut value = HeaderValue::try_from(text).ok()?;
        value.set_sensitive(true);
        (is_plain && text.len() >= SHORTEST_TOKEN).then_some(Self(value))
    }

    /// The secret itself, for the upstream's environment.
    pub fn expose(&self) -> &str {
        self.0.to_str().unwrap_or_default() // Visible ASCII, by `new`.
    }

    /// Adds the token, and tells of the `session` in JSON where there is one.
    ///
    /// `false` where that is too long for a header: then the upstream is not told.
    pub fn tell(&self, fields: &mut OwnFields, session: Option<&str>) -> bool {
        fields.add(&TOKEN, &self.0);
        let Some(session) = session else { return true };
        let session = utf8_percent_encode(session, NAME).to_string();
        let is_short = session.len() <= LONGEST_SESSION;
        if is_short {
            fields.add_text(&SESSION, &session);
        }
        is_short
    }
}

impl fmt::Debug for UpstreamToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UpstreamToken(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::user_id::UserId;
    use crate::identity::Identity;
    use crate::identity::fields::IdentityFields;
    use crate::identity::names::{IdentityNames, Told};

    const USER: &str = "x-forwarded-user";
    const EMAIL: &str = "x-forwarded-email";
    const PREFERRED_USERNAME: &str = "x-forwarded-preferred-username";

    #[track_caller]
    fn check(email: &str, name: Option<&str>, expected_email: &str, expected_name: Option<&str>) {
        let name = name.map(str::to_owned);
        let mut fields = OwnFields::new();
        let identity = Identity { id: UserId::Number(7), email: email.to_owned(), name };
        IdentityFields::of(&identity).inject(&IdentityNames::default(), &mut fields);
        let headers = fields.to_map();
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
    fn an_id_that_is_a_text_is_visible_ascii_too() {
        let check = |id: UserId, expected: &str| {
            let mut fields = OwnFields::new();
            let identity = Identity { id, email: String::new(), name: None };
            IdentityFields::of(&identity).inject(&IdentityNames::default(), &mut fields);
            assert_eq!(fields.to_map()[USER], expected);
        };
        let text = |id: &str| UserId::Text(id.to_owned());
        check(UserId::Big(9_007_199_254_740_993), "9007199254740993");
        check(text("f81d4fae-7dec-41d0-a765-00a0c91e6bf6"), "f81d4fae-7dec-41d0-a765-00a0c91e6bf6");
        check(text("auth0|5, 6\r\né%"), "auth0|5%2C%206%0D%0A%C3%A9%25");
    }

    #[test]
    fn the_names_are_those_of_the_preset_but_for_what_has_one_of_its_own() {
        let names_with = |preset, own: &[(Told, &'static str)]| {
            let own = own.iter().map(|(told, name)| (*told, HeaderName::from_static(name)));
            let names = IdentityNames::new(preset, own.collect());
            let name = Some("Ada".to_owned());
            let mut fields = OwnFields::new();
            let (id, email) = (UserId::Number(7), "a@b.c".to_owned());
            IdentityFields::of(&Identity { id, email, name }).inject(&names, &mut fields);
            let headers = fields.to_map();
            let mut names: Vec<_> = headers.keys().map(|name| name.as_str().to_owned()).collect();
            names.sort_unstable();
            names
        };
        assert_eq!(names_with(Preset::Remote, &[]), ["remote-email", "remote-name", "remote-user"]);
        let own = [(Told::User, "x-user"), (Told::User, "x-uid")];
        let auth_request = names_with(Preset::AuthRequest, &own);
        let rest = ["x-auth-request-email", "x-auth-request-preferred-username"];
        assert_eq!(auth_request, [rest[0], rest[1], "x-uid", "x-user"]);
        assert_eq!(names_with(Preset::None, &own[..1]), ["x-user"]);
        assert!(names_with(Preset::None, &[]).is_empty());
    }

    #[test]
    fn a_token_is_a_secret_that_can_stand_in_a_header() {
        assert!(UpstreamToken::new("0123456789abcdef").is_some());
        for bad in
            ["", "0123456789abcde", "0123456789 abcdef", "0123456789\nabcdef", "0123456789é…"]
        {
            assert!(UpstreamToken::new(bad).is_none(), "{bad:?}");
        }
        let token = UpstreamToken::new("0123456789abcdef").unwrap();
        assert!(!format!("{token:?}").contains("0123"));
        assert_eq!(token.expose(), "0123456789abcdef");
    }

    #[test]
    fn a_session_is_told_in_visible_ascii_unless_it_is_too_long() {
        let token = UpstreamToken::new("0123456789abcdef").unwrap();
        let mut fields = OwnFields::new();
        assert!(token.tell(&mut fields, Some(r#"{"a":"é\n"}"#)));
        let headers = fields.to_map();
        assert_eq!(headers[SESSION], "%7B%22a%22%3A%22%C3%A9%0A%22%7D".replace("%0A", "%5Cn"));
        assert_eq!(headers[TOKEN], "0123456789abcdef");
        let mut fields = OwnFields::new();
        assert!(!token.tell(&mut fields, Some(&"x".repeat(LONGEST_SESSION + 1))));
        assert!(token.tell(&mut fields, None) && !fields.to_map().contains_key(SESSION));
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
            "Remote_User",
            "remote-groups",
            "X.Auth.Request.Email",
            "x-auth-request-anything",
        ];
        for spelling in spellings {
            assert!(is_managed(&fold(&spelling.parse().unwrap())), "{spelling}");
        }
        for other in ["x-user", "user", "x-nextjs-data", "cookie", "xforwardeduser"] {
            assert!(!is_managed(&fold(&other.parse().unwrap())), "{other}");
        }
    }
}
