//! `Cookie` headers, read as the npm package `cookie` reads them.

use http::HeaderMap;
use http::header::COOKIE;

/// Every value under `name`, in the order sent, quotes removed and still percent-encoded.
///
/// Express looks at the first only. A second one exists after a change of domain or path, and
/// when somebody tosses a cookie of their own before it, so all are told.
pub(super) fn values_of(headers: &HeaderMap, name: &str) -> Vec<String> {
    let mut values = Vec::new();
    for header in headers.get_all(COOKIE) {
        // Node takes header bytes for Latin-1.
        let header: String = header.as_bytes().iter().copied().map(char::from).collect();
        let pairs = header.split(';').filter_map(|piece| piece.split_once('='));
        values.extend(
            pairs
                .filter(|(key, _)| trim(key) == name)
                .map(|(_, value)| unquote(trim(value)).into()),
        );
    }
    values
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

fn unquote(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[track_caller]
    fn check(headers: &[&[u8]], values: &[&str]) {
        let mut map = HeaderMap::new();
        for header in headers {
            map.append(COOKIE, HeaderValue::from_bytes(header).unwrap());
        }
        assert_eq!(values_of(&map, "nextbnb"), values);
    }

    #[test]
    fn pairs_are_split_at_semicolons_and_the_first_equals_sign() {
        check(&[b"a=1; nextbnb=x=y; b=2"], &["x=y"]);
        check(&[b"nextbnb=x;nextbnb"], &["x"]);
        check(&[b"nextbnb"], &[]);
        check(&[b"=nextbnb"], &[]);
        check(&[], &[]);
    }

    #[test]
    fn spaces_tabs_and_one_pair_of_quotes_are_removed() {
        check(&[b" nextbnb \t=\t x "], &["x"]);
        check(&[b"nextbnb=\"x\""], &["x"]);
        check(&[b"nextbnb=\"\"x\"\""], &["\"x\""]);
        check(&[b"nextbnb=\"x"], &["\"x"]);
        check(&[b"nextbnb=\""], &["\""]);
    }

    #[test]
    fn names_are_case_sensitive() {
        check(&[b"NEXTBNB=x; Nextbnb=y"], &[]);
    }

    #[test]
    fn every_occurrence_in_every_header_is_told_in_order() {
        check(&[b"nextbnb=1; nextbnb=", b"a=0", b"nextbnb=3"], &["1", "", "3"]);
    }

    #[test]
    fn bytes_beyond_ascii_are_latin_1() {
        check(&[b"nextbnb=\xc3\xa9"], &["Ã©"]);
    }
}
