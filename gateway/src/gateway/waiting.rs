//! Developers who wait for an upstream: a page at once instead of none, and its questions whether that
//! is there by now.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{Response, StatusCode};

use super::body::AnswerBody;
use super::{Downstream, Gateway, own};
use crate::downstream::nearness::nearness_of;
use crate::error::RequestError;
use crate::next::dev_news::{DevNews, Situation};
use crate::proxy::asker::{Asker, Format, Nearness};
use crate::proxy::pages::ErrorPages;
use crate::proxy::routing::Target;
use crate::proxy::upstream::Upstream;

/// Who reads what the gateway itself may have to say. Where visitors are served, nobody looks where
/// they sit.
pub(super) fn asker_of(head: &Parts, pages: &ErrorPages, downstream: &Downstream) -> Asker {
    let nearness = if pages.are_for_visitors() {
        Nearness::Elsewhere
    } else {
        nearness_of(head, downstream.peer)
    };
    Asker { format: Format::of(&head.headers, &head.uri), nearness, method: head.method.clone() }
}

/// Next.js as it is known not to answer, for an `asker` whose page reloads itself: programs wait, and
/// nothing is given up that was sent to be done.
pub(super) fn news_for<'a>(pages: &'a ErrorPages, asker: &Asker) -> Option<&'a DevNews> {
    pages.news().filter(|_| asker.may_come_back())
}

/// What a request fails with while Next.js is known not to answer.
pub(super) fn not_there(news: &DevNews) -> RequestError {
    let what = match news.situation() {
        Situation::Installing(_) => "its packages are being installed",
        Situation::Starting | Situation::StartingAgain { .. } => "next dev is starting",
        Situation::Ended(_) => "next dev has ended",
        Situation::Hung => "next dev does not answer any more",
        Situation::Ready => "next dev was not there",
    };
    RequestError::UpstreamUnreachable(io::Error::other(what))
}

impl Gateway {
    /// Tells a page that waits whether the path in its question can be loaded by now: 204; or, as the
    /// page itself, what is known of the upstream in the meantime.
    ///
    /// The path itself is not asked for: what a link does once, as to sign in by e-mail, is done for
    /// the page that is loaded then.
    pub(super) async fn answer_waiting(
        &self,
        head: &Parts,
        asker: &Asker,
    ) -> Result<Response<AnswerBody>, RequestError> {
        let query = head.uri.query().unwrap_or_default();
        let path = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "path");
        let path = path.map_or(Cow::Borrowed("/"), |(_, path)| path);
        let Target { upstream, pages, .. } = self.routes.of(&path)?;
        if pages.are_for_visitors() {
            return Err(RequestError::NothingHere);
        }
        if is_there(upstream, pages).await {
            let mut there = own(Response::default());
            *there.status_mut() = StatusCode::NO_CONTENT;
            let headers = there.headers_mut();
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            return Ok(there);
        }
        let absent = RequestError::UpstreamUnreachable(io::ErrorKind::NotConnected.into());
        let mut told = own(pages.answer(&absent, asker));
        // The question is answered; browsers write each failure into the console.
        *told.status_mut() = StatusCode::OK;
        told.headers_mut().remove(header::RETRY_AFTER);
        Ok(told)
    }
}

async fn is_there(upstream: &Arc<Upstream>, pages: &ErrorPages) -> bool {
    let is_expected = pages.news().is_none_or(|news| news.situation() == Situation::Ready);
    is_expected && upstream.is_reachable().await
}
