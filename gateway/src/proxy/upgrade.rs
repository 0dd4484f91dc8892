//! WebSockets: the one upgrade that is passed on.

use std::io::{self, Cursor};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{Either, select};
use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Method, Version};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy};
use tokio::time::timeout;
use tracing::debug;

use super::bounded_stream::BoundedStream;

const WEBSOCKET: &str = "websocket";

/// Whether a request asks for a WebSocket (RFC 6455 §4.1), on whatever path.
///
/// Firefox sends `Connection: keep-alive, Upgrade`, so the field is read as a list.
pub fn is_websocket(head: &Parts) -> bool {
    head.method == Method::GET
        && head.version == Version::HTTP_11
        && lists(&head.headers, header::CONNECTION, "upgrade")
        && head.headers.get_all(header::UPGRADE).iter().count() == 1
        && lists(&head.headers, header::UPGRADE, WEBSOCKET)
}

/// Whether an upgrade that was granted is the one that was asked for.
pub fn grants_websocket(headers: &HeaderMap) -> bool {
    lists(headers, header::UPGRADE, WEBSOCKET)
}

/// Sets the two fields that ask for, or grant, a WebSocket, after the hop-by-hop ones are gone.
pub fn keep_websocket(headers: &mut HeaderMap) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static(WEBSOCKET));
}

/// Carries bytes both ways until both sides have ended, or one has failed; when one has ended, the
/// other may go on for at most `half_closed`. What has `come` from the upstream with its answer goes
/// first.
///
/// There is no idle limit: Next.js sends nothing on its hot-reload socket while nobody edits, and
/// a cut one costs the page its state.
pub async fn tunnel(
    downstream: OnUpgrade,
    upstream: BoundedStream,
    come: Bytes,
    half_closed: Duration,
) {
    let downstream = match downstream.await {
        Ok(downstream) => downstream,
        Err(error) => return debug!(cause = %error, "an upgrade was not completed"),
    };
    let (from_downstream, to_downstream) = tokio::io::split(TokioIo::new(downstream));
    let (from_upstream, to_upstream) = tokio::io::split(upstream);
    let up = carry(from_downstream, to_upstream).boxed();
    let down = carry(Cursor::new(come).chain(from_upstream), to_downstream).boxed();
    let ended = match select(up, down).await {
        Either::Left((Ok(()), rest)) | Either::Right((Ok(()), rest)) => {
            timeout(half_closed, rest).await.unwrap_or_else(|elapsed| Err(elapsed.into()))
        }
        Either::Left((failed, _)) | Either::Right((failed, _)) => failed,
    };
    if let Err(error) = ended {
        debug!(cause = %error, "an upgraded connection ended");
    }
}

/// Carries bytes one way, and then the end.
async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
) -> io::Result<()> {
    copy(&mut from, &mut to).await?;
    to.shutdown().await
}

fn lists(headers: &HeaderMap, name: header::HeaderName, wanted: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|item| item.trim().eq_ignore_ascii_case(wanted))
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[track_caller]
    fn check(connection: &str, upgrade: &str, expected: bool) {
        let request = Request::get("/any")
            .header("connection", connection)
            .header("upgrade", upgrade)
            .body(())
            .unwrap();
        assert_eq!(is_websocket(&request.into_parts().0), expected, "{connection} {upgrade}");
    }

    #[test]
    fn only_a_websocket_is_an_upgrade() {
        check("Upgrade", "websocket", true);
        check("keep-alive, Upgrade", "WebSocket", true);
        check("keep-alive", "websocket", false);
        check("Upgrade, HTTP2-Settings", "h2c", false);
        check("upgrade", "", false);
    }

    #[test]
    fn only_get_over_http_11_asks_for_one() {
        let request = |method, version| {
            let builder = Request::builder().method(method).uri("/").version(version);
            let builder = builder.header("connection", "upgrade").header("upgrade", "websocket");
            builder.body(()).unwrap().into_parts().0
        };
        assert!(is_websocket(&request("GET", Version::HTTP_11)));
        assert!(!is_websocket(&request("POST", Version::HTTP_11)));
        assert!(!is_websocket(&request("GET", Version::HTTP_10)));
    }
}
