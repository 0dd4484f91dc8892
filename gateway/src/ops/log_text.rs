//! The pieces of a log line.

use std::fmt::Display;
use std::io::Write;
use std::net::IpAddr;

pub(super) fn put(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

pub(super) fn put_number(out: &mut Vec<u8>, number: impl itoa::Integer) {
    put(out, itoa::Buffer::new().format(number));
}

pub(super) fn put_address(out: &mut Vec<u8>, address: IpAddr) {
    let IpAddr::V4(address) = address else { return put_display(out, &address) };
    for (at, octet) in address.octets().into_iter().enumerate() {
        if at > 0 {
            out.push(b'.');
        }
        put_number(out, octet);
    }
}

fn put_display(out: &mut Vec<u8>, what: &dyn Display) {
    let written = write!(out, "{what}");
    debug_assert!(written.is_ok(), "a Vec takes everything");
}

pub(super) fn put_quoted(out: &mut Vec<u8>, name: &str, text: &str) {
    put(out, name);
    if is_plain(text) {
        out.push(b'"');
        put(out, text);
        out.push(b'"');
    } else {
        put_display(out, &format_args!("{text:?}"));
    }
}

/// A member of an object, whose name ends with the quote that begins the text.
pub(super) fn put_member(out: &mut Vec<u8>, name: &str, text: &str) {
    put(out, name);
    put_escaped(out, text);
    out.push(b'"');
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\')
}

/// As JSON has it between quotes.
pub(super) fn put_escaped(out: &mut Vec<u8>, text: &str) {
    if is_plain(text) {
        return put(out, text);
    }
    let begin = out.len();
    if serde_json::to_writer(&mut *out, text).is_ok() {
        out.pop();
        out.remove(begin);
    }
}

/// As `tracing-subscriber` shows what may hold sequences that terminals obey (0.3.23,
/// `fmt/format/escape.rs`).
pub(super) fn put_shown(out: &mut Vec<u8>, text: &str) {
    if is_plain(text) {
        return put(out, text);
    }
    for character in text.chars() {
        match character {
            '\x1b' | '\x07' | '\x08' | '\x0c' | '\x7f' => {
                put_display(out, &format_args!("\\x{:02x}", u32::from(character)));
            }
            '\u{80}'..='\u{9f}' => {
                put_display(out, &format_args!("\\u{{{:x}}}", u32::from(character)));
            }
            character => put(out, character.encode_utf8(&mut [0; 4])),
        }
    }
}
