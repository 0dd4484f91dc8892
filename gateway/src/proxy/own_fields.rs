//! The fields that the gateway itself puts into a request.

use std::fmt;
use std::io::Write;
use std::net::IpAddr;

use http::header::{HeaderMap, HeaderName, HeaderValue};

/// Room for what a session of somebody with a short address takes.
const USUAL_BYTES: usize = 512;

/// Fields as they are written to the upstream, each with its end, beside those of the client.
///
/// They are put into no map: hashed, allocated and read out again they cost ten times as much. So
/// nothing is replaced here, and a client's copy must be stripped. Its `Debug` shows none.
pub struct OwnFields(Vec<u8>);

impl OwnFields {
    /// None yet.
    pub fn new() -> Self {
        Self(Vec::with_capacity(USUAL_BYTES))
    }

    /// Adds a field.
    pub fn add(&mut self, name: &HeaderName, value: &HeaderValue) {
        self.add_bytes(name, value.as_bytes());
    }

    /// Adds a field whose value is visible ASCII; drops any other, which could be read as two.
    pub fn add_text(&mut self, name: &HeaderName, value: &str) {
        if value.bytes().all(|byte| byte.is_ascii_graphic()) {
            self.add_bytes(name, value.as_bytes());
        }
    }

    /// Adds a field that holds a number.
    pub fn add_number(&mut self, name: &HeaderName, value: u16) {
        self.add_bytes(name, itoa::Buffer::new().format(value).as_bytes());
    }

    /// Adds a field that holds an address.
    pub fn add_address(&mut self, name: &HeaderName, value: IpAddr) {
        self.begin(name);
        match value {
            // As `Display` has it, without its padding.
            IpAddr::V4(address) => {
                let [a, b, c, d] = address.octets();
                for (octet, end) in [(a, "."), (b, "."), (c, "."), (d, "\r\n")] {
                    self.0.extend_from_slice(itoa::Buffer::new().format(octet).as_bytes());
                    self.0.extend_from_slice(end.as_bytes());
                }
            }
            IpAddr::V6(address) => write!(self.0, "{address}\r\n").unwrap_or_default(),
        }
    }

    /// All of them, as they are written.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// As a server reads them. For tests.
    #[doc(hidden)]
    pub fn to_map(&self) -> HeaderMap {
        let text = String::from_utf8_lossy(&self.0);
        let fields = text.split_terminator("\r\n").filter_map(|line| line.split_once(": "));
        fields.filter_map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?))).collect()
    }

    fn add_bytes(&mut self, name: &HeaderName, value: &[u8]) {
        self.begin(name);
        self.0.extend_from_slice(value);
        self.0.extend_from_slice(b"\r\n");
    }

    fn begin(&mut self, name: &HeaderName) {
        self.0.extend_from_slice(name.as_str().as_bytes());
        self.0.extend_from_slice(b": ");
    }
}

impl Default for OwnFields {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for OwnFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnFields(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: HeaderName = HeaderName::from_static("x-a");

    #[test]
    fn fields_are_written_as_they_are_sent() {
        let mut fields = OwnFields::new();
        fields.add(&NAME, &HeaderValue::from_static("a b"));
        fields.add_text(&NAME, "a:1");
        fields.add_number(&NAME, 443);
        for address in ["203.0.113.7", "0.0.0.255", "2001:db8::7"] {
            fields.add_address(&NAME, address.parse().unwrap());
        }
        let lines = "x-a: a b\r\nx-a: a:1\r\nx-a: 443\r\nx-a: 203.0.113.7\r\nx-a: 0.0.0.255\r\n\
                     x-a: 2001:db8::7\r\n";
        assert_eq!(fields.as_bytes(), lines.as_bytes());
    }

    #[test]
    fn a_text_that_could_be_two_fields_is_none() {
        let mut fields = OwnFields::new();
        for text in ["a\r\nb: c", "a\n", "\r", "a b", "\0", "é", "a\u{7f}"] {
            fields.add_text(&NAME, text);
        }
        assert_eq!(fields.as_bytes(), b"");
    }
}
