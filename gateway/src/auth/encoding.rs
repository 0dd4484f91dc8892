//! Compressed and UTF-16 bodies, as `body-parser` takes them.

use std::io::Read;

use flate2::read::{MultiGzDecoder, ZlibDecoder};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;

use super::body::LIMIT_BYTES;
use super::refusal::Refusal;

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Gzip,
    /// In zlib's wrapping (RFC 9110 §8.4.1.2).
    Deflate,
}

impl Compression {
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let mut values = headers.get_all(CONTENT_ENCODING).iter();
        let value = values.next().map(|value| value.as_bytes().to_ascii_lowercase());
        if values.next().is_some() {
            return Err(Refusal::MediaType);
        }
        match value.as_deref() {
            None | Some(b"" | b"identity") => Ok(Self::None),
            Some(b"gzip") => Ok(Self::Gzip),
            Some(b"deflate") => Ok(Self::Deflate),
            Some(_) => Err(Refusal::MediaType),
        }
    }

    /// Longest body read before decompression: what cannot be made smaller becomes a little larger.
    pub(super) fn packed_limit(self) -> usize {
        match self {
            Self::None => LIMIT_BYTES,
            Self::Gzip | Self::Deflate => LIMIT_BYTES + LIMIT_BYTES / 100,
        }
    }

    /// At most [`LIMIT_BYTES`], whatever a few bytes promise to become.
    pub(super) fn undo(self, bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
        let mut plain = Vec::new();
        let limit = LIMIT_BYTES as u64 + 1;
        let read = match self {
            Self::None => return Ok(bytes.to_vec()),
            Self::Gzip => MultiGzDecoder::new(bytes).take(limit).read_to_end(&mut plain),
            Self::Deflate => ZlibDecoder::new(bytes).take(limit).read_to_end(&mut plain),
        };
        match read {
            Ok(length) if length > LIMIT_BYTES => Err(Refusal::TooLarge),
            Ok(_) => Ok(plain),
            Err(_) => Err(Refusal::Malformed),
        }
    }
}

/// How a text's characters are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Charset {
    Utf8,
    /// Little-endian unless a mark or the text itself shows otherwise.
    Utf16,
    Utf16Le,
    Utf16Be,
}

impl Charset {
    pub(super) fn of(name: &str) -> Result<Self, Refusal> {
        match name.to_ascii_lowercase().as_str() {
            "" | "utf-8" => Ok(Self::Utf8),
            "utf-16" => Ok(Self::Utf16),
            "utf-16le" => Ok(Self::Utf16Le),
            "utf-16be" => Ok(Self::Utf16Be),
            _ => Err(Refusal::MediaType),
        }
    }

    /// The text, without a byte order mark at its start; U+FFFD for whatever is no letter, as Node
    /// reads it.
    pub(super) fn decode(self, bytes: &[u8]) -> String {
        let text = match self {
            Self::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
            Self::Utf16Be => decode_utf16(bytes, u16::from_be_bytes),
            Self::Utf16 if is_big_endian(bytes) => decode_utf16(bytes, u16::from_be_bytes),
            Self::Utf16 | Self::Utf16Le => decode_utf16(bytes, u16::from_le_bytes),
        };
        text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)
    }
}

fn decode_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let (units, _) = bytes.as_chunks::<2>();
    let units: Vec<u16> = units.iter().map(|pair| unit(*pair)).collect();
    String::from_utf16_lossy(&units)
}

/// By its mark, else by which half of its ASCII letters is zero.
fn is_big_endian(bytes: &[u8]) -> bool {
    match bytes {
        [0xfe, 0xff, ..] => return true,
        [0xff, 0xfe, ..] => return false,
        _ => {}
    }
    let (pairs, _) = bytes.as_chunks::<2>();
    let big = pairs.iter().filter(|[high, low]| *high == 0 && *low != 0).count();
    let little = pairs.iter().filter(|[low, high]| *high == 0 && *low != 0).count();
    big > little
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::write::{GzEncoder, ZlibEncoder};
    use http::HeaderValue;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn deflate(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn gzip_deflate_and_identity_are_taken_in_any_case() {
        let of = |values: &[&'static str]| {
            let values = values.iter().map(|value| HeaderValue::from_static(value));
            Compression::of(&values.map(|value| (CONTENT_ENCODING, value)).collect()).ok()
        };
        assert_eq!(of(&[]), Some(Compression::None));
        assert_eq!(of(&[""]), Some(Compression::None));
        assert_eq!(of(&["identity"]), Some(Compression::None));
        assert_eq!(of(&["GZIP"]), Some(Compression::Gzip));
        assert_eq!(of(&["deflate"]), Some(Compression::Deflate));
        for values in [&["br"] as &[_], &["x-gzip"], &["gzip, gzip"], &["gzip", "gzip"]] {
            assert_eq!(of(values), None, "{values:?}");
        }
    }

    #[test]
    fn a_compressed_body_becomes_what_it_was() {
        assert_eq!(Compression::Gzip.undo(&gzip(b"{}")).unwrap(), b"{}");
        assert_eq!(Compression::Deflate.undo(&deflate(b"{}")).unwrap(), b"{}");
        for (compression, bytes) in [
            (Compression::Gzip, b"{}".to_vec()),
            (Compression::Gzip, gzip(b"{}")[..15].to_vec()),
            (Compression::Deflate, gzip(b"{}")),
        ] {
            assert!(matches!(compression.undo(&bytes), Err(Refusal::Malformed)));
        }
    }

    #[test]
    fn the_limit_counts_what_comes_out() {
        let largest = vec![b' '; LIMIT_BYTES];
        assert_eq!(Compression::Gzip.undo(&gzip(&largest)).unwrap(), largest);
        let bomb = gzip(&vec![b' '; 10 * LIMIT_BYTES]);
        assert!(bomb.len() < 2000);
        assert!(matches!(Compression::Gzip.undo(&bomb), Err(Refusal::TooLarge)));
    }

    #[track_caller]
    fn check_text(charset: &str, bytes: &[u8], text: Option<&str>) {
        let decoded = Charset::of(charset).ok().map(|charset| charset.decode(bytes));
        assert_eq!(decoded.as_deref(), text, "{charset} {bytes:?}");
    }

    #[test]
    fn unicode_is_decoded_and_nothing_else_is() {
        check_text("", "é".as_bytes(), Some("é"));
        check_text("UTF-8", "\u{feff}{}".as_bytes(), Some("{}"));
        check_text("utf-8", b"a\xffb", Some("a\u{fffd}b"));
        check_text("utf-16", b"{\0}\0", Some("{}"));
        check_text("utf-16", b"\0{\0}", Some("{}"));
        check_text("utf-16", b"\xfe\xff\0{", Some("{"));
        check_text("utf-16", b"\xff\xfe{\0", Some("{"));
        check_text("utf-16le", b"\xe9\0", Some("é"));
        check_text("utf-16be", b"\0\xe9", Some("é"));
        check_text("utf-16le", b"{\0}", Some("{"));
        check_text("utf-16le", b"\x00\xd8", Some("\u{fffd}"));
        for charset in ["iso-8859-1", "us-ascii", "utf8", "latin1", "x", "utf-99"] {
            check_text(charset, b"{}", None);
        }
    }
}
