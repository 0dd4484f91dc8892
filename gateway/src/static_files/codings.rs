//! Content codings that a client accepts.

use http::HeaderValue;

/// A set of the codings that are known here (RFC 9110 §8.4.1, §18.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Codings(u8);

const KNOWN: [&str; 4] = ["gzip", "deflate", "br", "zstd"];

/// What browsers send, and what that is, so that it need not be read.
const USUAL: [(&[u8], Codings); 3] = [
    (b"gzip, deflate, br, zstd", Codings(0b1111)),
    (b"gzip, deflate, br", Codings(0b0111)),
    (b"gzip, deflate", Codings(0b0011)),
];

impl Codings {
    /// Those of an `Accept-Encoding`, in whatever order; `None` where it names another, or weighs
    /// them, which the upstream shall judge.
    pub fn accepted(value: &HeaderValue) -> Option<Self> {
        let usual = USUAL.iter().find(|(text, _)| value == text);
        usual.map(|(_, codings)| *codings).or_else(|| Self::read(value.as_bytes()))
    }

    fn read(value: &[u8]) -> Option<Self> {
        let mut accepted = 0;
        for coding in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            let is = |known: &str| coding.eq_ignore_ascii_case(known.as_bytes());
            match KNOWN.iter().position(|known| is(known)) {
                Some(place) => accepted |= 1 << place,
                None if coding.is_empty() || is("identity") => {}
                None => return None,
            }
        }
        Some(Self(accepted))
    }

    /// Whether `coding` is the name of one of them.
    pub(super) fn contain(self, coding: &[u8]) -> bool {
        let is = |known: &&str| coding.eq_ignore_ascii_case(known.as_bytes());
        KNOWN.iter().position(is).is_some_and(|place| self.0 & 1 << place != 0)
    }

    /// An `Accept-Encoding` of them; `None` where there is none of them.
    pub fn to_value(self) -> Option<HeaderValue> {
        let names: Vec<_> =
            KNOWN.into_iter().filter(|known| self.contain(known.as_bytes())).collect();
        HeaderValue::try_from(names.join(", ")).ok().filter(|value| !value.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(accept: &'static str, expected: Option<&str>) {
        let accepted = Codings::accepted(&HeaderValue::from_static(accept));
        let told =
            accepted.map(|codings| codings.to_value().unwrap_or(HeaderValue::from_static("")));
        assert_eq!(told.as_ref().map(|value| value.to_str().unwrap()), expected, "{accept}");
    }

    #[test]
    fn what_browsers_accept_is_known_in_any_order() {
        check("gzip, deflate, br, zstd", Some("gzip, deflate, br, zstd"));
        check("br,GZIP", Some("gzip, br"));
        check("identity", Some(""));
        check("", Some(""));
        check(" , gzip,", Some("gzip"));
    }

    #[test]
    fn weights_and_other_codings_are_left_to_the_upstream() {
        for accept in ["gzip;q=0", "*", "gzip, *;q=0", "identity;q=0", "gzip, compress", "gzipx"] {
            check(accept, None);
        }
    }

    #[test]
    fn a_coding_is_contained_that_was_accepted() {
        let codings = Codings::accepted(&HeaderValue::from_static("gzip")).unwrap();
        assert!(codings.contain(b"gzip") && codings.contain(b"GZip"));
        assert!(!codings.contain(b"br") && !codings.contain(b"") && !codings.contain(b"gzip, br"));
        assert!(!Codings::default().contain(b"gzip"));
    }
}
