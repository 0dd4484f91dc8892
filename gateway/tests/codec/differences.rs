//! Where the codec is not as hyper's client, on purpose.

use crate::verdict::{Outcome, Verdict};

/// Something that the codec does otherwise.
pub(crate) struct Difference {
    /// What, and why.
    pub(crate) what: &'static str,
    /// Whether two verdicts differ by that and nothing else.
    pub(crate) explains: fn(codec: &Verdict, hyper: &Verdict) -> bool,
    /// An answer to GET that shows it.
    pub(crate) example: fn() -> Vec<u8>,
}

/// All of them.
pub(crate) const DIFFERENCES: [Difference; 7] = [
    Difference {
        what: "both kinds of length: hyper takes the chunks and leaves the length in the head",
        explains: |codec, _| is_refused(codec, "both Content-Length and Transfer-Encoding"),
        example: || {
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                .to_vec()
        },
    },
    Difference {
        what: "a coding that is not `chunked` alone: hyper reads to the connection's end, or hands \
               on what another coding left",
        explains: |codec, _| is_refused(codec, "a Transfer-Encoding other than chunked"),
        example: || b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx".to_vec(),
    },
    Difference {
        what: "a length that is a list, or is there twice: hyper takes equal ones, and any where \
               there is no body",
        explains: |codec, _| {
            is_refused(codec, "a Content-Length that is not one number")
                || is_refused(codec, "a Content-Length that is no length")
        },
        example: || b"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello".to_vec(),
    },
    Difference {
        what: "a head of more than 64 KiB: hyper reads 400",
        explains: |codec, _| is_refused(codec, "a head of more than 65536 bytes"),
        example: || {
            format!("HTTP/1.1 204 No Content\r\nX: {}\r\n\r\n", "x".repeat(64 * 1024)).into_bytes()
        },
    },
    Difference {
        what: "204 has no length (RFC 9110 §8.6): hyper leaves it in the head",
        explains: |codec, hyper| {
            differ_in(codec, hyper, |codec, hyper| {
                let length = hyper.fields.remove("content-length");
                codec.status == 204 && length.is_some()
            })
        },
        example: || b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n".to_vec(),
    },
    Difference {
        what: "a body is told of where there is none (204, 304, to HEAD): hyper uses the connection \
               again, on which that body may still come",
        explains: |codec, hyper| {
            differ_in(codec, hyper, |codec, hyper| {
                if codec.status == 204 {
                    hyper.fields.remove("content-length");
                }
                let is_empty = codec.body.is_empty() && !codec.is_reusable;
                is_empty && std::mem::replace(&mut hyper.is_reusable, false)
            })
        },
        example: || b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n".to_vec(),
    },
    Difference {
        what: "an upstream of HTTP/1.0 is asked on a new connection each time: hyper goes on in \
               HTTP/1.0 where it says keep-alive",
        explains: |codec, hyper| {
            differ_in(codec, hyper, |codec, hyper| {
                let is_old = hyper.version == http::Version::HTTP_10 && !codec.is_reusable;
                is_old && std::mem::replace(&mut hyper.is_reusable, false)
            })
        },
        example: || {
            b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n".to_vec()
        },
    },
];

fn is_refused(codec: &Verdict, with: &str) -> bool {
    matches!(codec, Verdict::Refused { why } if why.0 == with)
}

/// Whether both were read, and are equal once `level` has taken away what it knows.
fn differ_in(
    codec: &Verdict,
    hyper: &Verdict,
    level: impl Fn(&Outcome, &mut Outcome) -> bool,
) -> bool {
    let (Verdict::Read(codec), Verdict::Read(hyper)) = (codec, hyper) else { return false };
    let mut hyper = Outcome {
        reason: hyper.reason.clone(),
        fields: hyper.fields.clone(),
        body: hyper.body.clone(),
        trailers: hyper.trailers.clone(),
        ..**hyper
    };
    level(codec, &mut hyper) && **codec == hyper
}
