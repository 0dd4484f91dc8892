//! The gateway's own words to a browser or a program, when the upstream has none.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;

use super::asker::{Asker, Format, Nearness};
use super::page_html::{Page, Waiting};
use super::upstream_address::UpstreamAddress;
use crate::error::RequestError;
use crate::next::dev_news::{DevNews, Situation};

/// Who reads an error page.
#[derive(Debug, Clone)]
pub enum Reader {
    /// A visitor: learns what happened and what to do, nothing else.
    Visitor,
    /// A developer whose Next.js may still be starting.
    Developer,
    /// A developer whose Next.js is watched, so that what it is doing is known.
    DeveloperWatching(DevNews),
    /// A developer who starts Next.js by other means, to answer there.
    DeveloperBeside(UpstreamAddress),
}

/// Turns errors into answers; the one place that does.
#[derive(Debug, Clone)]
pub struct ErrorPages {
    reader: Reader,
}

struct Message {
    status: StatusCode,
    title: Cow<'static, str>,
    advice: Cow<'static, str>,
    retry_after_secs: Option<u16>,
}

/// What a page is told with that waits for Next.js, or whatever else a developer has not started yet.
const WAITS: &str = "This page reloads itself until it is there.";

impl ErrorPages {
    /// Pages for `reader`.
    pub fn new(reader: Reader) -> Self {
        Self { reader }
    }

    /// Whether those who read them are no developers.
    pub fn are_for_visitors(&self) -> bool {
        matches!(self.reader, Reader::Visitor)
    }

    /// Whether an error is no news to the reader: a developer sees Next.js start and restart.
    pub fn is_expected(&self, error: &RequestError) -> bool {
        match error {
            RequestError::UpstreamUnreachable(_) => !self.are_for_visitors(),
            RequestError::UpstreamBroken(_) | RequestError::UpstreamSilent(_) => {
                self.news().is_some_and(|news| news.situation() != Situation::Ready)
            }
            _ => false,
        }
    }

    /// What is known of the Next.js that does not answer, if anything is.
    pub fn news(&self) -> Option<&DevNews> {
        match &self.reader {
            Reader::DeveloperWatching(news) => Some(news),
            _ => None,
        }
    }

    /// The answer to what `asker` asked and failed with `error`, without what the error says of the
    /// inside.
    pub fn answer(&self, error: &RequestError, asker: &Asker) -> Response<Full<Bytes>> {
        let message = self.message(error);
        let lines = match (self.news(), asker.nearness) {
            (Some(news), Nearness::Here) if self.is_expected(error) => news.said(),
            _ => Vec::new(),
        };
        let page = self.page(&message, &lines, asker);
        let (content_type, body) = match asker.format {
            Format::Html => ("text/html; charset=utf-8", page.to_html()),
            Format::Json => ("application/json; charset=utf-8", self.json(&message)),
        };
        let mut response = Response::new(Full::new(Bytes::from(body)));
        *response.status_mut() = message.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if asker.format == Format::Html {
            headers.insert(header::CONTENT_SECURITY_POLICY, page.policy());
        }
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
        let (title, advice) = self.absence();
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Some(Message { status, title, advice, retry_after_secs: Some(1) })
    }

    /// What a developer is told of an upstream that is not there: title and advice.
    fn absence(&self) -> (Cow<'static, str>, Cow<'static, str>) {
        let situation = match &self.reader {
            Reader::DeveloperBeside(upstream) => {
                let title = format!("Nothing answers at {upstream}");
                return (title.into(), "This page reloads itself until something does.".into());
            }
            Reader::DeveloperWatching(news) => news.situation(),
            Reader::Developer | Reader::Visitor => Situation::Starting,
        };
        match situation {
            Situation::Installing(command) => (
                "Packages are being installed".into(),
                format!("`{command}` runs, and its progress is in the terminal. {WAITS}").into(),
            ),
            Situation::Starting => ("Next.js is starting".into(), WAITS.into()),
            Situation::StartingAgain { ended } => (
                "Next.js is starting again".into(),
                format!("It ended ({ended}). {WAITS}").into(),
            ),
            Situation::Ready => (
                "Next.js is coming back".into(),
                format!("It restarts itself, as after an edit of next.config. {WAITS}").into(),
            ),
            Situation::Ended(reason) => (
                "Next.js has ended".into(),
                format!("Why: {reason}. It is started again, and this page reloads itself.").into(),
            ),
            Situation::Hung => (
                "Next.js does not answer any more".into(),
                "It still runs: an endless loop, or a breakpoint. This page reloads itself when it \
                 answers; r in the terminal starts it again."
                    .into(),
            ),
        }
    }

    fn page<'a>(&self, message: &'a Message, lines: &'a [String], asker: &'a Asker) -> Page<'a> {
        let waiting = match (&self.reader, message.retry_after_secs) {
            (Reader::Visitor, _) | (_, None) => Waiting::No,
            (_, Some(secs)) => Waiting::From { secs, method: asker.method.as_str() },
        };
        let (status, title, advice) = (message.status.as_str(), &message.title, &message.advice);
        Page { status, title, advice, lines, waiting }
    }

    /// A program is told when to come back in `Retry-After`, and needs no word of reloading.
    fn json(&self, message: &Message) -> String {
        let text = match (&self.reader, message.retry_after_secs) {
            (Reader::Visitor, _) | (_, None) => format!("{}. {}", message.title, message.advice),
            (_, Some(_)) => format!("{}. Try again in a moment.", message.title),
        };
        format!(r#"{{"status":"error","message":{}}}"#, serde_json::Value::String(text))
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use http::Method;
    use http_body_util::BodyExt;

    use super::*;
    use crate::next::last_lines::LineReader;

    async fn told(reader: Reader, format: Format, nearness: Nearness) -> (StatusCode, String) {
        let error = RequestError::UpstreamUnreachable(io::Error::other("10.1.2.3 refused"));
        let asker = Asker { format, nearness, method: Method::GET };
        let response = ErrorPages::new(reader).answer(&error, &asker);
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn answer(reader: Reader, format: Format) -> (StatusCode, String) {
        told(reader, format, Nearness::Here).await
    }

    #[tokio::test]
    async fn a_browser_gets_a_page_and_a_program_json() {
        let (status, page) = answer(Reader::Visitor, Format::Html).await;
        assert_eq!(status, StatusCode::BAD_GATEWAY);
        assert!(page.starts_with("<!doctype html>"), "{page}");
        let (_, json) = answer(Reader::Visitor, Format::Json).await;
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["status"], "error");
    }

    #[tokio::test]
    async fn nobody_is_told_what_is_inside() {
        for reader in [Reader::Visitor, Reader::Developer, beside()] {
            for format in [Format::Html, Format::Json] {
                let (_, body) = answer(reader.clone(), format).await;
                assert!(!body.contains("10.1.2.3"), "{body}");
            }
        }
    }

    fn beside() -> Reader {
        Reader::DeveloperBeside(http::uri::Authority::from_static("localhost:4000").into())
    }

    #[tokio::test]
    async fn a_developer_is_told_where_nothing_answers() {
        let (status, page) = answer(beside(), Format::Html).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(page.contains("<h1>Nothing answers at http://localhost:4000</h1>"), "{page}");
        assert!(page.contains(r#"http-equiv="refresh""#), "{page}");
        let (_, json) = answer(beside(), Format::Json).await;
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert!(value["message"].to_string().contains("http://localhost:4000"), "{json}");
    }

    #[tokio::test]
    async fn a_developer_waits_for_next_js_on_a_page_that_reloads() {
        let (status, page) = answer(Reader::Developer, Format::Html).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(page.contains("Next.js is starting"), "{page}");
        assert!(page.contains(r#"http-equiv="refresh""#), "{page}");
        let (_, page) = answer(Reader::Visitor, Format::Html).await;
        assert!(!page.contains("refresh"), "{page}");
    }

    fn watching(situation: Situation) -> Reader {
        let news = DevNews::default();
        news.tell(situation);
        LineReader::into_lines(news.lines().clone()).read(b"Error: no <Link>\n");
        Reader::DeveloperWatching(news)
    }

    #[tokio::test]
    async fn each_situation_has_its_own_words() {
        let ended = || "exit code 1".to_owned();
        for (situation, expected) in [
            (Situation::Installing("npm ci".to_owned()), "`npm ci` runs"),
            (Situation::Starting, "Next.js is starting"),
            (Situation::StartingAgain { ended: ended() }, "It ended (exit code 1)."),
            (Situation::Ready, "Next.js is coming back"),
            (Situation::Ended(ended()), "Why: exit code 1. It is started again"),
            (Situation::Hung, "Next.js does not answer any more"),
        ] {
            let (status, page) = answer(watching(situation), Format::Html).await;
            assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
            assert!(page.contains(expected), "{page}");
        }
    }

    #[tokio::test]
    async fn what_next_js_said_is_for_this_machine_and_for_pages() {
        let said = |format, nearness| told(watching(Situation::Starting), format, nearness);
        let (_, page) = said(Format::Html, Nearness::Here).await;
        assert!(page.contains("<pre>Error: no &lt;Link&gt;</pre>"), "{page}");
        for (format, nearness) in
            [(Format::Html, Nearness::Elsewhere), (Format::Json, Nearness::Here)]
        {
            let (_, body) = said(format, nearness).await;
            assert!(!body.contains("Error: no"), "{body}");
        }
    }
}
