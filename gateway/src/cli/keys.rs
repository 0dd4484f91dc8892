//! Keys pressed at the terminal that `dev` runs in.

use std::io::{self, IsTerminal, Stdin};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::getpgrp;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};
use tokio::process::Command;
use tokio::sync::mpsc;
use tracing::{debug, warn};

/// How soon a terminal is looked at again that is another program's meanwhile.
const BACKGROUND: Duration = Duration::from_millis(500);

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// To open the site in a browser.
    Open,
    /// To start Next.js again.
    Restart,
    /// To tell who is signed in.
    Users,
    /// To end.
    Quit,
}

impl Key {
    fn of(byte: u8) -> Option<Self> {
        match byte.to_ascii_lowercase() {
            b'o' => Some(Self::Open),
            b'r' => Some(Self::Restart),
            b'u' => Some(Self::Users),
            b'q' => Some(Self::Quit),
            _ => None,
        }
    }
}

/// Tells keys from sequences, as of arrows, whose letters are no keys (ECMA-48 §5.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyReader {
    Plain,
    /// Behind ESC.
    Escaped,
    /// Behind ESC and `[` or `O`, until a letter.
    Sequence,
}

impl KeyReader {
    fn read(&mut self, byte: u8) -> Option<Key> {
        let key = if *self == Self::Plain { Key::of(byte) } else { None };
        *self = match (*self, byte) {
            (_, 0x1b) => Self::Escaped,
            (Self::Escaped, b'[' | b'O') | (Self::Sequence, 0x20..=0x3f) => Self::Sequence,
            _ => Self::Plain,
        };
        key
    }
}

/// Listens to keys, each as it is pressed; dropped, the terminal is as it was.
///
/// Only lines and echo are switched off, and no more as a raw terminal has it: Ctrl-C stays a signal,
/// and ends of lines stay what Next.js and the log take them for.
#[derive(Debug)]
pub(super) struct Keys {
    pressed: mpsc::Receiver<Key>,
    before: Termios,
}

impl Keys {
    /// Listens, where standard input is a terminal and this its foremost program: any other would be
    /// stopped for it.
    pub(super) fn listen() -> Option<Self> {
        let stdin = io::stdin();
        if !stdin.is_terminal() || !is_foremost(&stdin) {
            return None;
        }
        let before = tcgetattr(&stdin).ok()?;
        let (sender, pressed) = mpsc::channel(8);
        let read = move || read_keys(&stdin, &sender);
        thread::Builder::new().name("keys".to_owned()).spawn(read).ok()?;
        let mut modes = before.clone();
        modes.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        // From here on it is put back by `drop`, however the command ends.
        let keys = Self { pressed, before };
        tcsetattr(io::stdin(), OptionalActions::Now, &modes).ok()?;
        Some(keys)
    }

    async fn next(&mut self) -> Option<Key> {
        self.pressed.recv().await
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        let stdin = io::stdin();
        if is_foremost(&stdin)
            && let Err(error) = tcsetattr(&stdin, OptionalActions::Now, &self.before)
        {
            debug!(cause = %error, "the terminal cannot be put back");
        }
    }
}

/// The next key, of nobody never.
pub(super) async fn next_key(keys: &mut Option<Keys>) -> Key {
    if let Some(listening) = keys {
        if let Some(key) = listening.next().await {
            return key;
        }
        *keys = None; // The terminal is gone.
    }
    std::future::pending().await
}

/// Opens `url` in the browser that this system would take.
pub(super) fn open(url: &str) {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut command = Command::new(program);
    command.arg(url).env_remove("SESSION_SECRET").process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Err(error) = command.spawn() {
        warn!(cause = %error, "cannot run {program}; open {url}");
    }
}

fn read_keys(stdin: &Stdin, sender: &mpsc::Sender<Key>) {
    let mut reader = KeyReader::Plain;
    loop {
        let mut waits = [PollFd::new(stdin, PollFlags::IN)];
        match poll(&mut waits, None) {
            Ok(_) => {}
            Err(error) if error == rustix::io::Errno::INTR => continue,
            Err(_) => return,
        }
        if !is_foremost(stdin) {
            thread::sleep(BACKGROUND); // What is typed is somebody else's.
            continue;
        }
        let mut bytes = [0; 64];
        match rustix::io::read(stdin, &mut bytes) {
            Ok(0) => return,
            Ok(length) => {
                for key in bytes.iter().take(length).filter_map(|byte| reader.read(*byte)) {
                    if sender.blocking_send(key).is_err() {
                        return;
                    }
                }
            }
            Err(error) if error == rustix::io::Errno::INTR => {}
            Err(_) => return,
        }
    }
}

fn is_foremost(stdin: &Stdin) -> bool {
    tcgetpgrp(stdin).is_ok_and(|foremost| foremost == getpgrp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_sequences_are_no_keys() {
        let mut reader = KeyReader::Plain;
        let pressed = b"\x1b[r\x1b[1;5qxR\x1bOr\x1bqo".iter();
        let keys: Vec<Key> = pressed.filter_map(|byte| reader.read(*byte)).collect();
        assert_eq!(keys, [Key::Restart, Key::Open]);
    }
}
