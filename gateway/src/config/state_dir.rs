//! The folder for the embedded database and its secret.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use tracing::warn;

use crate::error::StartError;

/// The folder that holds an SQLite file and a generated session secret.
#[derive(Debug, Clone)]
pub struct StateDir(PathBuf);

impl StateDir {
    /// Its name when none is given, in the working folder.
    pub const DEFAULT: &str = ".nextbnb";

    /// Names the folder; nothing is made yet.
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The embedded database.
    pub fn database_file(&self) -> PathBuf {
        self.0.join("gateway.sqlite")
    }

    /// The generated session secret.
    pub fn secret_file(&self) -> PathBuf {
        self.0.join("session-secret")
    }

    /// The generated token for upstreams.
    pub fn upstream_token_file(&self) -> PathBuf {
        self.0.join("upstream-token")
    }

    /// Makes the folder, for its owner alone, with a `.gitignore` that keeps all of it out of
    /// version control; fails unless files can be written in it.
    pub fn prepare(&self) -> Result<(), StartError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| StartError::State { path, source }
        };
        DirBuilder::new().recursive(true).mode(0o700).create(&self.0).map_err(failed(&self.0))?;
        let ignore = self.0.join(".gitignore");
        match OpenOptions::new().write(true).create_new(true).open(&ignore) {
            Ok(mut file) => file.write_all(b"*\n").map_err(failed(&ignore))?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(&ignore)(error)),
        }
        self.warn_if_open().map_err(failed(&self.0))?;
        // The only sure way to learn whether a file can be written.
        NamedTempFile::new_in(&self.0).and_then(NamedTempFile::close).map_err(failed(&self.0))
    }

    /// Says how to keep others from putting files of their own here.
    fn warn_if_open(&self) -> io::Result<()> {
        if fs::metadata(&self.0)?.permissions().mode() & 0o022 != 0 {
            let folder = self.0.display();
            warn!("others on this machine can write to the state folder: chmod go-w {folder}");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prepared_folder_keeps_itself_out_of_version_control() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::new(&folder.path().join("deep/.nextbnb"));
        state.prepare().unwrap();
        state.prepare().unwrap();
        assert_eq!(fs::read_to_string(state.path().join(".gitignore")).unwrap(), "*\n");
        assert_eq!(fs::read_dir(state.path()).unwrap().count(), 1, "the probe is gone");
    }

    #[test]
    fn a_probe_follows_no_link() {
        let folder = tempfile::tempdir().unwrap();
        let victim = folder.path().join("victim");
        fs::write(&victim, "whole").unwrap();
        let planted = folder.path().join(format!(".probe-{}", std::process::id()));
        std::os::unix::fs::symlink(&victim, planted).unwrap();
        StateDir::new(folder.path()).prepare().unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "whole");
    }

    #[test]
    fn a_folder_that_cannot_be_made_names_the_flag() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        let error = StateDir::new(&folder.path().join("file/.nextbnb")).prepare().unwrap_err();
        assert!(error.to_string().contains("--state-dir"), "{error}");
    }
}
