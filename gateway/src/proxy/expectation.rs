//! `Expect: 100-continue`: a body that waits for the upstream's word (RFC 9110 §10.1.1).
//!
//! hyper's server tells the client to go on when its body is first asked for, and its client asks
//! for a body as soon as the head is written. Between the two stands a `Gate`, which opens when
//! the upstream says 100.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::header::EXPECT;
use http::request::Parts;
use http::{Request, StatusCode, Version};
use http_body::Body;
use hyper::ext::on_informational;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Sleep, sleep};

use super::request_body::RequestBody;

/// How long a body waits, as curl does: an upstream may know nothing of the expectation.
const PATIENCE: Duration = Duration::from_secs(1);

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

/// Holds a request's body back until the upstream wants it, where the client waits for that.
pub(super) fn hold_back(request: &mut Request<RequestBody>) -> Option<Word> {
    if !request.headers().contains_key(EXPECT) {
        return None;
    }
    let (word, told) = unbounded_channel();
    let timer = Some(Box::pin(sleep(PATIENCE)));
    request.body_mut().wait_for(Gate { told, timer });
    let word = Word(word);
    let callback = word.clone();
    on_informational(request, move |response| {
        if response.status() == StatusCode::CONTINUE {
            callback.tell(Told::GoOn);
        }
    });
    Some(word)
}

#[derive(Debug)]
enum Told {
    GoOn,
    Answered,
}

/// The upstream's word to a body; the body is given up when all who could speak it are gone.
#[derive(Debug, Clone)]
pub(super) struct Word(UnboundedSender<Told>);

impl Word {
    /// Notes that the answer is there: `true` where the body still waits, and now for ever.
    pub(super) fn comes_too_late(&self) -> bool {
        self.tell(Told::Answered);
        !self.0.is_closed()
    }

    fn tell(&self, told: Told) {
        self.0.send(told).ok(); // Nobody waits any more: the body is under way.
    }
}

/// What a body waits at before its first piece.
#[derive(Debug)]
pub(super) struct Gate {
    told: UnboundedReceiver<Told>,
    timer: Option<Pin<Box<Sleep>>>,
}

/// The upstream has answered, and nobody reads the body.
pub(super) struct Unwanted;

impl Gate {
    /// Resolves when the body is wanted, or never will be.
    pub(super) fn poll_open(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Unwanted>> {
        loop {
            match self.told.poll_recv(context) {
                Poll::Ready(Some(Told::GoOn)) => return Poll::Ready(Ok(())),
                Poll::Ready(Some(Told::Answered)) => self.timer = None,
                Poll::Ready(None) => return Poll::Ready(Err(Unwanted)),
                Poll::Pending => {
                    let Some(timer) = &mut self.timer else { return Poll::Pending };
                    ready!(timer.as_mut().poll(context));
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }
}
