//! What Next.js said last, for the page that stands in for it.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anstream::adapter::strip_str;

/// Lines that are kept: a stack trace of Next.js's, and the mistake above it.
const MOST: usize = 30;

/// Characters of a line that are kept, and more than bytes are held back of one without an end.
const LONGEST: usize = 400;

/// The last lines, from both of its outputs in the order in which they came. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct LastLines(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    /// Of the life before, in which it may have said why it ended.
    earlier: VecDeque<String>,
    lines: VecDeque<String>,
}

impl LastLines {
    /// Copies of those of this life, the oldest first, without what only terminals understand.
    pub fn to_vec(&self) -> Vec<String> {
        self.lock().lines.iter().cloned().collect()
    }

    /// The same behind those of the life before.
    pub fn with_earlier(&self) -> Vec<String> {
        let kept = self.lock();
        let parted = if kept.earlier.is_empty() { None } else { Some(String::new()) };
        kept.earlier.iter().cloned().chain(parted).chain(kept.lines.iter().cloned()).collect()
    }

    /// Notes that another life begins.
    pub(crate) fn begin(&self) {
        let mut kept = self.lock();
        kept.earlier = mem::take(&mut kept.lines);
    }

    fn push(&self, line: &[u8]) {
        let line = String::from_utf8_lossy(line);
        // What a carriage return was written over is not to be seen on a terminal either.
        let line = line.trim_end_matches('\r').rsplit('\r').next().unwrap_or_default();
        let plain = strip_str(line).to_string();
        let plain: String = plain.trim_end().chars().take(LONGEST).collect();
        let lines = &mut self.lock().lines;
        if plain.is_empty() && lines.back().is_none_or(String::is_empty) {
            return; // One empty line parts as well as several.
        }
        if lines.len() == MOST {
            lines.pop_front();
        }
        lines.push_back(plain);
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts the pieces of one output together to lines.
#[derive(Debug)]
pub(crate) struct LineReader {
    lines: LastLines,
    begun: Vec<u8>,
}

impl LineReader {
    pub(crate) fn into_lines(lines: LastLines) -> Self {
        Self { lines, begun: Vec::new() }
    }

    pub(crate) fn read(&mut self, piece: &[u8]) {
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            let room = (LONGEST * 8).saturating_sub(self.begun.len());
            let text = part.strip_suffix(b"\n").unwrap_or(part);
            self.begun.extend(text.iter().take(room));
            if text.len() < part.len() {
                self.end();
            }
        }
    }

    /// Takes a line without an end for one.
    pub(crate) fn end(&mut self) {
        self.lines.push(&self.begun);
        self.begun.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pieces: &[&[u8]], expected: &[&str]) {
        let lines = LastLines::default();
        let mut reader = LineReader::into_lines(lines.clone());
        for piece in pieces {
            reader.read(piece);
        }
        reader.end();
        let found = lines.to_vec();
        let found: Vec<&str> = found.iter().map(|line| line.trim_end()).collect();
        assert_eq!(found.strip_suffix(&[""]).unwrap_or(&found), expected);
    }

    #[test]
    fn pieces_become_lines_wherever_they_are_cut() {
        check(&[b"a\nb", b"c\n", b"\n\n\nd"], &["a", "bc", "", "d"]);
        check(&["é".as_bytes().split_at(1).0, "é\n".as_bytes().split_at(1).1], &["é"]);
    }

    #[test]
    fn what_only_terminals_understand_is_left_out() {
        check(
            &[b"\x1b[31m\x1b[1mError\x1b[0m: \x1b]8;;http://a\x07no\x1b]8;;\x07\n"],
            &["Error: no"],
        );
        check(&[b"10 %\r50 %\rdone\r\n"], &["done"]);
        check(&[b"a\x00b\x08\xff\n"], &["ab\u{fffd}"]);
    }

    #[test]
    fn neither_many_lines_nor_long_ones_fill_memory() {
        let lines = LastLines::default();
        let mut reader = LineReader::into_lines(lines.clone());
        for _ in 0..100 {
            reader.read(&[b'x'; 10_000]);
        }
        reader.read(b"\n");
        for number in 0..100 {
            reader.read(format!("{number}\n").as_bytes());
        }
        let lines = lines.to_vec();
        assert_eq!((lines.len(), lines.last().unwrap().as_str()), (MOST, "99"));
    }

    #[test]
    fn what_was_said_before_the_end_stands_before_what_is_said_now() {
        let lines = LastLines::default();
        let say = |text: &[u8]| LineReader::into_lines(lines.clone()).read(text);
        say(b"long ago\n");
        lines.begin();
        say(b"why\n");
        lines.begin();
        say(b"again\n");
        assert_eq!(lines.to_vec(), ["again"]);
        assert_eq!(lines.with_earlier(), ["why", "", "again"]);
    }
}
