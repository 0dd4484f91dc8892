//! An upstream's answer ends at one byte, however it comes.

use http::{HeaderMap, Method, StatusCode, Version};
use hyper::ext::ReasonPhrase;
use nextbnb_gateway::proxy::codec::answer::{End, ReadAnswer, read_answer};

use super::choice;

/// What may stand behind an answer.
const SMUGGLED: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled";

/// `bytes` are a choice of the method, of whether the connection ends and of the pieces, and an answer.
///
/// It is the same in pieces as at once; its body is as long as it says, and comes from the bytes. A
/// connection that may be used again has said all of the answer and nothing more.
pub fn check(bytes: &[u8]) {
    let (choice, answer) = choice(bytes);
    let method = [Method::GET, Method::HEAD][choice % 2].clone();
    let (ends, size) = (choice / 2 % 2 == 1, 2 + choice / 4);
    let whole = read(&method, [answer], ends);
    for size in [1, size] {
        let in_pieces = read(&method, answer.chunks(size), ends);
        assert_eq!(in_pieces, whole, "in pieces of {size}: {:?}", answer.escape_ascii());
    }
    let Some(whole) = whole else { return };
    assert!(whole.body.len() <= answer.len());
    check_body(&whole, &method);
    if whole.is_reusable {
        assert!(!ends, "used again though it ended");
        let followed = [answer, SMUGGLED].concat();
        let followed = read(&method, [followed.as_slice()], false).unwrap();
        assert!(!followed.is_reusable, "used again though more came");
        assert_eq!(Reading { is_reusable: true, ..followed }, whole, "what followed got into it");
        let short = answer.split_last().map(|(_, before)| read(&method, [before], false));
        assert!(!short.flatten().is_some_and(|short| short.is_reusable), "it ended before");
    }
}

/// RFC 9112 §6.3.
fn check_body(read: &Reading, method: &Method) {
    let Reading { status, fields, body, how, .. } = read;
    if *status == StatusCode::SWITCHING_PROTOCOLS {
        return assert!(!read.is_reusable);
    }
    let has_none = [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(status);
    if has_none || *method == Method::HEAD {
        return assert!(body.is_empty() && how == "whole", "a body where there is none");
    }
    if let Some(length) = fields.get("content-length") {
        let length: u64 = length.to_str().unwrap().parse().unwrap();
        let read = body.len() as u64;
        assert!(read <= length && (read == length) == (how == "whole"), "{read} of {length} bytes");
        assert!(!fields.contains_key("transfer-encoding"), "two lengths");
    }
}

/// What was read of an answer.
#[derive(Debug, PartialEq)]
struct Reading {
    status: StatusCode,
    version: Version,
    reason: Option<Vec<u8>>,
    fields: HeaderMap,
    body: Vec<u8>,
    trailers: Option<HeaderMap>,
    how: String,
    is_reusable: bool,
}

/// `None` where there is no answer: a malformed head may be seen only when it could be whole.
fn read<'a>(
    method: &Method,
    pieces: impl IntoIterator<Item = &'a [u8]>,
    ends: bool,
) -> Option<Reading> {
    let ReadAnswer { head, body, end, is_reusable, trailers } =
        read_answer(method, pieces, ends).ok()??;
    let reason = head.extensions.get::<ReasonPhrase>().map(|reason| reason.as_bytes().to_vec());
    let how = match end {
        End::Whole => "whole".to_owned(),
        End::Open => "open".to_owned(),
        End::Broken(error) => error.to_string(),
    };
    let (status, version, fields) = (head.status, head.version, head.headers);
    Some(Reading { status, version, reason, fields, body, trailers, how, is_reusable })
}
