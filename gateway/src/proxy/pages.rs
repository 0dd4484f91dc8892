//! The gateway's own words to a browser or a program, when the upstream has none.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;

use super::upstream_address::UpstreamAddress;
use crate::error::RequestError;

/// Who reads an error page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reader {
    /// A visitor: learns what happened and what to do, nothing else.
    Visitor,
    /// A developer whose Next.js may still be starting.
    Developer,
    /// A developer who starts Next.js by other means, to answer there.
    DeveloperBeside(UpstreamAddress),
}

const HTML: &str = "text/html";
const RSC: HeaderName = HeaderName::from_static("rsc");

/// Turns errors into answers; the one place that does.
#[derive(Debug, Clone)]
pub struct ErrorPages {
    reader: Reader,
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For a browser that shows it as a page.
    Html,
    /// For a program.
    Json,
}

impl Format {
    /// What a request wants: a page only where one will be shown. A flight request's answer will
    /// not, although its `Accept` allows anything.
    pub fn of(request: &HeaderMap) -> Self {
        // Navigations begin with it, and need no search.
        let accepts_pages = |value: &str| value.starts_with(HTML) || value.contains(HTML);
        let mut accepts = request.get_all(header::ACCEPT).iter().filter_map(|v| v.to_str().ok());
        if accepts.any(accepts_pages) && !request.contains_key(RSC) {
            Self::Html
        } else {
            Self::Json
        }
    }
}

struct Message {
    status: StatusCode,
    title: Cow<'static, str>,
    advice: Cow<'static, str>,
    retry_after_secs: Option<u16>,
}

impl ErrorPages {
    /// Pages for `reader`.
    pub fn new(reader: Reader) -> Self {
        Self { reader }
    }

    /// Whether those who read them are no developers.
    pub fn are_for_visitors(&self) -> bool {
        self.reader == Reader::Visitor
    }

    /// Whether an error is no news to the reader: a developer sees Next.js start and restart.
    pub fn is_expected(&self, error: &RequestError) -> bool {
        !self.are_for_visitors() && matches!(error, RequestError::UpstreamUnreachable(_))
    }

    /// The answer to a request that failed with `error`, without what the error says of the
    /// inside.
    pub fn answer(&self, error: &RequestError, format: Format) -> Response<Full<Bytes>> {
        let message = self.message(error);
        let (content_type, body) = match format {
            Format::Html => ("text/html; charset=utf-8", self.html(&message)),
            Format::Json => ("application/json; charset=utf-8", json(&message)),
        };
        let mut response = Response::new(Full::new(Bytes::from(body)));
        *response.status_mut() = message.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Some(seconds) = message.retry_after_secs {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if message.status == StatusCode::METHOD_NOT_ALLOWED {
            // RFC 9110 §15.5.6 asks for it; every other method is served.
            const ALLOWED: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
            headers.insert(header::ALLOW, HeaderValue::from_static(ALLOWED));
        }
        response
    }

    fn message(&self, error: &RequestError) -> Message {
        if let Some(message) = self.message_that_names(error) {
            return message;
        }
        let (title, advice, retry_after_secs) = match error {
            RequestError::Ambiguous(_) => {
                ("That request was not understood", "Go back and try the link again.", None)
            }
            RequestError::TargetTooLong => ("That address is too long", "Use a shorter one.", None),
            RequestError::FieldsTooLarge => (
                "Your browser sent too much at once",
                "Clear this site's cookies and try again.",
                None,
            ),
            RequestError::BodyTooLarge(_) => ("That is too large", "Send something smaller.", None),
            RequestError::DownstreamBroken(_) => {
                ("That did not arrive whole", "Send it again.", None)
            }
            RequestError::DownstreamSilent(_) => {
                ("That took too long to arrive", "Send it again.", None)
            }
            RequestError::NothingHere | RequestError::DevOnly => {
                ("There is nothing here", "Check the address.", None)
            }
            RequestError::Method => ("That is not served here", "Use another method.", None),
            RequestError::UnknownDevOrigin if !self.are_for_visitors() => (
                "Next.js does not know this page's origin",
                "Open it at http://localhost, or name its host in allowedDevOrigins in next.config.",
                None,
            ),
            RequestError::ForeignOrigin
            | RequestError::UnknownDevOrigin
            | RequestError::UnknownHost(_) => {
                ("That came from another site", "Open this site itself and try again.", None)
            }
            RequestError::Crowded(_) => {
                ("Too many are here at once", "Try again in a moment.", Some(5))
            }
            RequestError::SessionsUnavailable(_) => (
                "We cannot look up your session",
                "If you were signed in, you still are. Try again in a moment.",
                Some(2),
            ),
            RequestError::SessionsUnreadable(_) => (
                "We cannot look up your session",
                "If you were signed in, you still are. Somebody has to repair this first.",
                None,
            ),
            RequestError::UpstreamUnreachable(_) => {
                ("The site cannot be reached", "Try again in a moment.", Some(2))
            }
            RequestError::UpstreamBroken(_) => {
                ("The site did not answer properly", "Try again in a moment.", Some(2))
            }
            RequestError::UpstreamSilent(_) => {
                ("The site took too long to answer", "Try again in a moment.", Some(2))
            }
        };
        let (title, advice) = (title.into(), advice.into());
        Message { status: error.status(), title, advice, retry_after_secs }
    }

    /// What is said with the name of something.
    fn message_that_names(&self, error: &RequestError) -> Option<Message> {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        if let RequestError::UnknownHost(name) = error {
            let title = format!("{name} is not served here").into();
            let advice = format!(
                "Is it a name of yours? Then start the gateway with: nextbnb-gateway dev --allow-host {name}"
            );
            let advice = advice.into();
            return Some(Message { status: error.status(), title, advice, retry_after_secs: None });
        }
        if !self.is_expected(error) {
            return None;
        }
        let (title, advice) = match &self.reader {
            Reader::DeveloperBeside(upstream) => (
                format!("Nothing answers at {upstream}").into(),
                "This page reloads itself until something does.",
            ),
            _ => ("Next.js is starting".into(), "This page reloads itself until it is there."),
        };
        Some(Message { status, title, advice: advice.into(), retry_after_secs: Some(1) })
    }

    fn html(&self, message: &Message) -> String {
        let reload = match (&self.reader, message.retry_after_secs) {
            (Reader::Visitor, _) | (_, None) => String::new(),
            (_, Some(seconds)) => format!(r#"<meta http-equiv="refresh" content="{seconds}">"#),
        };
        include_str!("error-page.html")
            .replace("{reload}", &reload)
            .replace("{title}", &message.title)
            .replace("{advice}", &message.advice)
            .replace("{status}", message.status.as_str())
    }
}

fn json(message: &Message) -> String {
    // No text has a character that JSON or HTML escapes: they stand in this file, and an address and a
    // host's name have none.
    format!(r#"{{"status":"error","message":"{}. {}"}}"#, message.title, message.advice)
}

#[cfg(test)]
mod tests {
    use std::io;

    use http_body_util::BodyExt;

    use super::*;

    async fn answer(reader: Reader, accept: &'static str) -> (StatusCode, String) {
        let mut request = HeaderMap::new();
        request.insert(header::ACCEPT, HeaderValue::from_static(accept));
        let error = RequestError::UpstreamUnreachable(io::Error::other("10.1.2.3 refused"));
        let response = ErrorPages::new(reader).answer(&error, Format::of(&request));
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_browser_gets_a_page_and_a_program_json() {
        let (status, page) = answer(Reader::Visitor, "text/html,*/*;q=0.8").await;
        assert_eq!(status, StatusCode::BAD_GATEWAY);
        assert!(page.starts_with("<!doctype html>"), "{page}");
        assert!(!page.contains('{') || page.contains("<style>"), "{page}");
        let (_, json) = answer(Reader::Visitor, "*/*").await;
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["status"], "error");
    }

    #[tokio::test]
    async fn nobody_is_told_what_is_inside() {
        for reader in [Reader::Visitor, Reader::Developer, beside()] {
            for accept in ["text/html", "application/json"] {
                let (_, body) = answer(reader.clone(), accept).await;
                assert!(!body.contains("10.1.2.3"), "{body}");
            }
        }
    }

    fn beside() -> Reader {
        Reader::DeveloperBeside(http::uri::Authority::from_static("localhost:4000").into())
    }

    #[tokio::test]
    async fn a_developer_is_told_where_nothing_answers() {
        let (status, page) = answer(beside(), "text/html").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(page.contains("<h1>Nothing answers at http://localhost:4000</h1>"), "{page}");
        assert!(page.contains(r#"http-equiv="refresh""#), "{page}");
        let (_, json) = answer(beside(), "*/*").await;
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert!(value["message"].to_string().contains("http://localhost:4000"), "{json}");
    }

    #[tokio::test]
    async fn a_developer_waits_for_next_js_on_a_page_that_reloads() {
        let (status, page) = answer(Reader::Developer, "text/html").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(page.contains("Next.js is starting"), "{page}");
        assert!(page.contains(r#"http-equiv="refresh""#), "{page}");
        let (_, page) = answer(Reader::Visitor, "text/html").await;
        assert!(!page.contains("refresh"), "{page}");
    }
}
