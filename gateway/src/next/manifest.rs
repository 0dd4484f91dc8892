//! The questions asked of a `package.json`.

use std::path::Path;
use std::{fs, io};

use serde::Deserialize;
use serde::de::IgnoredAny;

/// What is read of a `package.json`; everything else in it is ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Manifest {
    dependencies: Packages,
    dev_dependencies: Packages,
    scripts: Scripts,
    workspaces: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Scripts {
    dev: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Packages {
    next: Option<serde_json::Value>,
}

impl Manifest {
    /// Finds the `package.json` of `folder`; `None` when it holds none.
    ///
    /// A damaged one is an error of kind [`io::ErrorKind::InvalidData`].
    pub(crate) fn find(folder: &Path) -> io::Result<Option<Self>> {
        match fs::read_to_string(folder.join("package.json")) {
            // npm accepts the byte order mark that some editors write, JSON does not.
            Ok(text) => Ok(Some(serde_json::from_str(text.trim_start_matches('\u{feff}'))?)),
            Err(error) if is_absence(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn depends_on_next(&self) -> bool {
        self.dependencies.next.is_some() || self.dev_dependencies.next.is_some()
    }

    /// The range of releases of Next.js that is asked for, where it is written as one.
    pub(crate) fn range_of_next(&self) -> Option<&str> {
        let next = self.dependencies.next.as_ref().or(self.dev_dependencies.next.as_ref());
        next.and_then(serde_json::Value::as_str)
    }

    /// What `npm run dev` would run, empty when there is nothing.
    pub(crate) fn dev_script(&self) -> &str {
        &self.scripts.dev
    }

    pub(crate) fn declares_workspaces(&self) -> bool {
        self.workspaces.is_some()
    }
}

fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
