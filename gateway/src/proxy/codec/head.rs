//! The head of an answer (RFC 9112 §4, §5).

use std::mem::{MaybeUninit, take};

use http::header::HeaderMap;
use http::{Response, StatusCode, Version};
use httparse::{Error, ParserConfig, Status};
use hyper::ext::ReasonPhrase;
use memchr::memchr;

use super::connection_fields::ConnectionFields;
use super::error::AnswerError;
use super::lines;

/// Most fields of a head, as in hyper.
pub(super) const MOST_FIELDS: usize = 100;

/// Largest head, in bytes: four times what Node reads.
pub(super) const LARGEST_HEAD: usize = 64 * 1024;

/// A head, and where the bytes behind it begin.
pub(super) enum Read {
    /// Of an answer that precedes the real one (RFC 9110 §15.2).
    Interim { status: StatusCode, length: usize },
    /// Of the answer.
    Final { head: Response<()>, connection: ConnectionFields, length: usize },
}

/// What most heads begin with.
const USUAL: &[u8] = b"HTTP/1.1 200 OK\r\n";

/// Reads a head from the beginning of `bytes`, into the `spare` map; `None` where it is not there yet.
pub(super) fn read_head(bytes: &[u8], spare: &mut HeaderMap) -> Result<Option<Read>, AnswerError> {
    match read_known(bytes, spare) {
        Some(read) => Ok(Some(read)),
        None => read_new(bytes, spare),
    }
}

/// A usual head all of whose lines came before: nothing of it is read again.
fn read_known(bytes: &[u8], spare: &mut HeaderMap) -> Option<Read> {
    spare.clear(); // Of a beginning that was read before the rest came.
    let mut connection = ConnectionFields::default();
    let fields = lines::read_known(bytes.strip_prefix(USUAL)?, spare, &mut connection)?;
    let length = USUAL.len() + fields;
    if length > LARGEST_HEAD {
        return None;
    }
    let mut head = Response::new(());
    *head.headers_mut() = take(spare);
    Some(Read::Final { head, connection, length })
}

fn read_new(bytes: &[u8], spare: &mut HeaderMap) -> Result<Option<Read>, AnswerError> {
    let mut fields = [const { MaybeUninit::uninit() }; MOST_FIELDS];
    let mut parsed = httparse::Response::new(&mut []);
    let parser = ParserConfig::default();
    let length = match parser.parse_response_with_uninit_headers(&mut parsed, bytes, &mut fields) {
        Ok(Status::Complete(length)) if length <= LARGEST_HEAD => length,
        Ok(Status::Partial) if bytes.len() < LARGEST_HEAD => return Ok(None),
        Ok(_) => return Err(AnswerError::HeadTooLarge(LARGEST_HEAD)),
        Err(Error::Version) => return Err(AnswerError::NoStatusLine),
        Err(error) => return Err(AnswerError::Head(error)),
    };
    let malformed = || AnswerError::Head(Error::Status);
    let code = parsed.code.ok_or_else(malformed)?;
    let status = StatusCode::from_u16(code).map_err(|_| malformed())?;
    if status.is_informational() && status != StatusCode::SWITCHING_PROTOCOLS {
        return Ok(Some(Read::Interim { status, length }));
    }
    let mut head = Response::new(());
    *head.status_mut() = status;
    *head.version_mut() =
        if parsed.version == Some(1) { Version::HTTP_11 } else { Version::HTTP_10 };
    if parsed.reason != status.canonical_reason()
        && let Some(Ok(reason)) =
            parsed.reason.map(|reason| ReasonPhrase::try_from(reason.as_bytes()))
    {
        head.extensions_mut().insert(reason);
    }
    let (headers, connection) = read_fields(bytes, parsed.headers, status, take(spare))?;
    *head.headers_mut() = headers;
    Ok(Some(Read::Final { head, connection, length }))
}

fn read_fields(
    head: &[u8],
    fields: &[httparse::Header<'_>],
    status: StatusCode,
    mut headers: HeaderMap,
) -> Result<(HeaderMap, ConnectionFields), AnswerError> {
    let mut connection = ConnectionFields::default();
    headers.clear();
    headers.reserve(fields.len());
    for field in fields {
        let (name, value) = lines::read(line_of(head, field), field.name.as_bytes(), field.value)
            .ok_or(AnswerError::Head(Error::HeaderName))?;
        // What only the connection is told goes no further, but for what grants an upgrade.
        if !connection.note(&name, &value) || status == StatusCode::SWITCHING_PROTOCOLS {
            headers.append(name, value);
        }
    }
    Ok((headers, connection))
}

/// The line of a field that was read from `head`, with its end.
fn line_of<'a>(head: &'a [u8], field: &httparse::Header<'_>) -> &'a [u8] {
    let begin = field.name.as_ptr().addr() - head.as_ptr().addr();
    let rest = head.get(begin..).unwrap_or_default();
    memchr(b'\n', rest).and_then(|end| rest.get(..=end)).unwrap_or_default()
}

/// Whether the end of a head is in `bytes`, of which the first `known` held none: a head that comes
/// in many pieces is read once.
pub(super) fn may_be_complete(bytes: &[u8], known: usize) -> bool {
    let rest = bytes.get(known.saturating_sub(3)..).unwrap_or_default();
    rest.windows(2).any(|pair| pair == b"\n\n") || rest.windows(3).any(|three| three == b"\n\r\n")
}
