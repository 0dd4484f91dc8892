//! The body of a sign-in: bounded in size and time, JSON or a form, compressed or not.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::answer::AuthStatuses;
use super::encoding::{Charset, Compression};
use super::json;
use super::refusal::Refusal;

/// Longest body read, after decompression: body-parser's default, so what Express accepted is
/// accepted here.
pub(super) const LIMIT_BYTES: usize = 100 * 1024;

/// Longest wait for all of it.
const TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Form,
}

/// The fields of a body, whatever their types.
///
/// What the Express server did not read has no fields there; by default it is refused.
pub(super) async fn read<B>(
    statuses: AuthStatuses,
    headers: &HeaderMap,
    body: &mut B,
) -> Result<Map<String, Value>, Refusal>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let (format, charset) = match (statuses, type_of(headers)) {
        (_, Some((Format::Json, charset))) => (Format::Json, charset),
        (AuthStatuses::Standard, Some((Format::Form, charset))) => (Format::Form, charset),
        (AuthStatuses::Standard, None) => return Err(Refusal::MediaType),
        (AuthStatuses::Express, _) => return Ok(Map::new()),
    };
    let charset = Charset::of(&charset)?;
    let compression = Compression::of(headers)?;
    if body.size_hint().lower() > LIMIT_BYTES as u64 {
        return Err(Refusal::TooLarge); // By its `Content-Length`, before any of it has come.
    }
    let reading = Limited::new(body, LIMIT_BYTES).collect();
    let bytes = match timeout(TIMEOUT, reading).await {
        Ok(Ok(collected)) => collected.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(Refusal::TooLarge),
        Ok(Err(_)) => return Err(Refusal::Malformed),
        Err(_) => return Err(Refusal::TooSlow),
    };
    if bytes.is_empty() {
        return Ok(Map::new());
    }
    let text = charset.decode(&compression.undo(&bytes)?);
    match format {
        Format::Json => json::read(statuses, &text),
        Format::Form => Ok(read_form(text.as_bytes())),
    }
}

/// The format and the name of the character set, which may be empty; `None` for other types.
fn type_of(headers: &HeaderMap) -> Option<(Format, String)> {
    let mut parts = headers.get(CONTENT_TYPE)?.to_str().ok()?.split(';').map(str::trim);
    let format = match parts.next()?.to_ascii_lowercase().as_str() {
        "application/json" => Format::Json,
        "application/x-www-form-urlencoded" => Format::Form,
        _ => return None,
    };
    let mut charset = String::new();
    for parameter in parts.filter(|part| !part.is_empty()) {
        let (name, value) = parameter.split_once('=')?;
        if name.trim().eq_ignore_ascii_case("charset") {
            value.trim().trim_matches('"').clone_into(&mut charset);
        }
    }
    Some((format, charset))
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

    use futures_util::FutureExt;
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
    fn check_type(content_type: &str, expected: Option<(Format, &str)>) {
        let headers = headers(&[(CONTENT_TYPE, content_type)]);
        let read = type_of(&headers);
        let read = read.as_ref().map(|(format, charset)| (*format, charset.as_str()));
        assert_eq!(read, expected, "{content_type}");
    }

    #[test]
    fn json_and_forms_are_known_with_their_character_set() {
        check_type("application/json", Some((Format::Json, "")));
        check_type("Application/JSON; charset=UTF-8;", Some((Format::Json, "UTF-8")));
        check_type("application/json;charset=\"utf-8\"", Some((Format::Json, "utf-8")));
        check_type("application/json; x=y", Some((Format::Json, "")));
        check_type("application/x-www-form-urlencoded", Some((Format::Form, "")));
        check_type("application/json; charset=latin1", Some((Format::Json, "latin1")));
        check_type("application/json; charset", None);
        check_type("application/vnd.api+json", None);
        check_type("text/plain", None);
        check_type("multipart/form-data; boundary=x", None);
        check_type("", None);
        assert_eq!(type_of(&HeaderMap::new()), None);
    }

    #[track_caller]
    fn check_read(content_type: &'static str, standard: Result<usize, u8>, express: usize) {
        for (statuses, expected) in
            [(AuthStatuses::Standard, standard), (AuthStatuses::Express, Ok(express))]
        {
            let headers = headers(&[(CONTENT_TYPE, content_type)]);
            let mut body = Full::<Bytes>::from(if content_type.contains("json") {
                "{\"a\":1}"
            } else {
                "a=1"
            });
            let read = read(statuses, &headers, &mut body).now_or_never().unwrap();
            assert_eq!(read.map(|fields| fields.len()).map_err(|_| 0), expected, "{content_type}");
        }
    }

    #[tokio::test]
    async fn express_reads_json_alone_and_ignores_the_rest() {
        check_read("application/json; charset=utf-8", Ok(1), 1);
        check_read("application/x-www-form-urlencoded", Ok(1), 0);
        check_read("application/vnd.api+json", Err(0), 0);
        check_read("text/plain", Err(0), 0);
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
        assert!(read(AuthStatuses::Standard, &json_type(), &mut body(LIMIT_BYTES)).await.is_ok());
        let refusal = read(AuthStatuses::Standard, &json_type(), &mut body(LIMIT_BYTES + 1))
            .await
            .unwrap_err();
        assert!(matches!(refusal, Refusal::TooLarge));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_given_up() {
        let silent = http_body_util::StreamBody::new(futures_util::stream::pending::<
            Result<http_body::Frame<Bytes>, Infallible>,
        >());
        let refusal = read(AuthStatuses::Standard, &json_type(), &mut UnsyncBoxBody::new(silent))
            .await
            .unwrap_err();
        assert!(matches!(refusal, Refusal::TooSlow));
    }
}
