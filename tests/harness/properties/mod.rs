//! What holds for any bytes at all, each property a function of bytes that panics where it does not.
//!
//! `fuzz/` looks for bytes that break one, and `tests/fuzz/corpus.rs` runs each over its folder in
//! `fuzz/corpus/`, so that what was found once is tried in every test run.

pub mod answer;
pub mod cookie_header;
pub mod forwarding;
pub mod location;
pub mod proxy_protocol;
pub mod reader;
pub mod request_head;
pub mod routing;
pub mod session_record;
pub mod strip;

use http::{HeaderMap, HeaderName, HeaderValue};

/// Panics where something does not hold for these bytes.
pub type Property = fn(&[u8]);

/// Every property, under the name of its fuzz target and of its folder in `fuzz/corpus/`.
pub const ALL: [(&str, Property); 9] = [
    ("answer", answer::check),
    ("cookie_header", cookie_header::check),
    ("forwarding", forwarding::check),
    ("location", location::check),
    ("proxy_protocol", proxy_protocol::check),
    ("request_head", request_head::check),
    ("routing", routing::check),
    ("session_record", session_record::check),
    ("strip", strip::check),
];

/// A header of lines `name: value`; what no header can hold is left out.
fn fields(text: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in text.split(|&byte| byte == b'\n') {
        let mut parts = line.splitn(2, |&byte| byte == b':');
        let name = parts.next().map(HeaderName::from_bytes);
        let value = parts.next().map(<[u8]>::trim_ascii).map(HeaderValue::from_bytes);
        if let (Some(Ok(name)), Some(Ok(value))) = (name, value) {
            headers.try_append(name, value).ok(); // More than a map holds.
        }
    }
    headers
}

/// The first byte, to choose by, and the rest.
fn choice(bytes: &[u8]) -> (usize, &[u8]) {
    bytes.split_first().map_or((0, bytes), |(first, rest)| (usize::from(*first), rest))
}
