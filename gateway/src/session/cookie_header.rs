//! `Cookie` headers, read as the npm package `cookie` reads them.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use memchr::memchr;
use memchr::memmem::Finder;

/// Every value under `name`, an ASCII token, in the order sent, quotes removed and still
/// percent-encoded.
///
/// Express looks at the first only. A second one exists after a change of domain or path, and
/// when somebody tosses a cookie of their own before it, so all are told, each when asked for.
pub(crate) fn values_of<'a>(
    headers: &'a HeaderMap,
    name: &'a Finder<'_>,
) -> impl Iterator<Item = &'a [u8]> {
    headers.get_all(COOKIE).iter().flat_map(|header| values_in(header.as_bytes(), name))
}

/// The value under `name`, where just one is sent.
pub(super) fn only_value_of<'a>(headers: &'a HeaderMap, name: &'a Finder<'_>) -> Option<&'a [u8]> {
    let mut only = None;
    for header in headers.get_all(COOKIE) {
        for value in values_in(header.as_bytes(), name) {
            if only.replace(value).is_some() {
                return None;
            }
        }
    }
    only
}

/// A name is one where a pair begins and `=` follows: it holds neither `;` nor `=` nor a blank, so
/// that no other occurrence of it overlaps that one.
fn values_in<'a>(header: &'a [u8], name: &'a Finder<'_>) -> impl Iterator<Item = &'a [u8]> {
    name.find_iter(header).filter_map(|at| {
        let (before, from) = header.split_at_checked(at)?;
        let ([.., b';'] | []) = trim_end(before) else { return None };
        let after = from.get(name.needle().len()..)?;
        let value = trim_start(after).strip_prefix(b"=")?;
        let (value, _) = value.split_at_checked(memchr(b';', value).unwrap_or(value.len()))?;
        Some(unquote(trim(value)))
    })
}

/// Leaves one pair under `name`, at the end; every other pair stays byte for byte.
pub(crate) fn replace(headers: &mut HeaderMap, name: &str, value: &str) {
    let is_other = |piece: &&[u8]| {
        let key = piece.split(|byte| *byte == b'=').next().unwrap_or_default();
        trim(key) != name.as_bytes()
    };
    let all = headers.get_all(COOKIE).iter().flat_map(|header| pieces(header.as_bytes()));
    let mut pairs: Vec<&[u8]> = all.map(trim).filter(|piece| !piece.is_empty()).collect();
    pairs.retain(is_other);
    let own = format!("{name}={value}");
    pairs.push(own.as_bytes());
    if let Ok(header) = HeaderValue::from_bytes(&pairs.join(&b"; "[..])) {
        headers.insert(COOKIE, header);
    }
}

fn pieces(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    header.split(|byte| *byte == b';')
}

fn trim(text: &[u8]) -> &[u8] {
    trim_start(trim_end(text))
}

fn trim_start(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = text {
        text = rest;
    }
    text
}

fn trim_end(mut text: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

fn unquote(text: &[u8]) -> &[u8] {
    match text {
        [b'"', inner @ .., b'"'] => inner,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(headers: &[&[u8]], values: &[&str]) {
        let mut map = HeaderMap::new();
        for header in headers {
            map.append(COOKIE, HeaderValue::from_bytes(header).unwrap());
        }
        let name = Finder::new("nextbnb");
        let read: Vec<_> = values_of(&map, &name).collect();
        assert_eq!(read, values.iter().map(|value| value.as_bytes()).collect::<Vec<_>>());
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
    fn one_pair_takes_the_place_of_all_under_its_name() {
        let replaced = |cookies: &[&'static str]| {
            let mut map = HeaderMap::new();
            for cookies in cookies {
                map.append(COOKIE, HeaderValue::from_static(cookies));
            }
            replace(&mut map, "nextbnb", "new");
            assert_eq!(map.get_all(COOKIE).iter().count(), 1);
            map[COOKIE].to_str().unwrap().to_owned()
        };
        assert_eq!(replaced(&[]), "nextbnb=new");
        assert_eq!(replaced(&["nextbnb=old"]), "nextbnb=new");
        assert_eq!(
            replaced(&["a=\"b; nextbnb=1 ;c", " nextbnb = 2; nextbnbs=3"]),
            "a=\"b; c; nextbnbs=3; nextbnb=new"
        );
    }

    #[test]
    fn a_name_within_another_name_or_a_value_is_none() {
        check(&[b"xnextbnb=1; nextbnbx=2; x=nextbnb=3; nextbnb nextbnb=4; nextbnb=5"], &["5"]);
        check(&[b"\xa0nextbnb=2; nextbnb;=3; ; nextbnb=nextbnb"], &["nextbnb"]);
        let mut map = HeaderMap::new();
        map.insert(COOKIE, HeaderValue::from_static("aaa=1; aa=2; a=3"));
        let (aa, aaaa) = (Finder::new("aa"), Finder::new("aaaa"));
        assert_eq!(values_of(&map, &aa).collect::<Vec<_>>(), [b"2"]);
        assert_eq!(values_of(&map, &aaaa).count(), 0);
    }

    #[test]
    fn an_only_value_is_the_only_one() {
        let only = |cookies: &'static str| {
            let map = HeaderMap::from_iter([(COOKIE, HeaderValue::from_static(cookies))]);
            only_value_of(&map, &Finder::new("nextbnb")).map(<[u8]>::to_vec)
        };
        assert_eq!(only("a=1; nextbnb=x; b=2"), Some(b"x".to_vec()));
        assert_eq!(only("nextbnb=x; nextbnb=x"), None);
        assert_eq!(only("a=1"), None);
    }

    #[test]
    fn names_are_case_sensitive() {
        check(&[b"NEXTBNB=x; Nextbnb=y"], &[]);
    }

    #[test]
    fn every_occurrence_in_every_header_is_told_in_order() {
        check(&[b"nextbnb=1; nextbnb=", b"a=0", b"nextbnb=3"], &["1", "", "3"]);
    }
}
