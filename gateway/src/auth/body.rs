//! The body of a sign-in: bounded in size and time, JSON or a form, compressed or not.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::answer::AuthStatuses;
use super::content_type::{Format, type_of};
use super::encoding::{Charset, Compression};
use super::json;
use super::refusal::Refusal;

/// Longest body read, after decompression: body-parser's default, so what Express accepted is
/// accepted here.
pub(super) const LIMIT_BYTES: usize = 100 * 1024;

/// Longest wait for all of it.
const TIMEOUT: Duration = Duration::from_secs(30);

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
    if statuses == AuthStatuses::Express && !is_announced(headers) {
        return Ok(Map::new());
    }
    let (format, charset) = match (statuses, type_of(headers)) {
        (_, Some((Format::Json, charset))) => (Format::Json, charset),
        (AuthStatuses::Standard, Some((Format::Form, charset))) => (Format::Form, charset),
        (AuthStatuses::Standard, None) => return Err(Refusal::MediaType),
        (AuthStatuses::Express, _) => return Ok(Map::new()),
    };
    let charset = Charset::of(&charset)?;
    let compression = Compression::of(headers)?;
    let limit = compression.packed_limit();
    if body.size_hint().lower() > limit as u64 {
        return Err(Refusal::TooLarge); // By its `Content-Length`, before any of it has come.
    }
    let reading = Limited::new(body, limit).collect();
    let bytes = match timeout(TIMEOUT, reading).await {
        Ok(Ok(collected)) => collected.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(Refusal::TooLarge),
        Ok(Err(_)) => return Err(Refusal::Malformed),
        Err(_) => return Err(Refusal::TooSlow),
    };
    let text = charset.decode(&compression.undo(&bytes)?);
    match format {
        Format::Json => json::read(statuses, &text),
        Format::Form => Ok(read_form(text.as_bytes())),
    }
}

/// Whether the head announces a body, be it an empty one (RFC 9112 §6.3).
fn is_announced(headers: &HeaderMap) -> bool {
    headers.contains_key(CONTENT_LENGTH) || headers.contains_key(TRANSFER_ENCODING)
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
    use std::io::Write;

    use flate2::write::GzEncoder;
    use futures_util::FutureExt;
    use http::HeaderValue;
    use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
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
    fn check_read(content_type: &'static str, standard: Result<usize, u8>, express: usize) {
        for (statuses, expected) in
            [(AuthStatuses::Standard, standard), (AuthStatuses::Express, Ok(express))]
        {
            let headers = headers(&[(CONTENT_TYPE, content_type), (CONTENT_LENGTH, "7")]);
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

    /// The number of fields in an empty body.
    #[track_caller]
    fn check_empty(
        statuses: AuthStatuses,
        pairs: &[(http::HeaderName, &str)],
        fields: Option<usize>,
    ) {
        let mut body = Full::<Bytes>::default();
        let read = read(statuses, &headers(pairs), &mut body).now_or_never().unwrap();
        assert_eq!(read.ok().map(|fields| fields.len()), fields, "{statuses:?} {pairs:?}");
    }

    #[tokio::test]
    async fn an_empty_body_is_read_where_one_is_announced() {
        let json = (CONTENT_TYPE, "application/json; charset=utf-8");
        let odd = (CONTENT_TYPE, "application/json; charset=latin1");
        let (zipped, none) = ((CONTENT_ENCODING, "gzip"), (CONTENT_LENGTH, "0"));
        for statuses in [AuthStatuses::Standard, AuthStatuses::Express] {
            check_empty(statuses, &[json.clone(), none.clone()], Some(0));
            check_empty(statuses, &[json.clone(), zipped.clone(), none.clone()], None);
            check_empty(statuses, &[odd.clone(), none.clone()], None);
        }
        check_empty(AuthStatuses::Express, std::slice::from_ref(&odd), Some(0));
        check_empty(AuthStatuses::Standard, &[odd], None);
        check_empty(AuthStatuses::Standard, &[json], Some(0));
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

    #[tokio::test]
    async fn a_body_that_packing_makes_larger_has_the_same_limit() {
        let packed_headers = headers(&[
            (CONTENT_TYPE, "application/json"),
            (CONTENT_ENCODING, "gzip"),
            (CONTENT_LENGTH, "102500"),
        ]);
        for (length, is_taken) in [(LIMIT_BYTES, true), (LIMIT_BYTES + 1, false)] {
            let mut gzip = GzEncoder::new(Vec::new(), flate2::Compression::none());
            gzip.write_all(format!("{{{}}}", " ".repeat(length - 2)).as_bytes()).unwrap();
            let packed = gzip.finish().unwrap();
            assert!(packed.len() > length);
            let mut body = Full::<Bytes>::from(packed);
            let read = read(AuthStatuses::Express, &packed_headers, &mut body).await;
            assert_eq!(read.is_ok(), is_taken, "{length}");
        }
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
