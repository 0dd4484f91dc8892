//! No spelling of a field that only the gateway may set outlives it.

use http::header::{AUTHORIZATION, CONTENT_LENGTH, COOKIE, HOST};
use http::uri::Scheme;
use http::{HeaderMap, HeaderName};
use nextbnb_gateway::entity::user_id::UserId;
use nextbnb_gateway::fuzzing;
use nextbnb_gateway::identity::Identity;
use nextbnb_gateway::identity::fields::IdentityFields;
use nextbnb_gateway::identity::names::{IdentityNames, Preset, Told};
use nextbnb_gateway::proxy::forwarding::Forwarding;
use nextbnb_gateway::proxy::hop_by_hop::remove_hop_by_hop;
use nextbnb_gateway::proxy::own_fields::OwnFields;

use super::{choice, fields};

/// What no client may send, in any spelling, as CGI names it; with `*`, and whatever follows.
const OURS: [&str; 15] = [
    "X_FORWARDED_*",
    "X_NEXTBNB_*",
    "X_AUTH_REQUEST_*",
    "X_ORIGINAL_*",
    "X_REWRITE_*",
    "X_INVOKE_*",
    "X_NOW_*",
    "X_VERCEL_*",
    "FORWARDED",
    "X_REAL_IP",
    "X_REQUEST_ID",
    "REMOTE_USER",
    "REMOTE_EMAIL",
    "REMOTE_NAME",
    "REMOTE_GROUPS",
];

/// What a request rests on, so that `Connection` cannot name it away.
const KEPT: [HeaderName; 4] = [HOST, COOKIE, AUTHORIZATION, CONTENT_LENGTH];

/// `bytes` are a choice of names, and a header's lines.
///
/// After stripping, no name is one of the gateway's under any spelling, and what is none stays as it
/// was. Whatever `Connection` names, the gateway's own fields are there once each, with its values.
pub fn check(bytes: &[u8]) {
    let (choice, lines) = choice(bytes);
    let own = HeaderName::from_static("x-user");
    let names = match choice % 3 {
        0 => IdentityNames::default(),
        1 => IdentityNames::new(Preset::Remote, Vec::new()),
        _ => IdentityNames::new(Preset::None, vec![(Told::User, own.clone())]),
    };
    let is_own = |name: &HeaderName| choice % 3 == 2 && as_cgi_reads(name) == "X_USER";
    let is_ours = |name: &HeaderName| is_own(name) || is_ours(name);
    let sent = fields(lines);
    let mut headers = sent.clone();
    fuzzing::strip(&mut headers, &names);
    for name in sent.keys() {
        assert!(!headers.contains_key(name) || !is_ours(name), "{name} is still there");
        let (before, after) = (sent.get_all(name), headers.get_all(name));
        assert!(!headers.contains_key(name) || before.iter().eq(after.iter()), "{name} differs");
        assert!(headers.contains_key(name) || !is_plain(name) || is_own(name), "{name} is lost");
    }
    let once = headers.clone();
    fuzzing::strip(&mut headers, &names);
    assert_eq!(headers, once, "stripping again removes more");
    remove_hop_by_hop(&mut headers);
    for name in KEPT {
        assert_eq!(headers.get(&name), once.get(&name), "{name} was named away");
    }
    check_injected(&headers, &names, is_ours);
}

fn check_injected(
    headers: &HeaderMap,
    names: &IdentityNames,
    is_ours: impl Fn(&HeaderName) -> bool,
) {
    let (client, host) = ([203, 0, 113, 7].into(), "shop.example");
    let forwarding = Forwarding { client, host, scheme: &Scheme::HTTPS, port: 443, prefix: None };
    let identity = Identity { id: UserId::Number(7), email: "a@b.c".to_owned(), name: None };
    let mut own = OwnFields::new();
    forwarding.add_to(&mut own);
    IdentityFields::of(&identity).inject(names, &mut own);
    let own = own.to_map();
    assert_eq!(own.keys().count(), own.len(), "{own:?}");
    assert!(own.contains_key("x-forwarded-for") && own.len() >= 5, "{own:?}");
    let left = headers.keys().find(|name| is_ours(name) || own.contains_key(*name));
    assert_eq!(left, None, "beside the gateway's own");
}

fn is_ours(name: &HeaderName) -> bool {
    let read = as_cgi_reads(name);
    let is = |ours: &&str| {
        ours.strip_suffix('*').map_or(read == **ours, |beginning| read.starts_with(beginning))
    };
    OURS.iter().any(is)
}

/// As RFC 3875 §4.1.18 and its heirs name a field.
fn as_cgi_reads(name: &HeaderName) -> String {
    let letter =
        |byte: u8| if byte.is_ascii_alphanumeric() { byte.to_ascii_uppercase() } else { b'_' };
    name.as_str().bytes().map(letter).map(char::from).collect()
}

/// Names that nobody has a reason to strip.
fn is_plain(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "cookie" | "host" | "accept" | "rsc" | "next-action" | "x-a" | "authorization"
    ) || name.as_str().starts_with("next-router-")
        || name.as_str().starts_with("sec-")
}
