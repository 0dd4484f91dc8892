//! The body of a sign-in: bounded in size and time, JSON or a form.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::answer::Refusal;

/// Longest body read: body-parser's default, so what Express accepted is accepted here.
const LIMIT_BYTES: usize = 100 * 1024;

/// Longest wait for all of it.
const TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Form,
}

/// The fields of a body, whatever their types.
pub(super) async fn read<B>(headers: &HeaderMap, body: B) -> Result<Map<String, Value>, Refusal>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let format = format_of(headers).ok_or(Refusal::MediaType)?;
    let reading = Box::pin(Limited::new(body, LIMIT_BYTES)).collect();
    let bytes = match timeout(TIMEOUT, reading).await {
        Ok(Ok(collected)) => collected.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(Refusal::TooLarge),
        Ok(Err(_)) => return Err(Refusal::Malformed),
        Err(_) => return Err(Refusal::TooSlow),
    };
    match format {
        Format::Json => read_json(&bytes),
        Format::Form => Ok(read_form(&bytes)),
    }
}

/// `None` for every other type, character set or encoding.
fn format_of(headers: &HeaderMap) -> Option<Format> {
    let is_plain = |value: &http::HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if !headers.get_all(CONTENT_ENCODING).iter().all(is_plain) {
        return None;
    }
    let mut parts = headers.get(CONTENT_TYPE)?.to_str().ok()?.split(';').map(str::trim);
    let format = match parts.next()?.to_ascii_lowercase().as_str() {
        "application/json" => Format::Json,
        "application/x-www-form-urlencoded" => Format::Form,
        _ => return None,
    };
    let is_utf8 = |parameter: &str| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        !name.trim().eq_ignore_ascii_case("charset")
            || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
    };
    parts.all(is_utf8).then_some(format)
}

/// An object, or nothing at all, which Express takes for an empty one.
fn read_json(bytes: &[u8]) -> Result<Map<String, Value>, Refusal> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_slice(bytes).map_err(|_| Refusal::Malformed)
}

/// A field that comes several times is a list, which no field of ours may be.
fn read_form(bytes: &[u8]) -> Map<String, Value> {
    let mut fields = Map::new();
    for (name, value) in form_urlencoded::parse(bytes) {
        let name = name.into_owned();
        let value = if fields.contains_key(&name) {
            Value::Array(Vec::new())
        } else {
            Value::String(value.into_owned())
        };
        fields.insert(name, value);
    }
    fields
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http::HeaderValue;
    use http_body_util::Full;
    use http_body_util::combinators::UnsyncBoxBody;

    use super::*;

    fn headers(pairs: &[(http::HeaderName, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    #[track_caller]
    fn check_type(content_type: &str, format: Option<Format>) {
        let headers = headers(&[(CONTENT_TYPE, content_type)]);
        assert_eq!(format_of(&headers), format, "{content_type}");
    }

    #[test]
    fn only_json_and_forms_in_utf_8_are_taken() {
        check_type("application/json", Some(Format::Json));
        check_type("Application/JSON; charset=UTF-8", Some(Format::Json));
        check_type("application/json;charset=\"utf-8\"", Some(Format::Json));
        check_type("application/json; x=y", Some(Format::Json));
        check_type("application/x-www-form-urlencoded", Some(Format::Form));
        check_type("application/json; charset=iso-8859-1", None);
        check_type("application/json; charset", None);
        check_type("application/vnd.api+json", None);
        check_type("text/plain", None);
        check_type("multipart/form-data; boundary=x", None);
        check_type("", None);
        assert_eq!(format_of(&HeaderMap::new()), None);
    }

    #[test]
    fn a_compressed_body_is_not_taken() {
        for (encoding, format) in [("identity", Some(Format::Json)), ("gzip", None), ("", None)] {
            let headers =
                headers(&[(CONTENT_TYPE, "application/json"), (CONTENT_ENCODING, encoding)]);
            assert_eq!(format_of(&headers), format, "{encoding}");
        }
    }

    #[track_caller]
    fn check_json(body: &[u8], fields: Option<usize>) {
        let read = read_json(body);
        assert_eq!(read.ok().map(|fields| fields.len()), fields, "{body:?}");
    }

    #[test]
    fn json_is_one_object() {
        check_json(br#" {"a":1,"a":2,"b":null} "#, Some(2));
        check_json(b"\xef\xbb\xbf{}", Some(0));
        check_json(b"", Some(0));
        for body in ["[]", "null", "\"str\"", "5", "{", "{}}", "{a:1}", "\u{feff}\u{feff}{}"] {
            check_json(body.as_bytes(), None);
        }
        check_json(b"{\"a\":\"\xff\"}", None);
    }

    #[test]
    fn a_form_has_each_field_once() {
        let fields = read_form(b"email=a%40b.c&name=A+B&x=1&x=2");
        assert_eq!(fields["email"], "a@b.c");
        assert_eq!(fields["name"], "A B");
        assert!(fields["x"].is_array());
    }

    fn json_type() -> HeaderMap {
        headers(&[(CONTENT_TYPE, "application/json")])
    }

    #[tokio::test]
    async fn a_body_has_a_limit() {
        let body = |length| {
            let padding = " ".repeat(length - 2);
            Full::<Bytes>::from(format!("{{{padding}}}"))
        };
        assert!(read(&json_type(), body(LIMIT_BYTES)).await.is_ok());
        let refusal = read(&json_type(), body(LIMIT_BYTES + 1)).await.unwrap_err();
        assert!(matches!(refusal, Refusal::TooLarge));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_given_up() {
        let silent = http_body_util::StreamBody::new(futures_util::stream::pending::<
            Result<http_body::Frame<Bytes>, Infallible>,
        >());
        let refusal = read(&json_type(), UnsyncBoxBody::new(silent)).await.unwrap_err();
        assert!(matches!(refusal, Refusal::TooSlow));
    }
}
