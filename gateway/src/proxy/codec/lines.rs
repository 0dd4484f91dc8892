//! Fields that were read before.

use std::cell::RefCell;

use http::header::{HeaderName, HeaderValue, SET_COOKIE};

/// How many fields are kept; a page has ten to twenty.
const SLOTS: usize = 128;

/// Longest value that is kept, in bytes.
const LONGEST: usize = 256;

thread_local! {
    /// A worker is one thread, and its upstreams' answers are alike.
    static LINES: RefCell<Lines> = const { RefCell::new(Lines(Vec::new())) };
}

/// The last fields of answers: one that comes again byte for byte is not checked again.
///
/// Only whole fields, so that nothing of one answer gets into another that did not hold it; and no
/// `Set-Cookie`, so that no session stays in memory.
struct Lines(Vec<Option<Line>>);

struct Line {
    /// As it was spelled.
    name: Box<[u8]>,
    field: (HeaderName, HeaderValue),
}

/// The field of a line with this `name` and `value`; `None` where they cannot be one.
pub(super) fn field(name: &[u8], value: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    if value.len() > LONGEST || name.eq_ignore_ascii_case(SET_COOKIE.as_str().as_bytes()) {
        return read(name, value);
    }
    LINES.with_borrow_mut(|lines| lines.field(name, value))
}

impl Lines {
    fn field(&mut self, name: &[u8], value: &[u8]) -> Option<(HeaderName, HeaderValue)> {
        if self.0.is_empty() {
            self.0.resize_with(SLOTS, || None);
        }
        let slot = self.0.get_mut(slot_of(name, value))?;
        if let Some(Line { name: spelled, field }) = slot
            && **spelled == *name
            && field.1.as_bytes() == value
        {
            return Some(field.clone());
        }
        let field = read(name, value)?;
        *slot = Some(Line { name: name.into(), field: field.clone() });
        Some(field)
    }
}

fn read(name: &[u8], value: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    Some((HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?))
}

/// Two fields of one slot only push each other out, so a guess is enough.
fn slot_of(name: &[u8], value: &[u8]) -> usize {
    let last = |bytes: &[u8]| usize::from(bytes.last().copied().unwrap_or_default());
    let first = usize::from(name.first().copied().unwrap_or_default());
    (name.len() * 31 + first * 7 + last(name) * 5 + value.len() * 3 + last(value)) % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_the_one_that_came_and_no_other() {
        // The last three share a slot, and the case is the sender's.
        for (name, value) in [
            ("Content-Type", "text/html"),
            ("content-type", "text/html"),
            ("ETag", "\"abc1\""),
            ("ETag", "\"bcd1\""),
            ("EtaG", "\"abc1\""),
        ] {
            for _ in 0..2 {
                let (read, kept) = field(name.as_bytes(), value.as_bytes()).unwrap();
                assert_eq!(
                    (read.as_str(), kept.as_bytes()),
                    (&*name.to_lowercase(), value.as_bytes())
                );
            }
        }
        assert_eq!(slot_of(b"ETag", b"\"abc1\""), slot_of(b"ETag", b"\"bcd1\""));
        assert!(field(b"a b", b"c").is_none());
        assert!(field(b"a", b"b\nc").is_none());
    }

    #[test]
    fn no_cookie_and_no_long_value_is_kept() {
        field(b"SET-cookie", b"nextbnb=secret").unwrap();
        field(b"x-long", &[b'x'; LONGEST + 1]).unwrap();
        field(b"x-short", b"y").unwrap();
        LINES.with_borrow(|lines| {
            let kept: Vec<_> = lines.0.iter().flatten().map(|line| line.field.0.as_str()).collect();
            assert_eq!(kept, ["x-short"]);
        });
    }
}
