//! `req.session` for pages that were written for a custom Express server.

use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::StartError;

/// The npm package `nextbnb-req-session`, whole.
const SOURCE: &str = include_str!("../../../packages/req-session/index.js");

/// Writes the package's file into the state folder, for Node to load first, and tells where.
pub fn write(state_dir: &Path) -> Result<PathBuf, StartError> {
    let file = state_dir.join("req-session.js");
    let failed = |source| StartError::State { path: file.clone(), source };
    let mut draft = NamedTempFile::new_in(state_dir).map_err(failed)?;
    draft.write_all(SOURCE.as_bytes()).map_err(failed)?;
    draft.persist(&file).map_err(|error| failed(error.error))?;
    std::path::absolute(&file).map_err(failed) // Next.js runs in another folder.
}
