//! WebSockets: the one upgrade that is passed on.

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Method, Version};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;

use super::tunnel::Side;

const WEBSOCKET: &str = "websocket";

/// Whether a request asks for a WebSocket (RFC 6455 §4.1), on whatever path.
///
/// Firefox sends `Connection: keep-alive, Upgrade`, so the field is read as a list.
pub fn is_websocket(head: &Parts) -> bool {
    head.method == Method::GET
        && head.version == Version::HTTP_11
        && head.headers.get_all(header::UPGRADE).iter().count() == 1 // Seldom: nothing else is read.
        && lists(&head.headers, header::CONNECTION, "upgrade")
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

/// The browser's side of a tunnel, whatever it is spoken over.
pub type Downstream = Side<TokioIo<Upgraded>>;

/// The browser's side, once its upgrade is completed.
pub async fn downstream(upgrade: OnUpgrade) -> hyper::Result<Downstream> {
    let downstream = upgrade.await?;
    // What came early from the browser is read first, and its buffer dropped then.
    Ok(Side { stream: TokioIo::new(downstream), early: Bytes::new() })
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
