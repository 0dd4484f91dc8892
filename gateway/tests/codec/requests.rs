//! Requests, written by the codec and read by servers.

use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request};
use nextbnb_gateway::proxy::codec::request::{BodyLength, Framing, write_head};
use nextbnb_gateway::proxy::own_fields::OwnFields;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::hyper_server::read_by_hyper;
use crate::node::read_by_node;

/// A request as a server understood it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Understood {
    pub(crate) method: String,
    pub(crate) target: String,
    /// Sorted, names in lower case.
    pub(crate) fields: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

fn head(method: &str, target: &str, fields: &[(String, Vec<u8>)]) -> Parts {
    let mut request = Request::builder().method(method).uri(target).header("host", "a.example");
    for (name, value) in fields {
        request = request.header(name, HeaderValue::from_bytes(value).unwrap());
    }
    request.body(()).unwrap().into_parts().0
}

/// Writes a request whose body comes in `pieces`, and what a server is to understand of it.
fn written(head: &Parts, length: BodyLength, pieces: &[&[u8]]) -> (Vec<u8>, Understood) {
    let (mut bytes, framing) = write_head(head, &OwnFields::new(), length);
    let own = match framing {
        Framing::None => None,
        Framing::Length(length) => Some(("content-length", length.to_string())),
        Framing::Chunked => Some(("transfer-encoding", "chunked".to_owned())),
    };
    let (mut rest, mut left) = (pieces.iter().peekable(), framing);
    while let Some(piece) = rest.next().filter(|_| framing != Framing::None) {
        let behind = left.frame(&mut bytes, piece.len(), rest.peek().is_none()).unwrap();
        bytes.extend(*piece);
        bytes.extend(behind);
    }
    let value = |value: &HeaderValue| value.as_bytes().trim_ascii().to_vec();
    let fields = head.headers.iter().map(|(name, field)| (name.to_string(), value(field)));
    let mut fields: Vec<_> =
        fields.chain(own.map(|(name, value)| (name.to_owned(), value.into_bytes()))).collect();
    fields.sort();
    let body = if framing == Framing::None { Vec::new() } else { pieces.concat() };
    let (method, target) = (head.method.to_string(), head.uri.to_string());
    (bytes, Understood { method, target, fields, body })
}

#[test]
fn a_body_is_told_by_its_length_or_in_chunks() {
    let framing = |method: &str, fields: &[(&str, &str)], length| {
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect();
        write_head(&head(method, "/", &fields), &OwnFields::new(), length).1
    };
    let told = [("content-length", "5")];
    assert_eq!(framing("POST", &[], BodyLength::None), Framing::None);
    assert_eq!(framing("POST", &[], BodyLength::Known(5)), Framing::Length(5));
    assert_eq!(framing("POST", &told, BodyLength::Known(5)), Framing::Length(5));
    assert_eq!(framing("POST", &told, BodyLength::Unknown), Framing::Length(5));
    assert_eq!(framing("POST", &[], BodyLength::Unknown), Framing::Chunked);
    assert_eq!(framing("DELETE", &[], BodyLength::Unknown), Framing::Chunked);
    assert_eq!(framing("GET", &[], BodyLength::Unknown), Framing::Chunked);
    assert_eq!(framing("GET", &[], BodyLength::Known(5)), Framing::Length(5));
}

#[test]
fn a_body_of_another_length_than_was_said_is_not_sent_to_its_end() {
    for (pieces, is_sound) in
        [(&[2, 3][..], true), (&[2, 0, 3], true), (&[2, 2], false), (&[2, 4], false), (&[], true)]
    {
        let mut framing = Framing::Length(pieces.len().min(1) as u64 * 5);
        let last = pieces.len().saturating_sub(1);
        let framed = pieces
            .iter()
            .enumerate()
            .map(|(number, piece)| framing.frame(&mut Vec::new(), *piece, number == last));
        let is_framed = framed.collect::<Option<Vec<_>>>().is_some();
        assert_eq!(is_framed, is_sound, "{pieces:?}");
    }
}

#[test]
fn a_length_that_the_client_told_is_told_once() {
    let fields = [
        ("content-length".to_owned(), b"5".to_vec()),
        ("transfer-encoding".to_owned(), b"x".to_vec()),
    ];
    let mut own = OwnFields::new();
    let (bytes, _) = write_head(&head("POST", "/x?y", &fields), &own, BodyLength::Known(5));
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(text, "POST /x?y HTTP/1.1\r\nhost: a.example\r\ncontent-length: 5\r\n\r\n");
    own.add_text(&HeaderName::from_static("x-own"), "1");
    let (bytes, _) = write_head(&head("GET", "/", &[]), &own, BodyLength::None);
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(text, "GET / HTTP/1.1\r\nhost: a.example\r\nx-own: 1\r\n\r\n");
    let (bytes, _) = write_head(&head("POST", "/", &fields[..1]), &own, BodyLength::None);
    assert!(String::from_utf8(bytes).unwrap().contains("content-length: 5\r\n"));
}

fn field() -> impl Strategy<Value = (String, Vec<u8>)> {
    let names = select(vec![
        "accept",
        "cookie",
        "user-agent",
        "x-forwarded-for",
        "x-forwarded-user",
        "rsc",
        "next-router-state-tree",
        "if-none-match",
        "sec-fetch-mode",
        "x-odd!#$%&'*+-.^_`|~",
    ]);
    let value = vec(prop_oneof![0x21_u8..0x7f, 0x80_u8..=0xff, Just(b' '), Just(b'\t')], 0..40);
    (names, value).prop_map(|(name, value)| (name.to_owned(), value))
}

fn request() -> impl Strategy<Value = (Parts, BodyLength, Vec<Vec<u8>>)> {
    let method = select(vec!["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]);
    let target = "/[a-zA-Z0-9%/._~!$&'()*+,;=:@-]{0,40}(\\?[a-zA-Z0-9%/?&=_.-]{0,40})?";
    let pieces = prop_oneof![Just(Vec::new()), vec(vec(any::<u8>(), 0..50), 0..4)];
    (method, target, vec(field(), 0..12), pieces, any::<bool>()).prop_map(
        |(method, target, fields, pieces, is_known)| {
            let total: usize = pieces.iter().map(Vec::len).sum();
            let length = match (total, is_known) {
                (0, _) => BodyLength::None,
                (_, true) => BodyLength::Known(total as u64),
                (_, false) => BodyLength::Unknown,
            };
            (head(method, &target, &fields), length, pieces)
        },
    )
}

/// The request's bytes, and what they are to mean.
fn written_any() -> impl Strategy<Value = (Vec<u8>, Understood)> {
    request().prop_map(|(head, length, pieces)| {
        let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
        written(&head, length, &pieces)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn hypers_server_reads_the_request_that_was_written((bytes, meant) in written_any()) {
        prop_assert_eq!(read_by_hyper(&bytes), meant);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn node_reads_the_requests_that_were_written_one_behind_the_other(
        requests in vec(written_any(), 100),
    ) {
        let bytes: Vec<u8> = requests.iter().flat_map(|(bytes, _)| bytes).copied().collect();
        let meant: Vec<_> = requests.into_iter().map(|(_, meant)| meant).collect();
        let read = read_by_node(&bytes, meant.len());
        prop_assert_eq!(read, meant);
    }
}

/// Names are compared in lower case, and values without what may stand around them.
pub(crate) fn understood(
    method: &str,
    target: &str,
    fields: impl Iterator<Item = (String, Vec<u8>)>,
    body: Vec<u8>,
) -> Understood {
    let name = |name: String| HeaderName::try_from(name).unwrap().to_string();
    let mut fields: Vec<_> = fields.map(|(field, value)| (name(field), value)).collect();
    fields.sort();
    let method = Method::try_from(method).unwrap().to_string();
    Understood { method, target: target.to_owned(), fields, body }
}
