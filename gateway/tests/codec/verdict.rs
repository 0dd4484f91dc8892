//! What a client makes of the bytes that come.

use http::{HeaderMap, Method, StatusCode, Version};
use nextbnb_gateway::proxy::codec::answer::{End, read_answer};

/// What becomes of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is none; `why` is for people.
    Refused { why: Why },
    /// It is not there yet.
    Awaited,
    /// It is this.
    Read(Box<Outcome>),
}

/// Words that two verdicts need not have in common.
#[derive(Debug, Clone)]
pub(crate) struct Why(pub(crate) String);

impl PartialEq for Why {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Why {}

/// An answer, as it was read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) status: StatusCode,
    pub(crate) version: Version,
    pub(crate) reason: Option<Vec<u8>>,
    pub(crate) fields: HeaderMap,
    /// Its body, or after 101 what came behind it.
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Option<HeaderMap>,
    pub(crate) end: HowItEnds,
    pub(crate) is_reusable: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HowItEnds {
    Whole,
    Open,
    Broken,
}

/// The bytes that an upstream sends, in its pieces, and whether it ends the connection then.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) method: Method,
    pub(crate) pieces: Vec<Vec<u8>>,
    pub(crate) ends: bool,
}

impl Sent {
    /// What the codec makes of it.
    pub(crate) fn by_codec(&self) -> Verdict {
        let pieces = self.pieces.iter().map(Vec::as_slice);
        let read = match read_answer(&self.method, pieces, self.ends) {
            Ok(Some(read)) => read,
            Ok(None) => return Verdict::Awaited,
            Err(error) => return Verdict::Refused { why: Why(error.to_string()) },
        };
        Verdict::Read(Box::new(Outcome {
            status: read.head.status,
            version: read.head.version,
            reason: reason(&read.head.extensions),
            fields: read.head.headers,
            body: read.body,
            trailers: read.trailers,
            end: match read.end {
                End::Whole => HowItEnds::Whole,
                End::Open => HowItEnds::Open,
                End::Broken(_) => HowItEnds::Broken,
            },
            is_reusable: read.is_reusable,
        }))
    }
}

/// The words behind a status, where they are not its usual ones.
pub(crate) fn reason(extensions: &http::Extensions) -> Option<Vec<u8>> {
    extensions.get::<hyper::ext::ReasonPhrase>().map(|reason| reason.as_bytes().to_vec())
}
