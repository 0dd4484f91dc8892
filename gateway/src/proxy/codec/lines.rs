//! Lines of heads that were read before.

use std::cell::RefCell;

use http::header::{HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use memchr::memchr;

use super::connection_fields::ConnectionFields;
use super::head::MOST_FIELDS;

/// How many lines are kept, in sets of [`WAYS`]; a page has ten to twenty.
const SETS: usize = 32;
const WAYS: usize = 4;

/// Longest line that is kept, in bytes.
const LONGEST: usize = 320;

thread_local! {
    /// A worker is one thread, and its upstreams' answers are alike.
    static LINES: RefCell<Lines> =
        const { RefCell::new(Lines { kept: Vec::new(), oldest: [0; SETS] }) };
}

/// The last lines of answers: one that comes again byte for byte is not read again.
///
/// Only whole lines, so that nothing of one answer gets into another that did not hold it; and no
/// `Set-Cookie`, so that no session stays in memory.
struct Lines {
    /// All ways of the first set, then those of the next.
    kept: Vec<Option<Line>>,
    /// Which way of each set is written over next.
    oldest: [u8; SETS],
}

struct Line {
    /// As it came, with its end.
    bytes: Box<[u8]>,
    field: (HeaderName, HeaderValue),
}

/// Reads fields into `headers` from `lines`, all of which came before, and notes them in
/// `connection`; tells how long they are with the empty line at their end.
///
/// `None` where one did not come before, or they have no end here: then nothing that was put into
/// either counts. What a line is does not depend on those around it, so each is what it was.
pub(super) fn read_known(
    lines: &[u8],
    headers: &mut HeaderMap,
    connection: &mut ConnectionFields,
) -> Option<usize> {
    LINES.with_borrow(|known| {
        let mut rest = lines;
        for _ in 0..=MOST_FIELDS {
            if let Some(behind) = rest.strip_prefix(b"\r\n") {
                return Some(lines.len() - behind.len());
            }
            let (line, behind) = rest.split_at_checked(memchr(b'\n', rest)? + 1)?;
            let (name, value) = known.find(line)?;
            if !connection.note(name, value) {
                headers.append(name, value.clone());
            }
            rest = behind;
        }
        None
    })
}

/// The field with this `name` and `value`, which is kept for when its `line` comes again; `None`
/// where they cannot be one.
pub(super) fn read(line: &[u8], name: &[u8], value: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let field = (HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?);
    if line.len() <= LONGEST && field.0 != SET_COOKIE {
        LINES.with_borrow_mut(|lines| lines.keep(line, &field));
    }
    Some(field)
}

impl Lines {
    fn find(&self, line: &[u8]) -> Option<&(HeaderName, HeaderValue)> {
        let set = set_of(line) * WAYS;
        let mut kept = self.kept.get(set..set + WAYS)?.iter().flatten();
        kept.find(|kept| *kept.bytes == *line).map(|kept| &kept.field)
    }

    fn keep(&mut self, line: &[u8], field: &(HeaderName, HeaderValue)) {
        if self.find(line).is_some() {
            return;
        }
        if self.kept.is_empty() {
            self.kept.resize_with(SETS * WAYS, || None);
        }
        let set = set_of(line);
        let Some(oldest) = self.oldest.get_mut(set) else { return };
        let way = usize::from(*oldest) % WAYS;
        *oldest = oldest.wrapping_add(1);
        if let Some(place) = self.kept.get_mut(set * WAYS + way) {
            *place = Some(Line { bytes: line.into(), field: field.clone() });
        }
    }
}

/// Lines of one set only push each other out, so a guess is enough: by a line's length, its first
/// bytes and its last.
fn set_of(line: &[u8]) -> usize {
    let eight = |bytes: Option<&[u8; 8]>| bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let guess = eight(line.first_chunk()).rotate_left(17) ^ eight(line.last_chunk());
    let mixed = (guess ^ line.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from(mixed >> 32).unwrap_or_default() % SETS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(name: &str, value: &str) -> String {
        let line = format!("{name}: {value}\r\n");
        read(line.as_bytes(), name.as_bytes(), value.as_bytes()).unwrap();
        line
    }

    fn known(lines: &str) -> Option<(HeaderMap, usize)> {
        let mut headers = HeaderMap::new();
        let length = read_known(lines.as_bytes(), &mut headers, &mut ConnectionFields::default())?;
        Some((headers, length))
    }

    #[test]
    fn lines_that_came_before_are_what_they_were_and_no_other_is_known() {
        let lines = [("Content-Type", "text/html"), ("content-type", "a"), ("ETag", "\"a\"")]
            .map(|(name, value)| keep(name, value));
        let (headers, length) = known(&(lines.concat() + "\r\nbody\r\n")).unwrap();
        assert_eq!(length, lines.concat().len() + 2);
        let found: Vec<_> =
            headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        let sent = [("content-type", "text/html"), ("content-type", "a"), ("etag", "\"a\"")];
        assert_eq!(found, sent);
        for other in ["ETag: \"b\"\r\n", "ETag:\"a\"\r\n", "etag: \"a\"\r\n", "ETag: \"a\"\n"] {
            assert!(known(&(lines[0].clone() + other + "\r\n")).is_none(), "{other:?}");
        }
        assert!(known(&lines.concat()).is_none(), "without an end");
        assert!(read(b"a b: c\r\n", b"a b", b"c").is_none());
        assert!(read(b"a: b\nc\r\n", b"a", b"b\nc").is_none());
    }

    #[test]
    fn however_many_come_the_last_are_known() {
        for number in 0..10 * SETS * WAYS {
            let line = keep("x-number", &number.to_string());
            assert!(known(&(line + "\r\n")).is_some(), "{number}");
        }
        LINES.with_borrow(|lines| assert_eq!(lines.kept.len(), SETS * WAYS));
    }

    #[test]
    fn no_more_fields_are_read_than_otherwise() {
        let line = keep("x-many", "1");
        assert!(known(&(line.repeat(MOST_FIELDS) + "\r\n")).is_some());
        assert!(known(&(line.repeat(MOST_FIELDS + 1) + "\r\n")).is_none());
    }

    #[test]
    fn no_cookie_and_no_long_line_is_kept() {
        for line in [keep("SET-cookie", "nextbnb=secret"), keep("x-long", &"x".repeat(LONGEST))] {
            assert!(known(&(line + "\r\n")).is_none());
        }
        LINES.with_borrow(|lines| assert_eq!(lines.kept.iter().flatten().count(), 0));
    }
}
