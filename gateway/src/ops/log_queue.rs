//! Lines on their way to standard error. Whoever has one leaves it here and goes on; one thread
//! writes them, so that they are whole, in order, and cost a request no system call.
//!
//! Nobody waits for a reader that does not read, as `| less` or a supervisor that hangs: up to
//! [`MOST`] bytes wait for it, then lines are given up, counted, and told of when there is room.

use std::io::{self, Write};
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tracing::warn;
use tracing_subscriber::fmt::MakeWriter;

/// Bytes that are written without waiting for more.
const BATCH: usize = 64 * 1024;

/// Longest rest of a line that may wait for others.
const TICK: Duration = Duration::from_millis(100);

/// Bytes that may wait for a reader.
const MOST: usize = 4 * 1024 * 1024;

/// Bytes more for lines that are not of requests: there are few, and each may matter.
const RESERVE: usize = 256 * 1024;

/// Capacity that is kept for the next batch.
const KEPT: usize = 4 * BATCH;

/// Longest wait, at the end of the process, for somebody to read what is left.
const GOODBYE: Duration = Duration::from_secs(1);

/// How soon a line is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Together with others, a tenth of a second later at most.
    Batched,
    /// As soon as the thread that writes runs.
    AtOnce,
}

/// Takes lines. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct LogQueue(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    waiting: Mutex<Waiting>,
    /// What the thread that writes rests on.
    work: Condvar,
    /// What those rest on who want everything written.
    written: Condvar,
    lost: AtomicU64,
}

#[derive(Debug)]
struct Waiting {
    lines: Vec<u8>,
    pace: Pace,
    rest: Rest,
    /// Lines that were given up since that was last told.
    lost: u64,
}

/// What the thread that writes does, so that it is woken only where it sleeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// Writes.
    None,
    /// Waits for a line.
    Idle,
    /// Waits for more lines.
    Tick,
}

impl Waiting {
    fn is_due(&self) -> bool {
        self.pace == Pace::AtOnce || self.lines.len() >= BATCH
    }
}

impl LogQueue {
    /// Writes to `out` from now on, on a thread of its own.
    pub(super) fn start(out: impl Write + Send + 'static) -> io::Result<Self> {
        let (lines, pace, rest) = (Vec::new(), Pace::Batched, Rest::None);
        let queue = Self(Arc::new(Shared {
            waiting: Mutex::new(Waiting { lines, pace, rest, lost: 0 }),
            work: Condvar::new(),
            written: Condvar::new(),
            lost: AtomicU64::new(0),
        }));
        let shared = queue.0.clone();
        thread::Builder::new().name("log".to_owned()).spawn(move || shared.write_for_ever(out))?;
        Ok(queue)
    }

    /// Takes a line with its end; gives it up where too many wait.
    pub(super) fn push(&self, line: &[u8], pace: Pace, room: Room) {
        let Shared { work, lost, .. } = &*self.0;
        let mut waiting = self.0.lock();
        if waiting.lines.len() + line.len() > room.bytes() {
            waiting.lost += 1;
            lost.fetch_add(1, Relaxed);
            return;
        }
        waiting.lines.extend_from_slice(line);
        if pace == Pace::AtOnce {
            waiting.pace = pace;
        }
        let wakes = match waiting.rest {
            Rest::None => false,
            Rest::Idle => true,
            Rest::Tick => waiting.is_due(),
        };
        if wakes {
            waiting.rest = Rest::None;
            work.notify_one();
        }
    }

    /// Waits until everything is written, or for a second.
    pub(super) fn flush(&self) {
        let mut waiting = self.0.lock();
        waiting.pace = Pace::AtOnce;
        self.0.work.notify_one();
        let is_left =
            |waiting: &mut Waiting| !(waiting.lines.is_empty() && waiting.rest == Rest::Idle);
        // Where nobody reads, the process ends all the same.
        drop(self.0.written.wait_timeout_while(waiting, GOODBYE, is_left));
    }

    /// Lines that were given up so far.
    pub(super) fn lost(&self) -> u64 {
        self.0.lost.load(Relaxed)
    }
}

/// What a line is of, which decides how many bytes may wait when it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// A request that went as requests go.
    Request,
    /// Anything else.
    Other,
}

impl Room {
    fn bytes(self) -> usize {
        match self {
            Self::Request => MOST,
            Self::Other => MOST + RESERVE,
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_for_ever(&self, mut out: impl Write) {
        let mut batch = Vec::new();
        loop {
            let lost = self.take(&mut batch);
            // A closed terminal, or a disk without room: that cannot be told either.
            drop(out.write_all(&batch).and_then(|()| out.flush()));
            batch.clear();
            batch.shrink_to(KEPT);
            if lost > 0 {
                warn!(lines = lost, "log lines were lost: nobody read them in time");
            }
        }
    }

    /// Waits for lines, and for more where there is time, and takes them into the empty `batch`;
    /// tells how many were given up.
    fn take(&self, batch: &mut Vec<u8>) -> u64 {
        let mut waiting = self.lock();
        while waiting.lines.is_empty() && waiting.lost == 0 {
            (waiting.rest, waiting.pace) = (Rest::Idle, Pace::Batched);
            self.written.notify_all();
            waiting = self.work.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        waiting.rest = Rest::Tick;
        let rested = self.work.wait_timeout_while(waiting, TICK, |waiting| !waiting.is_due());
        (waiting, _) = rested.unwrap_or_else(PoisonError::into_inner);
        (waiting.rest, waiting.pace) = (Rest::None, Pace::Batched);
        mem::swap(&mut waiting.lines, batch);
        mem::take(&mut waiting.lost)
    }
}

/// For lines of `tracing`, of which none is of a request: they are written at once, and those of
/// requests before them.
impl<'a> MakeWriter<'a> for LogQueue {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(self)
    }
}

/// Takes one line, which comes whole.
#[derive(Debug)]
pub(super) struct Line<'a>(&'a LogQueue);

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.push(line, Pace::AtOnce, Room::Other);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};

    use super::*;

    /// Far longer than anything takes on a busy machine.
    const PATIENCE: Duration = Duration::from_secs(30);

    /// A reader that takes what is written when it likes.
    struct Pipe(SyncSender<Vec<u8>>);

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn queue() -> (LogQueue, Receiver<Vec<u8>>) {
        let (send, read) = mpsc::sync_channel(0);
        (LogQueue::start(Pipe(send)).unwrap(), read)
    }

    fn text(read: &Receiver<Vec<u8>>) -> String {
        String::from_utf8(read.recv_timeout(PATIENCE).unwrap()).unwrap()
    }

    #[test]
    fn a_line_in_a_hurry_takes_those_before_it_along() {
        let (queue, read) = queue();
        queue.push(b"a request\n", Pace::Batched, Room::Request);
        queue.make_writer().write_all(b"a warning\n").unwrap();
        let mut all = text(&read);
        if all == "a request\n" {
            all += &text(&read); // The thread was faster.
        }
        assert_eq!(all, "a request\na warning\n");
    }

    #[test]
    fn a_line_that_may_wait_comes_without_another() {
        let (queue, read) = queue();
        queue.push(b"alone\n", Pace::Batched, Room::Request);
        assert_eq!(text(&read), "alone\n");
    }

    #[test]
    fn whoever_has_a_line_never_waits_for_a_reader_and_memory_is_bounded() {
        let (queue, read) = queue();
        let line = [b'x'; 1024];
        for _ in 0..(3 * MOST / line.len()) {
            queue.push(&line, Pace::Batched, Room::Request);
        }
        assert!(queue.lost() > 0);
        assert!(queue.0.lock().lines.capacity() <= 2 * MOST);
        queue.push(b"an error\n", Pace::AtOnce, Room::Other);
        queue.flush(); // Gives up.
        let lost = queue.lost();
        let mut all = Vec::new();
        while !all.ends_with(b"an error\n") {
            all.extend(read.recv_timeout(PATIENCE).unwrap());
        }
        let whole = (all.len() - b"an error\n".len()) / line.len();
        assert_eq!(whole as u64 + lost, (3 * MOST / line.len()) as u64);
        queue.push(b"again\n", Pace::Batched, Room::Request);
        assert_eq!(text(&read), "again\n");
    }

    #[test]
    fn what_is_flushed_is_written() {
        let (queue, read) = queue();
        queue.push(b"the last\n", Pace::Batched, Room::Request);
        let reader = thread::spawn(move || (text(&read), read));
        queue.flush();
        let waiting = queue.0.lock();
        assert!(waiting.lines.is_empty() && waiting.rest == Rest::Idle);
        drop(waiting);
        let (last, read) = reader.join().unwrap();
        assert_eq!(last, "the last\n");
        assert!(matches!(read.recv_timeout(Duration::ZERO), Err(RecvTimeoutError::Timeout)));
    }

    #[test]
    fn lines_of_many_threads_are_whole_and_those_of_each_in_order() {
        let (queue, read) = queue();
        let threads: Vec<_> = (0..4)
            .map(|thread| {
                let queue = queue.clone();
                thread::spawn(move || {
                    for number in 0..500 {
                        let line = format!("{thread} {number} {}\n", "y".repeat(number));
                        queue.push(line.as_bytes(), Pace::Batched, Room::Request);
                    }
                })
            })
            .collect();
        let mut all = String::new();
        while all.lines().count() < 2000 {
            all += &text(&read);
        }
        for thread in threads {
            thread.join().unwrap();
        }
        let mut next = [0; 4];
        for line in all.lines() {
            let mut words = line.split(' ');
            let mut number = || words.next().unwrap().parse::<usize>().unwrap();
            let (thread, number) = (number(), number());
            assert_eq!((number, words.next().unwrap().len()), (next[thread], number));
            next[thread] += 1;
        }
        assert_eq!(next, [500; 4]);
    }
}
