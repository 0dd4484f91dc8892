//! Changes to a stream of bytes, the same for the same seed.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};

/// What servers disagree on.
const MARKS: &[&[u8]] = &[
    b"\r",
    b"\n",
    b"\r\n",
    b"\0",
    b" ",
    b"\t",
    b":",
    b";",
    b",",
    b"\x0b",
    b"\x7f",
    b"\xff",
    b"\"",
    b"0",
    b"\r\n\r\n",
    b"\n\n",
    b"\r\r\n",
    b"/",
    b"#",
    b"?",
    b"%",
];

const LINE_ENDS: &[&[u8]] = &[b"\n", b"\r", b" ", b"\t", b"\r\n ", b"\0"];

const LENGTHS: &[&str] = &[
    "0",
    "1",
    "4",
    "5",
    "6",
    "05",
    "+5",
    "-5",
    "5,5",
    "5, 5",
    " 5",
    "5 ",
    "0x5",
    "5e0",
    "a",
    "A",
    "10000000000000005",
    "ffffffffffffffff",
    "18446744073709551615",
    "",
];

const CODINGS: &[&str] = &[
    "chunked",
    "Chunked",
    "CHUNKED",
    " chunked",
    "\tchunked",
    "chunked ",
    "chunked,",
    ",chunked",
    "gzip, chunked",
    "chunked, gzip",
    "chunked, chunked",
    "identity",
    "xchunked",
    "chunked;a=b",
    "\"chunked\"",
    "chunked\x0b",
    "chun\u{212a}ed",
    "",
];

const LINES: &[&str] = &[
    "Transfer-Encoding: chunked",
    "Transfer-Encoding : chunked",
    "Transfer_Encoding: chunked",
    "Transfer-Encoding:",
    "Content-Length: 5",
    "Content-Length: 0",
    "Content-Length : 5",
    "Content_Length: 5",
    "Connection: close",
    "Connection: keep-alive",
    "Host: b",
    "Connection: transfer-encoding",
    "Connection: content-length",
    "Expect: 100-continue",
    "Upgrade: websocket",
    "Connection: upgrade",
    "Trailer: x",
    "TE: trailers",
    " folded",
    "\tfolded",
    "X",
    ": a",
    "GET /smuggled HTTP/1.1",
    "POST / HTTP/1.0",
    "0",
    "5",
    "",
];

/// Decides how streams are changed.
pub(crate) struct Mutator(StdRng);

impl Mutator {
    pub(crate) fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    /// One of these.
    pub(crate) fn choose<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        all.choose(&mut self.0).unwrap()
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0.random_range(0..end.max(1))
    }

    /// A few changes.
    pub(crate) fn change(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(3) {
            self.change_once(bytes);
        }
    }

    /// Cuts a stream into what is sent at once.
    pub(crate) fn pieces(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut cuts: Vec<usize> = (0..self.below(4)).map(|_| self.below(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        cuts.windows(2)
            .map(|cut| bytes[cut[0]..cut[1]].to_vec())
            .filter(|p| !p.is_empty())
            .collect()
    }

    fn change_once(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len());
        match self.below(12) {
            0 => bytes.get_mut(at).into_iter().for_each(|byte| *byte ^= 1 << self.below(8)),
            1 => insert(bytes, at, self.choose::<&[u8]>(MARKS)),
            2 => drop(
                bytes.splice(at..(at + 1).min(bytes.len()), self.choose(MARKS).iter().copied()),
            ),
            3 => drop(bytes.drain(at..(at + 1 + self.below(4)).min(bytes.len()))),
            4 => self.move_line(bytes, true),
            5 => self.move_line(bytes, false),
            6 => self.change_lines(bytes, |lines, at, _| drop(lines.remove(at))),
            7 => self.change_lines(bytes, |lines, at, mutator| {
                lines.insert(at, mutator.choose(LINES).as_bytes().to_vec());
            }),
            8 => self.replace_word(bytes, |word| word.iter().all(u8::is_ascii_hexdigit), LENGTHS),
            9 => self.replace_word(bytes, |word| word.eq_ignore_ascii_case(b"chunked"), CODINGS),
            10 => self.change_lines(bytes, |lines, at, mutator| {
                lines[at].extend_from_slice(mutator.choose::<&[u8]>(LINE_ENDS));
            }),
            _ => self.change_lines(bytes, |lines, at, _| {
                lines[at] = lines[at]
                    .iter()
                    .map(|byte| byte ^ (u8::from(byte.is_ascii_alphabetic()) * 32))
                    .collect();
            }),
        }
    }

    fn move_line(&mut self, bytes: &mut Vec<u8>, keeps: bool) {
        self.change_lines(bytes, |lines, at, mutator| {
            let line = if keeps { lines[at].clone() } else { lines.remove(at) };
            lines.insert(mutator.below(lines.len() + 1), line);
        });
    }

    fn change_lines(
        &mut self,
        bytes: &mut Vec<u8>,
        change: impl FnOnce(&mut Vec<Vec<u8>>, usize, &mut Self),
    ) {
        let mut lines: Vec<Vec<u8>> = Vec::new();
        let mut rest = &bytes[..];
        while let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") {
            lines.push(rest[..end].to_vec());
            rest = &rest[end + 2..];
        }
        lines.push(rest.to_vec());
        let at = self.below(lines.len());
        change(&mut lines, at, self);
        *bytes = lines.join(&b"\r\n"[..]);
    }

    /// Puts another word in the place of one that is meant.
    fn replace_word(&mut self, bytes: &mut Vec<u8>, is_meant: impl Fn(&[u8]) -> bool, by: &[&str]) {
        let is_between = |byte: u8| b" \r\n:;,".contains(&byte);
        let mut words = Vec::new();
        let mut start = 0;
        for end in 0..=bytes.len() {
            if bytes.get(end).is_none_or(|&byte| is_between(byte)) {
                if start < end && is_meant(&bytes[start..end]) {
                    words.push(start..end);
                }
                start = end + 1;
            }
        }
        if !words.is_empty() {
            let word = self.choose(&words).clone();
            bytes.splice(word, self.choose(by).bytes());
        }
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, what: &[u8]) {
    bytes.splice(at..at, what.iter().copied());
}

#[test]
fn a_seed_makes_the_same_changes_again() {
    let changed = |seed| {
        let mut mutator = Mutator::new(seed);
        (0..100)
            .map(|_| {
                let mut bytes = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec();
                mutator.change(&mut bytes);
                bytes
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(changed(1), changed(1));
    assert_ne!(changed(1), changed(2));
}
