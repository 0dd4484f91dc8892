//! What counts as a session's cookie is what was signed, read as every other reader does.

use cookie::Cookie;
use http::HeaderValue;
use http::header::{COOKIE, HeaderMap};
use nextbnb_gateway::fuzzing::{cookie_values, replace_cookie};
use nextbnb_gateway::session::presented::presented;
use nextbnb_gateway::session::secrets::Secrets;
use nextbnb_gateway::session::signed_cookie;
use percent_encoding::percent_decode_str;

const NAME: &str = "nextbnb";

/// Ids that a session may have, for in all bytes nobody finds a signature by chance.
const SIDS: [&str; 3] = ["apple", "%", "si.d\u{e9}"];

/// Where a `@` and the number of an id and a secret stand in the bytes, its signed cookie is put; a
/// `$` instead, the same and not percent-encoded.
const MARKS: [u8; 2] = [b'@', b'$'];

/// `bytes` are `Cookie` fields, a line each, with marks for signed values.
pub fn check(bytes: &[u8]) {
    let headers = headers_of(&signed(bytes));
    let values = cookie_values(&headers, NAME);
    check_reading(&headers, &values);
    check_presented(&headers, &values);
    check_replaced(headers);
}

/// The values are those of a reading by characters, and where RFC 6265 knows a header those of
/// the package `cookie`.
fn check_reading(headers: &HeaderMap, values: &[Vec<u8>]) {
    let lines = headers.get_all(COOKIE).iter().map(|line| latin_1(line.as_bytes()));
    let all = lines.collect::<Vec<_>>().join(";");
    let read: Vec<String> = pairs(&all).filter(|(name, _)| *name == NAME).map(|p| p.1).collect();
    assert_eq!(values.iter().map(|value| latin_1(value)).collect::<Vec<_>>(), read, "{all:?}");
    if all.is_ascii() {
        let cookies = Cookie::split_parse(all.as_str()).filter_map(Result::ok);
        let theirs = cookies.filter(|cookie| cookie.name() == NAME);
        let theirs: Vec<_> = theirs.map(|cookie| cookie.value_trimmed().to_owned()).collect();
        assert_eq!(read, theirs, "{all:?}");
    }
}

/// Every id stands behind one of the values, with the signature that a secret gives it; those that a
/// secret signed are found.
fn check_presented(headers: &HeaderMap, values: &[Vec<u8>]) {
    let both = secrets(&["first", "second"]);
    let ids = presented(headers, NAME, &both);
    assert!(ids.len() <= 3);
    let is_written = |cookie: String| {
        let plain = percent_decode_str(&cookie).decode_utf8().unwrap().into_owned();
        values.iter().map(|value| latin_1(value)).any(|value| {
            value == plain || percent_decode_str(&value).decode_utf8().is_ok_and(|v| v == plain)
        })
    };
    for (place, id) in ids.iter().enumerate() {
        let signed = |secret| signed_cookie::write(id, &secrets(&[secret]));
        assert!(is_written(signed("first")) || is_written(signed("second")), "a forged id");
        assert!(!ids.iter().skip(place + 1).any(|other| other == id), "an id twice");
        let again = format!("{NAME}={}", signed("second"));
        assert_eq!(presented(&headers_of(again.as_bytes()), NAME, &both), std::slice::from_ref(id));
    }
    assert!(presented(headers, NAME, &secrets(&["third"])).is_empty());
    if let [value] = values
        && SIDS.iter().any(|sid| *value == cookie_of(sid, "first", true))
    {
        assert_eq!(ids.len(), 1, "a signed id is not found");
    }
}

/// One pair has the name, the others are as they were.
fn check_replaced(mut headers: HeaderMap) {
    let others = |headers: &HeaderMap| -> Vec<String> {
        let lines = headers.get_all(COOKIE).iter().map(|line| latin_1(line.as_bytes()));
        let pieces = lines.flat_map(|line| line.split(';').map(trimmed).collect::<Vec<_>>());
        let is_other = |piece: &String| {
            !piece.is_empty() && trimmed(piece.split('=').next().unwrap_or_default()) != NAME
        };
        pieces.filter(is_other).collect()
    };
    let before = others(&headers);
    replace_cookie(&mut headers, NAME, "new");
    assert_eq!(cookie_values(&headers, NAME), [b"new"]);
    assert_eq!(others(&headers), before);
}

fn pairs(header: &str) -> impl Iterator<Item = (String, String)> {
    let pairs = header.split(';').filter_map(|piece| piece.split_once('='));
    pairs.map(|(name, value)| {
        let value = trimmed(value);
        let bare = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        (trimmed(name), bare.unwrap_or(&value).to_owned())
    })
}

fn trimmed(text: &str) -> String {
    text.trim_matches([' ', '\t']).to_owned()
}

fn latin_1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

fn headers_of(lines: &[u8]) -> HeaderMap {
    let lines = lines.split(|&byte| byte == b'\n');
    let values = lines.filter_map(|line| HeaderValue::from_bytes(line).ok());
    values.map(|value| (COOKIE, value)).collect()
}

fn signed(bytes: &[u8]) -> Vec<u8> {
    let mut written = Vec::new();
    let mut rest = bytes;
    while let [first, left @ ..] = rest {
        rest = left;
        match (first, left) {
            (mark, [digit @ b'0'..=b'8', left @ ..]) if MARKS.contains(mark) => {
                let number = usize::from(digit - b'0');
                let secret = ["first", "second", "never"][number / 3];
                written.extend(cookie_of(SIDS[number % 3], secret, *mark == b'@'));
                rest = left;
            }
            _ => written.push(*first),
        }
    }
    written
}

/// A cookie as the package `cookie-signature` signs it.
fn cookie_of(sid: &str, secret: &str, is_encoded: bool) -> Vec<u8> {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD_NO_PAD;
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let mut key = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    key.update(sid.as_bytes());
    let plain = format!("s:{sid}.{}", STANDARD_NO_PAD.encode(key.finalize().into_bytes()));
    if is_encoded {
        percent_encoding::utf8_percent_encode(&plain, percent_encoding::NON_ALPHANUMERIC)
            .to_string()
            .into_bytes()
    } else {
        plain.into_bytes()
    }
}

fn secrets(texts: &[&str]) -> Secrets {
    let texts: Vec<_> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    Secrets::new(&texts).unwrap()
}
