//! A child process together with all that it starts.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};
use tracing::{trace, warn};

use crate::next::lifeline::Lifeline;

/// Longest wait for killed processes to leave their ports.
const BURIAL: Duration = Duration::from_millis(200);

/// A child at the head of a process group of its own, which ends with the gateway, however that
/// ends.
///
/// Dropped while it runs, the child is killed and the rest of the group ended by its [`Lifeline`].
#[derive(Debug)]
pub(crate) struct ChildGroup {
    child: Child,
    group: Pid,
    /// There until the child was reaped; from then on the id may be somebody else's.
    lifeline: Option<Lifeline>,
}

impl ChildGroup {
    pub(crate) fn spawn(command: &mut Command) -> io::Result<Self> {
        let mut lifeline = Lifeline::start()?;
        let child = command.process_group(0).kill_on_drop(true).spawn()?;
        let group = child
            .id()
            .and_then(|id| Pid::from_raw(id.try_into().ok()?))
            .ok_or_else(|| io::Error::other("the child has no process id"))?;
        lifeline.hold(group)?;
        Ok(Self { child, group, lifeline: Some(lifeline) })
    }

    /// The child itself, for its pipes.
    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// The id of the child and of its group.
    pub(crate) fn id(&self) -> Pid {
        self.group
    }

    /// Waits until the child ends; what it leaves running is killed.
    pub(crate) async fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await;
        // No await from here to the release: the id stays taken only while somebody of the group
        // lives.
        self.signal(Signal::KILL);
        if let Some(lifeline) = self.lifeline.take() {
            lifeline.release().await;
        }
        wait_until_gone(self.group, BURIAL).await;
        status
    }

    /// Asks the group to end, kills after `grace` what has not, and waits for that.
    pub(crate) async fn stop(mut self, grace: Duration) {
        self.signal(Signal::TERM);
        if timeout(grace, self.child.wait()).await.is_err() {
            self.signal(Signal::KILL);
        }
        if let Err(error) = self.wait().await {
            warn!(cause = %error, "cannot wait for a child process");
        }
    }

    fn signal(&self, signal: Signal) {
        if self.lifeline.is_some() {
            signal_group(self.group, signal);
        }
    }
}

/// Ends the group of a process that is not our child, in the same way.
pub(crate) async fn end_group(group: Pid, grace: Duration) {
    signal_group(group, Signal::TERM);
    if !wait_until_gone(group, grace).await {
        signal_group(group, Signal::KILL);
        wait_until_gone(group, BURIAL).await;
    }
}

/// How a process ended, for people.
pub(crate) fn in_words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(9)) => "killed by signal 9, as the system does when memory runs out".to_owned(),
        (None, Some(signal)) => format!("killed by signal {signal}"),
        (None, None) => status.to_string(),
    }
}

/// A group without a living member is no failure: it ended by itself.
fn signal_group(group: Pid, signal: Signal) {
    if let Err(error) = kill_process_group(group, signal) {
        trace!(cause = %error, "no process to signal");
    }
}

async fn wait_until_gone(group: Pid, limit: Duration) -> bool {
    let deadline = Instant::now() + limit;
    while test_kill_process_group(group).is_ok() {
        if Instant::now() > deadline {
            return false;
        }
        sleep(Duration::from_millis(5)).await;
    }
    true
}
