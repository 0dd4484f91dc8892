//! What Next.js says, passed on to this terminal and remembered.

use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::time::Duration;
use std::{fs::File, thread};

use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tracing::warn;

use crate::next::last_lines::{LastLines, LineReader};
use crate::ops::logs::wants_colour;

/// Longest wait for what a dead child's pipes still hold; a process that it left behind may keep
/// them open.
const REST: Duration = Duration::from_millis(200);

/// The outputs of one child, read until both are closed.
#[derive(Debug)]
pub(crate) struct Output(mpsc::Receiver<()>);

impl Output {
    /// Has `command` write where [`Output::pass_on`] reads.
    ///
    /// Pipes, and no pseudo-terminal: of what Next.js does on a terminal only the colours would be
    /// missed, and for these there is a variable that it, its compilers and most packages obey. A
    /// pseudo-terminal would join both outputs, change ends of lines, and have to be told of every
    /// change of the window. Node writes to pipes at once, so nothing comes later than before.
    pub(crate) fn prepare(command: &mut Command) {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        if wants_colour(&io::stdout()) && wants_colour(&io::stderr()) {
            command.env("FORCE_COLOR", "1");
        }
    }

    /// Passes on what `child` says, piece by piece as it comes, and puts it into `lines`.
    ///
    /// On threads of its own: a terminal that was stopped holds up the child and nobody else.
    pub(crate) fn pass_on(child: &mut Child, lines: &LastLines) -> io::Result<Self> {
        lines.begin();
        let (ended, ends) = mpsc::channel(1);
        if let Some(pipe) = child.stdout.take() {
            copy(pipe.into_owned_fd()?, io::stdout(), lines, ended.clone())?;
        }
        if let Some(pipe) = child.stderr.take() {
            copy(pipe.into_owned_fd()?, io::stderr(), lines, ended)?;
        }
        Ok(Self(ends))
    }

    /// Waits until everything is passed on that a child said which has ended.
    pub(crate) async fn finish(mut self) {
        if timeout(REST, self.0.recv()).await.is_err() {
            warn!("something that next dev had started still holds its output");
        }
    }
}

/// `_ended` is dropped at the end.
fn copy(
    pipe: OwnedFd,
    mut to: impl Write + Send + 'static,
    lines: &LastLines,
    ended: mpsc::Sender<()>,
) -> io::Result<()> {
    let mut reader = LineReader::into_lines(lines.clone());
    let copy = move || {
        let _ended = ended;
        let mut pipe = File::from(pipe);
        let mut piece = [0; 8 * 1024];
        loop {
            let length = match pipe.read(&mut piece) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => break,
            };
            let piece = piece.get(..length).unwrap_or_default();
            // Where nobody reads any more, Next.js goes on all the same.
            drop(to.write_all(piece).and_then(|()| to.flush()));
            reader.read(piece);
        }
        reader.end();
    };
    thread::Builder::new().name("next-output".to_owned()).spawn(copy).map(drop)
}
