//! The Node.js that runs Next.js.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use crate::error::NextError;
use crate::next::project::Project;

/// The oldest Node.js that Next.js 16 runs on (`engines` of its `package.json`).
const OLDEST: (u32, u32) = (20, 9);

/// Longest wait for its version: a version manager may look something up first.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// A Node.js new enough for Next.js.
#[derive(Debug, Clone)]
pub struct Node {
    executable: PathBuf,
    version: String,
}

impl Node {
    /// Finds `node` in `PATH` and asks it for its version.
    pub async fn find(project: &Project) -> Result<Self, NextError> {
        Self::ask(OsStr::new("node"), project.folder()).await
    }

    /// Its version, as `v20.9.0`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The executable itself, behind whatever version manager answers to `node`.
    pub fn executable(&self) -> &Path {
        &self.executable
    }

    async fn ask(program: &OsStr, folder: &Path) -> Result<Self, NextError> {
        let mut command = Command::new(program);
        command
            .args(["-p", "process.version + ' ' + process.execPath"])
            .current_dir(folder) // Version managers choose by folder.
            .env_remove("SESSION_SECRET")
            .kill_on_drop(true);
        let late =
            |_: Elapsed| Err(io::Error::new(io::ErrorKind::TimedOut, "no answer within 10 s"));
        let output = timeout(ANSWER_LIMIT, command.output()).await.unwrap_or_else(late).map_err(
            |source| match source.kind() {
                io::ErrorKind::NotFound => NextError::NodeMissing,
                _ => NextError::NodeUnusable { source },
            },
        )?;
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            let words = if words.is_empty() { output.status.to_string() } else { words };
            return Err(NextError::NodeUnusable { source: io::Error::other(words) });
        }
        Self::from_answer(String::from_utf8_lossy(&output.stdout).trim())
    }

    fn from_answer(answer: &str) -> Result<Self, NextError> {
        let (version, executable) = answer.split_once(' ').unwrap_or((answer, ""));
        let executable = executable.into();
        match release(version) {
            None => Err(NextError::NodeUnusable { source: io::Error::other(answer.to_owned()) }),
            Some(release) if release < OLDEST => {
                Err(NextError::NodeTooOld { version: version.to_owned(), executable })
            }
            Some(_) => Ok(Self { executable, version: version.to_owned() }),
        }
    }
}

/// The first two numbers of a version such as `v20.20.2`.
fn release(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.strip_prefix('v')?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_20_9_is_the_oldest_accepted() {
        let node = Node::from_answer("v20.9.0 /opt/my node/bin/node").unwrap();
        assert_eq!(node.executable(), Path::new("/opt/my node/bin/node"));
        assert_eq!(node.version(), "v20.9.0");
        let older = Node::from_answer("v20.8.1 /usr/bin/node").unwrap_err();
        assert!(matches!(older, NextError::NodeTooOld { version, .. } if version == "v20.8.1"));
    }

    #[tokio::test]
    async fn a_missing_node_is_told_from_a_broken_one() {
        let ask = |program| Node::ask(OsStr::new(program), Path::new("/"));
        assert!(matches!(ask("/no/such/node").await, Err(NextError::NodeMissing)));
        assert!(matches!(ask("false").await, Err(NextError::NodeUnusable { .. })));
        assert!(matches!(ask("echo").await, Err(NextError::NodeUnusable { .. })));
    }
}
