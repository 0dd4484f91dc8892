//! hyper's client, fed with bytes and driven by hand.

use std::cell::Cell;
use std::collections::VecDeque;
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::rt::{Read, ReadBufCursor, Write};

use crate::verdict::{HowItEnds, Outcome, Sent, Verdict, Why, reason};

/// How often hyper is asked again after nothing has moved: it wakes itself at times.
const IDLE_POLLS: usize = 4;

/// A connection whose other side says what it is to say, once it was asked.
#[derive(Debug, Clone)]
struct Script(Arc<Mutex<Lines>>);

#[derive(Debug)]
struct Lines {
    pieces: VecDeque<Vec<u8>>,
    ends: bool,
    is_asked: bool,
    reads: usize,
}

impl Read for Script {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let mut lines = self.0.lock().unwrap();
        if !lines.is_asked {
            return Poll::Pending;
        }
        let Some(mut piece) = lines.pieces.pop_front() else {
            return if lines.ends { Poll::Ready(Ok(())) } else { Poll::Pending };
        };
        lines.reads += 1;
        let rest = piece.split_off(piece.len().min(buffer.remaining()));
        buffer.put_slice(&piece);
        if !rest.is_empty() {
            lines.pieces.push_front(rest);
        }
        Poll::Ready(Ok(()))
    }
}

impl Write for Script {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.lock().unwrap().is_asked = true;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Sent {
    /// What hyper's client makes of it.
    pub(crate) fn by_hyper(&self) -> Verdict {
        let pieces = self.pieces.iter().filter(|piece| !piece.is_empty()).cloned().collect();
        let lines = Lines { pieces, ends: self.ends, is_asked: false, reads: 0 };
        let script = Script(Arc::new(Mutex::new(lines)));
        let handshake = http1::handshake::<_, Empty<Bytes>>(script.clone());
        let (mut sender, connection) = handshake.now_or_never().unwrap().unwrap();
        let mut connection = pin!(connection.with_upgrades().fuse());
        let taken = Cell::new(0); // Bytes of the body.
        let mut until_ready = |future: &mut dyn FnMut(&mut Context<'_>) -> bool| {
            let mut context = Context::from_waker(Waker::noop());
            let (mut reads, mut idle) = (0, 0);
            while idle < IDLE_POLLS {
                drop(connection.as_mut().poll(&mut context));
                if future(&mut context) {
                    return true;
                }
                let now = script.0.lock().unwrap().reads + taken.get();
                idle = if now == reads { idle + 1 } else { 0 };
                reads = now;
            }
            false
        };

        let request = Request::builder().method(self.method.clone()).body(Empty::new()).unwrap();
        let mut answered = None;
        {
            let mut answer = pin!(sender.send_request(request));
            until_ready(&mut |context| match answer.as_mut().poll(context) {
                Poll::Ready(answer) => {
                    answered = Some(answer);
                    true
                }
                Poll::Pending => false,
            });
        }
        let response = match answered {
            None => return Verdict::Awaited,
            Some(Err(error)) => return Verdict::Refused { why: Why(format!("{error:?}")) },
            Some(Ok(response)) => response,
        };
        let mut outcome = begin(&response);
        if outcome.status == 101 {
            let mut upgrade = pin!(hyper::upgrade::on(response));
            until_ready(&mut |context| match upgrade.as_mut().poll(context) {
                Poll::Ready(upgraded) => {
                    let parts = upgraded.unwrap().downcast::<Script>().unwrap();
                    outcome.body.extend_from_slice(&parts.read_buf);
                    true
                }
                Poll::Pending => false,
            });
            let behind =
                script.0.lock().unwrap().pieces.iter().flatten().copied().collect::<Vec<_>>();
            outcome.body.extend_from_slice(&behind);
            return Verdict::Read(Box::new(outcome));
        }
        let mut body = response.into_body();
        until_ready(&mut |context| {
            let is_over = poll_body(&mut body, &mut outcome, context);
            taken.set(outcome.body.len());
            is_over
        });
        drop(body);
        until_ready(&mut |_| false);
        let is_read = script.0.lock().unwrap().pieces.is_empty();
        outcome.is_reusable = sender.is_ready() && is_read && !self.ends;
        Verdict::Read(Box::new(outcome))
    }
}

/// The fields but for those that speak of the connection alone, which the codec leaves behind.
fn passed_on(response: &Response<Incoming>) -> HeaderMap {
    let is_behind = |name: &HeaderName, value: &HeaderValue| match name.as_str() {
        "connection" => matches!(value.as_bytes(), b"keep-alive" | b"close"),
        name => name == "keep-alive",
    };
    let fields = response.headers().iter();
    let passed = fields.filter(|(name, value)| response.status() == 101 || !is_behind(name, value));
    passed.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn begin(response: &Response<Incoming>) -> Outcome {
    Outcome {
        status: response.status(),
        version: response.version(),
        reason: reason(response.extensions()),
        fields: passed_on(response),
        body: Vec::new(),
        trailers: None,
        end: if response.status() == 101 { HowItEnds::Whole } else { HowItEnds::Open },
        is_reusable: false,
    }
}

/// Reads what is there of a body; `true` when it is over.
fn poll_body(body: &mut Incoming, outcome: &mut Outcome, context: &mut Context<'_>) -> bool {
    while let Poll::Ready(frame) = body.frame().poll_unpin(context) {
        outcome.end = match frame {
            Some(Ok(frame)) => {
                match frame.into_data() {
                    Ok(piece) => outcome.body.extend_from_slice(&piece),
                    Err(frame) => outcome.trailers = frame.into_trailers().ok(),
                }
                continue;
            }
            Some(Err(_)) => HowItEnds::Broken,
            None => HowItEnds::Whole,
        };
        return true;
    }
    false
}
