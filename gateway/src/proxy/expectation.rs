//! `Expect: 100-continue`: a body that waits for the upstream's word (RFC 9110 §10.1.1).
//!
//! hyper's server tells the client to go on when its body is first asked for, which is not before the
//! upstream says 100.

use std::time::Duration;

use http::Version;
use http::header::EXPECT;
use http::request::Parts;
use http_body::Body;

use super::request_body::RequestBody;

/// How long a body waits, as curl does: an upstream may know nothing of the expectation.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// Drops an expectation that nothing waits for: of an old client, of one that sends no body, or an
/// unknown one.
pub fn keep_only_waiting(head: &mut Parts, body: &RequestBody) {
    let is_known =
        |value: &http::HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"100-continue");
    let is_waiting = head.version == Version::HTTP_11 && !body.is_end_stream();
    if !is_waiting || !head.headers.get(EXPECT).is_some_and(is_known) {
        head.headers.remove(EXPECT);
    }
}
