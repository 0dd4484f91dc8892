//! An answer as a browser sees it.

use bytes::Bytes;
use http::header::SET_COOKIE;
use http::{HeaderMap, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::Value;

/// What a browser sees of an answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) async fn of(response: Response<Full<Bytes>>) -> Self {
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.to_vec()).unwrap();
        Self { status: head.status, headers: head.headers, body }
    }

    pub(crate) fn header(&self, name: http::HeaderName) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn message(&self) -> String {
        let body: Value = serde_json::from_str(&self.body).unwrap();
        body["message"].as_str().unwrap().to_owned()
    }

    /// The value of the cookie that was set, as a browser would send it back.
    pub(crate) fn cookie(&self) -> String {
        let header = self.header(SET_COOKIE).expect("a cookie");
        let (value, _) = header.strip_prefix("nextbnb=").unwrap().split_once(';').unwrap();
        value.to_owned()
    }
}
