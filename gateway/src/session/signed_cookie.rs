//! The session cookie's value: `s:<sid>.<signature>`, percent-encoded.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::id::SessionId;
use super::secrets::{SIGNATURE_BYTES, Secrets};

/// Bytes that JavaScript's `encodeURIComponent` encodes.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// The value of a cookie that is issued.
pub fn write(sid: &SessionId, secrets: &Secrets) -> String {
    let sid = sid.as_str();
    let signed = format!("s:{sid}.{}", secrets.sign(sid));
    utf8_percent_encode(&signed, COMPONENT).to_string()
}

/// Longest value read: no browser keeps a longer cookie (RFC 6265 §6.1), and no row a longer id.
const LONGEST_BYTES: usize = 4096;

/// `s:`, an id of one letter, `.` and a signature.
const SHORTEST_BYTES: usize = 4 + SIGNATURE_BYTES;

/// A value in the form of a signed cookie, whoever signed it.
#[derive(Debug)]
pub(super) struct Claim {
    sid: String,
    signature: String,
}

impl Claim {
    /// What costs nothing to refuse is refused here: nobody has proved anything yet.
    pub(super) fn read(value: &[u8]) -> Option<Self> {
        if !(SHORTEST_BYTES..=LONGEST_BYTES).contains(&value.len()) {
            return None;
        }
        // Node takes header bytes for Latin-1.
        let value: String = value.iter().copied().map(char::from).collect();
        let decoded = decode_component(&value);
        let (sid, signature) = decoded.strip_prefix("s:")?.rsplit_once('.')?;
        (signature.len() == SIGNATURE_BYTES)
            .then(|| Self { sid: sid.to_owned(), signature: signature.to_owned() })
    }

    /// The id that it claims, whoever signed it: to be looked at, and to sign nobody in.
    pub(super) fn id(&self) -> Option<SessionId> {
        SessionId::signed(&self.sid)
    }

    /// The place of the secret that signed it, from 1 on.
    pub(super) fn signed_by(&self, secrets: &Secrets) -> Option<usize> {
        secrets.place_of_signer(&self.sid, &self.signature)
    }

    /// The id, if one of the secrets signed it.
    pub(super) fn verify(&self, secrets: &Secrets) -> Option<SessionId> {
        secrets.verify(&self.sid, &self.signature).then(|| SessionId::signed(&self.sid)).flatten()
    }
}

/// JavaScript's `decodeURIComponent`, or the text itself where that would throw.
fn decode_component(text: &str) -> Cow<'_, str> {
    let mut escapes = text.split('%').skip(1);
    let is_escape = |rest: &str| rest.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    if !escapes.all(is_escape) {
        return Cow::Borrowed(text);
    }
    percent_decode_str(text).decode_utf8().unwrap_or(Cow::Borrowed(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "343ji43j4n3jn4jk3n";
    const SID: &str = "FOuIfejAGTNED3azkkvFfsMTsFEtHapb";
    const COOKIE: &str =
        "s%3AFOuIfejAGTNED3azkkvFfsMTsFEtHapb.hOzZxel5kSoqgDzzRaBJtHbAcQqxnxaQXHr2ejP%2BQSc";

    fn secrets(secret: &str) -> Secrets {
        Secrets::new(&[secret.as_bytes().to_vec()]).unwrap()
    }

    /// Express's own cookies: written so here, and read back.
    #[track_caller]
    fn check_vector(sid: &str, secret: &str, cookie: &str) {
        let secrets = secrets(secret);
        let id = SessionId::signed(sid).unwrap();
        assert_eq!(write(&id, &secrets), cookie);
        assert_eq!(read(cookie.as_bytes(), &secrets), Some(id));
    }

    fn read(value: &[u8], secrets: &Secrets) -> Option<SessionId> {
        Claim::read(value)?.verify(secrets)
    }

    #[track_caller]
    fn check_read(value: &str, sid: Option<&str>) {
        let read = read(value.as_bytes(), &secrets(SECRET));
        assert_eq!(read.as_ref().map(SessionId::as_str), sid, "{value}");
    }

    #[test]
    fn a_cookie_is_written_as_express_writes_it() {
        check_vector(
            "apple",
            "keyboard cat",
            "s%3Aapple.D8Y%2BpkTAmeR0PobOhY4G97PRW%2Bj7bUnP%2F5m6%2FOn1MCU",
        );
        check_vector("%", "keyboard cat", "s%3A%25.kzQ6x52kKVdF35Qh62AWk4ZekS28K5XYCXKa%2FOTZ01g");
        check_vector(SID, SECRET, COOKIE);
        check_vector("sidé", SECRET, "s%3Asid%C3%A9.ePVnj51ysWDUKWWkU4itdxBNEJ6JsJp0ZeflMSF0Z%2BI");
        check_vector("si.dA", SECRET, "s%3Asi.dA.jhQhLKOmtrhR4J0f%2F81jrKimvWz1aNHrtw0fuSiumDA");
        check_vector("x", "ключ", "s%3Ax.LcDzU1yYjSJq1vLWaXZ5dEO%2BVaGoPjD17TqSYYPV4dw");
        check_vector("x", "", "s%3Ax.TLyWCZpkZ84AJGHxBUm0iYJl6%2BYYi0XvrMRCk1FuYsQ");
        check_vector(
            "/foo",
            "keyboard cat",
            "s%3A%2Ffoo.paEKBtAHbV5s1IB8B2zPnzAgYmmnRPIqObW4VRYj%2FMQ",
        );
    }

    #[test]
    fn a_cookie_may_be_encoded_differently_or_not_at_all() {
        check_read(&COOKIE.replace("%3A", ":").replace("%2B", "+"), Some(SID));
        check_read(&COOKIE.replace("%2B", "%2b"), Some(SID));
        check_read(&COOKIE.replacen('F', "%46", 1), Some(SID));
        check_read(&COOKIE.replace('%', "%25"), None);
        check_read(&format!("{COOKIE}%"), None);
        check_read(&format!("{COOKIE}%zz"), None);
    }

    #[test]
    fn a_signature_has_one_spelling() {
        check_read(&format!("{COOKIE}="), None);
        check_read(&format!("{COOKIE}%20"), None);
        check_read(&COOKIE.replace("%2B", "-"), None);
        check_read(&COOKIE.replace("QSc", "QSd"), None);
        check_read(&COOKIE.replace("QSc", "QS"), None);
        check_read(&COOKIE.to_lowercase(), None);
    }

    #[test]
    fn what_is_no_signed_cookie_is_no_cookie() {
        check_read("", None);
        check_read("s:", None);
        check_read("s:.", None);
        check_read(SID, None);
        check_read(&COOKIE.replace("s%3A", ""), None);
        check_read(&COOKIE.replace("s%3A", "S%3A"), None);
        check_read(&COOKIE.replace('.', ""), None);
        check_read(&COOKIE.replace("s%3AF", "s%3AG"), None);
    }

    #[test]
    fn an_empty_sid_is_no_cookie_however_well_signed() {
        check_read("s%3A.hh8YCLpMZyRhiif4CCZcCAPGQVUCi9DLWEyfl0mef2Q", None);
    }

    #[test]
    fn a_sid_with_a_nul_is_no_cookie() {
        check_read(&format!("s:a%00b.{}", secrets(SECRET).sign("a\0b")), None);
    }

    #[test]
    fn bytes_beyond_ascii_are_latin_1() {
        let secrets = secrets(SECRET);
        let signed = [b"s:\xe9.", secrets.sign("é").as_bytes()].concat();
        assert_eq!(read(&signed, &secrets), SessionId::signed("é"));
    }

    #[test]
    fn a_value_that_no_browser_would_keep_is_no_cookie() {
        let secrets = secrets(SECRET);
        let signed = |sid: &str| format!("s:{sid}.{}", secrets.sign(sid));
        let longest = "x".repeat(LONGEST_BYTES - signed("").len());
        assert!(read(signed(&longest).as_bytes(), &secrets).is_some());
        assert_eq!(read(signed(&format!("{longest}x")).as_bytes(), &secrets), None);
    }
}
