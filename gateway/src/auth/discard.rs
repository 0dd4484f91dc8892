//! What becomes of a body that nobody reads.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::header::EXPECT;
use http_body::Body;
use http_body_util::BodyExt;
use tokio::time::timeout;

/// How long it is still taken.
const LINGER: Duration = Duration::from_secs(5);

/// Takes what is left of a body while the answer is on its way, for a while.
///
/// Many a client reads only when it has sent everything: closing before that would reset its
/// connection, and the answer would be lost (RFC 9112 §9.6). One that waits for our word to send
/// anything gets the answer instead.
pub(crate) fn discard<B>(headers: &HeaderMap, mut body: B)
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
{
    if body.is_end_stream() || headers.contains_key(EXPECT) {
        return;
    }
    tokio::spawn(timeout(LINGER, async move { while let Some(Ok(_)) = body.frame().await {} }));
}
