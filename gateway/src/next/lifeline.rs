//! Ends a process group when the gateway is gone, even when it was killed without warning.

use std::fs::File;
use std::io::{self, Write};
use std::process::Stdio;

use rustix::process::Pid;
use tokio::process::{Child, Command};
use tracing::debug;

/// Reads the id of a group and then waits: for a second line, which lets the group go, or for the
/// end of the pipe, which the system closes for a gateway that was killed.
///
/// It lives in a group of its own and ignores what a terminal sends, so that it outlives the
/// gateway. It waits in small steps, because the id may be used again once the group is gone.
const WATCHER: &str = r#"
trap '' HUP INT TERM
read -r group || exit 0
read -r released && exit 0
kill -s TERM -- "-$group" || exit 0
for step in 1 2 3 4 5 6 7 8 9 10; do
    sleep 0.1
    kill -s 0 -- "-$group" || exit 0
done
kill -s KILL -- "-$group"
"#;

/// A pipe to a watcher that ends one process group once the pipe is closed.
///
/// The only writing end is here and closed on exec, so no child keeps it open.
#[derive(Debug)]
pub(crate) struct Lifeline {
    pipe: File,
    watcher: Child,
}

impl Lifeline {
    /// Starts the watcher. To be called before the process is started that it shall watch.
    pub(crate) fn start() -> io::Result<Self> {
        let mut watcher = Command::new("/bin/sh")
            .env_remove("SESSION_SECRET")
            .args(["-c", WATCHER])
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let pipe = watcher.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?.into_owned_fd()?;
        Ok(Self { pipe: pipe.into(), watcher })
    }

    /// Lets `group` end with this lifeline.
    pub(crate) fn hold(&mut self, group: Pid) -> io::Result<()> {
        writeln!(self.pipe, "{}", group.as_raw_nonzero())
    }

    /// Lets the group go, which must begin before its id can be used again, and ends the watcher.
    pub(crate) async fn release(mut self) {
        let released = self.pipe.write_all(b"released\n");
        if let Err(error) = released.and(self.watcher.wait().await) {
            debug!(cause = %error, "the watcher of a child process ended before the child");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    /// Something in a group of its own, and a lifeline that holds it.
    fn held() -> (Child, Lifeline) {
        let mut command = Command::new("sleep");
        let child = command.arg("600").process_group(0).kill_on_drop(true).spawn().unwrap();
        let group = Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap();
        let mut lifeline = Lifeline::start().unwrap();
        lifeline.hold(group).unwrap();
        (child, lifeline)
    }

    #[tokio::test]
    async fn a_group_ends_with_its_lifeline() {
        let (mut child, lifeline) = held();
        drop(lifeline);
        timeout(Duration::from_secs(20), child.wait()).await.expect("it ends").unwrap();
    }

    #[tokio::test]
    async fn a_released_group_lives_on() {
        let (mut child, lifeline) = held();
        lifeline.release().await;
        assert!(child.try_wait().unwrap().is_none());
    }
}
