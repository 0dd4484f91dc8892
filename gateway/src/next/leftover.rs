//! A `next dev` that an earlier run of the gateway could not end.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, getpid};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use tracing::warn;

use crate::error::NextError;
use crate::next::child_group::end_group;
use crate::next::process_start::process_start;

/// The file in the state folder that names the running child.
const FILE: &str = "next-dev.json";

const GRACE: Duration = Duration::from_secs(1);

/// A process that is told from a later one of the same id.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Process {
    id: i32,
    started: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    child: Process,
    port: u16,
    /// While this one lives, the child is not left over.
    gateway: Process,
}

/// The note of the running child in the state folder, for the next start to find.
#[derive(Debug)]
pub(crate) struct Record {
    path: PathBuf,
}

impl Record {
    pub(crate) fn in_folder(state_dir: &Path) -> Self {
        Self { path: state_dir.join(FILE) }
    }

    /// Ends the child of an earlier run, if it still lives, and says so.
    ///
    /// Fails with [`NextError::AnotherDev`] when that run is not over.
    pub(crate) async fn end_leftover(&self) -> Result<(), NextError> {
        let Some(entry) = self.read() else { return Ok(()) };
        let Some(child) = entry.child.find() else { return Ok(()) };
        if entry.gateway.find().is_some_and(|gateway| gateway != getpid()) {
            return Err(NextError::AnotherDev {
                gateway: entry.gateway.id,
                port: entry.port,
                state_dir: self.path.parent().unwrap_or(&self.path).to_path_buf(),
            });
        }
        end_group(child, GRACE).await;
        warn!(
            port = entry.port,
            "ended a next dev (process {}) that an earlier run had left", entry.child.id
        );
        Ok(())
    }

    /// Notes the child. Without the note the child runs all the same, so a failure is only told.
    pub(crate) fn write(&self, child: Pid, port: u16) {
        let (Some(child), Some(gateway)) = (Process::of(child), Process::of(getpid())) else {
            return;
        };
        let entry = Entry { child, port, gateway };
        if let Err(error) = replace(&self.path, &entry) {
            warn!(cause = %error, "cannot write {}", self.path.display());
        }
    }

    pub(crate) fn remove(&self) {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                warn!(cause = %error, "cannot remove {}", self.path.display());
            }
            _ => {}
        }
    }

    fn read(&self) -> Option<Entry> {
        let text = match fs::read_to_string(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            other => other,
        };
        let entry = text.and_then(|text| Ok(serde_json::from_str(&text)?));
        entry
            .inspect_err(
                |error| warn!(cause = %error, "ignored {}, which is damaged", self.path.display()),
            )
            .ok()
    }
}

impl Process {
    /// `None` when it has ended already.
    fn of(id: Pid) -> Option<Self> {
        Some(Self { id: id.as_raw_nonzero().get(), started: process_start(id)? })
    }

    /// Finds the process that was noted, and no other that has its id by now.
    fn find(&self) -> Option<Pid> {
        let id = Pid::from_raw(self.id)?;
        (Self::of(id)? == *self).then_some(id)
    }
}

/// A reader never sees half of it; the draft's name cannot be guessed, and so no link be put there.
fn replace(path: &Path, entry: &Entry) -> io::Result<()> {
    let mut draft = NamedTempFile::new_in(path.parent().unwrap_or(path))?;
    draft.write_all(&serde_json::to_vec(entry)?)?;
    draft.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_follows_no_link() {
        let folder = tempfile::tempdir().unwrap();
        let victim = folder.path().join("victim");
        let record = Record::in_folder(folder.path());
        for planted in ["next-dev.json", "next-dev.json.new"] {
            fs::write(&victim, "whole").unwrap();
            std::os::unix::fs::symlink(&victim, folder.path().join(planted)).unwrap();
            record.write(getpid(), 4000);
            assert_eq!(fs::read_to_string(&victim).unwrap(), "whole", "{planted}");
            assert_eq!(record.read().unwrap().port, 4000);
        }
    }
}
