//! One way through a tunnel.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::websocket_frames::{Frames, Sender};

pub(super) const BUFFER_BYTES: usize = 16 * 1024;

thread_local! {
    /// What the tunnels of a worker read into; nothing stays in it.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; BUFFER_BYTES].into());
}

/// Which side failed.
#[derive(Debug)]
pub(super) enum Lost {
    From(io::Error),
    To(io::Error),
}

/// The bytes that go one way.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) frames: Frames,
    pub(super) outgoing: Outgoing,
    pub(super) bytes: u64,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    /// Nothing more comes, which the other side is still to be told.
    Ending,
    Ended,
}

impl Way {
    /// Of what `sender` sends; `early` has come already.
    pub(super) fn new(sender: Sender, early: Bytes) -> Self {
        let (mut frames, bytes) = (Frames::of(sender), early.len() as u64);
        frames.follow(&early);
        let unsent = (!early.is_empty()).then(|| Box::new(early));
        let outgoing = Outgoing { unsent, is_unflushed: false };
        Self { frames, outgoing, bytes, stage: Stage::Open }
    }

    /// Carries what comes until nothing can be done for the moment, or, when it has ended, for
    /// ever.
    pub(super) fn poll_carry(
        &mut self,
        from: &mut (impl AsyncRead + Unpin),
        to: &mut (impl AsyncWrite + Unpin),
        context: &mut Context<'_>,
    ) -> Result<Poll<()>, Lost> {
        loop {
            // Nothing more is read before what was read is taken: the sender's own buffers fill,
            // and it waits.
            if self.outgoing.poll_send(to, context).map_err(Lost::To)?.is_pending() {
                return Ok(Poll::Pending);
            }
            match self.stage {
                Stage::Ended => return Ok(Poll::Ready(())),
                Stage::Ending => {
                    let end = Pin::new(&mut *to).poll_shutdown(context);
                    if end.map_err(Lost::To)?.is_pending() {
                        return Ok(Poll::Pending);
                    }
                    self.stage = Stage::Ended;
                }
                Stage::Open => {
                    if self.poll_pass(from, to, context)?.is_pending() {
                        return Ok(Poll::Pending);
                    }
                }
            }
        }
    }

    /// Reads once, and sends what is taken at once.
    fn poll_pass(
        &mut self,
        from: &mut (impl AsyncRead + Unpin),
        to: &mut (impl AsyncWrite + Unpin),
        context: &mut Context<'_>,
    ) -> Result<Poll<()>, Lost> {
        let mut sent = Ok(());
        let read = read_some(from, context, |bytes, context| {
            self.frames.follow(bytes);
            sent = self.outgoing.send(bytes, to, context);
        });
        let Poll::Ready(read) = read.map_err(Lost::From)? else { return Ok(Poll::Pending) };
        sent.map_err(Lost::To)?;
        self.bytes += read as u64;
        if read == 0 {
            self.stage = Stage::Ending;
        }
        Ok(Poll::Ready(()))
    }

    /// Adds a last frame, where one may stand; tells whether it does.
    pub(super) fn end_with(&mut self, frame: Bytes) -> bool {
        let may_stand = self.stage == Stage::Open && self.frames.may_be_joined();
        if may_stand {
            let before = self.outgoing.unsent.take().unwrap_or_default();
            self.outgoing.unsent = Some(Box::new([*before, frame].concat().into()));
        }
        may_stand
    }
}

/// What was read and is not taken.
#[derive(Debug)]
pub(super) struct Outgoing {
    /// Boxed, as there mostly is nothing.
    unsent: Option<Box<Bytes>>,
    /// Whether the stream itself may hold something back, as TLS does.
    is_unflushed: bool,
}

impl Outgoing {
    pub(super) fn is_sent(&self) -> bool {
        self.unsent.is_none() && !self.is_unflushed
    }

    /// Sends what waits.
    pub(super) fn poll_send(
        &mut self,
        to: &mut (impl AsyncWrite + Unpin),
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while let Some(unsent) = &mut self.unsent {
            let taken = ready!(Pin::new(&mut *to).poll_write(context, unsent))?;
            if taken == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            unsent.advance(taken);
            self.is_unflushed = true;
            if unsent.is_empty() {
                self.unsent = None;
            }
        }
        if self.is_unflushed {
            ready!(Pin::new(to).poll_flush(context))?;
            self.is_unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Sends what is taken of `bytes` at once, and keeps the rest; to be called when nothing waits.
    fn send(
        &mut self,
        bytes: &[u8],
        to: &mut (impl AsyncWrite + Unpin),
        context: &mut Context<'_>,
    ) -> io::Result<()> {
        let taken = match Pin::new(to).poll_write(context, bytes)? {
            Poll::Ready(taken) => taken,
            Poll::Pending => 0,
        };
        self.is_unflushed = true;
        let rest = bytes.get(taken..).unwrap_or_default();
        self.unsent = (!rest.is_empty()).then(|| Box::new(Bytes::copy_from_slice(rest)));
        Ok(())
    }
}

/// Reads once, shows `take` what has come, and tells how much it was; nothing at the end.
pub(super) fn read_some(
    from: &mut (impl AsyncRead + Unpin),
    context: &mut Context<'_>,
    take: impl FnOnce(&[u8], &mut Context<'_>),
) -> Poll<io::Result<usize>> {
    BUFFER.with_borrow_mut(|buffer| {
        let mut buffer = ReadBuf::new(buffer);
        ready!(Pin::new(from).poll_read(context, &mut buffer))?;
        let bytes = buffer.filled();
        if !bytes.is_empty() {
            take(bytes, context);
        }
        Poll::Ready(Ok(bytes.len()))
    })
}
