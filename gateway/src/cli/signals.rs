//! Signals that end the process.

use std::fs;
use std::time::{Duration, Instant};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::timeout;
use tracing::info;

use crate::error::StartError;

/// Within this time a second signal says nothing new.
const SAME_WISH: Duration = Duration::from_secs(1);

/// Longest wait for the signal of which a child died.
const EXCUSE: Duration = Duration::from_millis(100);

/// What SIGHUP means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HangUp {
    /// The terminal is gone, and with it whoever wanted the command.
    Ends,
    /// Files have changed and are to be read again, by those who do.
    Reloads,
}

/// Listens for SIGINT, SIGTERM and SIGHUP from the moment it is made: as PID 1 a process ignores
/// those that it does not handle.
#[derive(Debug)]
pub(super) struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
    /// `None` where it ends nothing, or whoever started the process wants it to outlive its terminal,
    /// as `nohup` does.
    hang_up: Option<Signal>,
}

impl StopSignals {
    /// Begins to listen; must be called on a runtime.
    pub(super) fn listen(hang_up: HangUp) -> Result<Self, StartError> {
        let listen = |kind| {
            signal(kind).map_err(|source| StartError::System { what: "signal handling", source })
        };
        let ends = hang_up == HangUp::Ends && !is_hang_up_ignored();
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hang_up: ends.then(|| listen(SignalKind::hangup())).transpose()?,
        })
    }

    /// Waits for the next of them; tells its name.
    pub(super) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
            () = hung_up(self.hang_up.as_mut()) => "SIGHUP",
        }
    }

    /// Does `start`, unless one of them comes first: then it is dropped, and `None` returned.
    pub(super) async fn unless_told<T>(
        &mut self,
        start: impl Future<Output = Result<T, StartError>>,
    ) -> Result<Option<T>, StartError> {
        let signal = tokio::select! {
            started = start => match started {
                Ok(started) => return Ok(Some(started)),
                Err(error) => self.excuse(error).await?,
            },
            signal = self.next() => signal,
        };
        info!("{signal} during the start");
        Ok(None)
    }

    /// Forgives `error` if one of them comes at once.
    ///
    /// A terminal sends Ctrl-C to children as well. One that has no group of its own yet dies of
    /// it, and that may be noticed first.
    pub(super) async fn excuse<E>(&mut self, error: E) -> Result<&'static str, E> {
        timeout(EXCUSE, self.next()).await.map_err(|_| error)
    }

    /// Waits for one that comes a while after the first: supervisors that signal a process and
    /// its group tell the same wish twice.
    pub(super) async fn insisted(&mut self) -> &'static str {
        self.next().await;
        let first = Instant::now();
        loop {
            let signal = self.next().await;
            if first.elapsed() >= SAME_WISH {
                return signal;
            }
        }
    }
}

async fn hung_up(hang_up: Option<&mut Signal>) {
    match hang_up {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// Whether SIGHUP was ignored when the process started; known on Linux, elsewhere taken for no.
fn is_hang_up_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_some_and(|mask| mask & 1 == 1) // Bit 0 is signal 1, SIGHUP.
}

#[cfg(test)]
mod tests {
    use rustix::process::{Signal, getpid, kill_process};

    use super::*;

    fn fail() -> Result<(), StartError> {
        Err(StartError::NotMigrated)
    }

    #[tokio::test]
    async fn what_fails_of_ctrl_c_is_no_failure() {
        let mut signals = StopSignals::listen(HangUp::Ends).unwrap();
        assert!(signals.unless_told(async { fail() }).await.is_err());
        let failing_of_it = async {
            kill_process(getpid(), Signal::INT).unwrap();
            fail()
        };
        assert!(signals.unless_told(failing_of_it).await.unwrap().is_none());
    }
}
