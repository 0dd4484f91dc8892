//! Which program installs the dependencies of an application.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::next::manifest::Manifest;

/// A program that installs dependencies, and the files it leaves.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PackageManager {
    /// The file that says it is this one's turn; newer than the installation when that is stale.
    pub(crate) lock: &'static str,
    pub(crate) program: &'static str,
    pub(crate) arguments: &'static [&'static str],
    /// Files in `node_modules` that it writes last, so that an installation cut short has none.
    pub(crate) marks: &'static [&'static str],
}

/// The audit asks the registry about every package and delays the first start.
const NPM_CI: &[&str] = &["ci", "--no-audit", "--no-fund"];
const NPM_MARK: &[&str] = &[".package-lock.json"];

static KNOWN: [PackageManager; 6] = [
    PackageManager {
        lock: "package-lock.json",
        program: "npm",
        arguments: NPM_CI,
        marks: NPM_MARK,
    },
    PackageManager {
        lock: "npm-shrinkwrap.json",
        program: "npm",
        arguments: NPM_CI,
        marks: NPM_MARK,
    },
    PackageManager {
        lock: "pnpm-lock.yaml",
        program: "pnpm",
        arguments: &["install", "--frozen-lockfile"],
        marks: &[".modules.yaml"],
    },
    PackageManager {
        lock: "yarn.lock",
        program: "yarn",
        arguments: &["install"],
        marks: &[".yarn-integrity", ".yarn-state.yml"],
    },
    PackageManager { lock: "bun.lock", program: "bun", arguments: &["install"], marks: &[] },
    PackageManager { lock: "bun.lockb", program: "bun", arguments: &["install"], marks: &[] },
];

/// For an application without a lock file, which npm then writes.
static NPM_WITHOUT_LOCK: PackageManager = PackageManager {
    lock: "package.json",
    program: "npm",
    arguments: &["install", "--no-audit", "--no-fund"],
    marks: NPM_MARK,
};

impl PackageManager {
    /// The package manager of the application in `folder`, and the folder that it works in: the
    /// nearest one with a lock file, which above the application must be a workspace.
    ///
    /// Without that condition, a lock file forgotten in somebody's home folder would be taken for
    /// the application's.
    pub(crate) fn of(folder: &Path) -> (&'static Self, PathBuf) {
        folder
            .ancestors()
            .filter(|level| *level == folder || is_workspace(level))
            .find_map(|level| Some((Self::in_folder(level)?, level.to_path_buf())))
            .unwrap_or_else(|| (&NPM_WITHOUT_LOCK, folder.to_path_buf()))
    }

    /// Finds what is wrong with the installation in `folder`, as far as the lock file tells.
    pub(crate) fn find_fault(&self, folder: &Path) -> Option<&'static str> {
        if *self == NPM_WITHOUT_LOCK {
            return None;
        }
        match self.installed_at(folder) {
            None => Some("node_modules is missing or incomplete"),
            installed if installed < modified_at(&folder.join(self.lock)) => {
                Some("node_modules is older than the lock file")
            }
            Some(_) => None,
        }
    }

    /// Marks the installation in `folder` as newer than the lock file: not every package manager
    /// writes a file when it finds everything up to date.
    pub(crate) fn mark_installed(&self, folder: &Path) {
        for path in self.marks_in(folder) {
            if let Ok(file) = fs::File::open(path) {
                // Only saves time at the next start.
                drop(file.set_modified(SystemTime::now()));
            }
        }
    }

    /// Where several lock files lie about, the one that `node_modules` was installed from.
    fn in_folder(folder: &Path) -> Option<&'static Self> {
        let locked = || KNOWN.iter().filter(|manager| folder.join(manager.lock).is_file());
        locked().find(|manager| manager.installed_at(folder).is_some()).or_else(|| locked().next())
    }

    fn installed_at(&self, folder: &Path) -> Option<SystemTime> {
        self.marks_in(folder).iter().filter_map(|path| modified_at(path)).max()
    }

    fn marks_in(&self, folder: &Path) -> Vec<PathBuf> {
        let modules = folder.join("node_modules");
        if self.marks.is_empty() {
            return vec![modules];
        }
        self.marks.iter().map(|mark| modules.join(mark)).collect()
    }
}

fn is_workspace(folder: &Path) -> bool {
    folder.join("pnpm-workspace.yaml").is_file()
        || matches!(Manifest::find(folder), Ok(Some(manifest)) if manifest.declares_workspaces())
}

fn modified_at(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "{}").unwrap();
        }
        folder
    }

    #[track_caller]
    fn check(files: &[&str], application: &str, expected: (&str, &str)) {
        let folder = folder_with(files);
        fs::create_dir_all(folder.path().join(application)).unwrap();
        let (manager, found) = PackageManager::of(&folder.path().join(application));
        let found = found.strip_prefix(folder.path()).unwrap().to_str().unwrap();
        assert_eq!((manager.lock, found), expected);
    }

    #[test]
    fn the_lock_file_says_who_installs() {
        check(&["package-lock.json"], "", ("package-lock.json", ""));
        check(&["pnpm-lock.yaml"], "", ("pnpm-lock.yaml", ""));
        check(&[], "", ("package.json", ""));
    }

    #[test]
    fn of_two_lock_files_the_installed_one_counts() {
        let locks = ["package-lock.json", "yarn.lock"];
        check(&locks, "", ("package-lock.json", ""));
        check(&[&locks[..], &["node_modules/.yarn-integrity"]].concat(), "", ("yarn.lock", ""));
    }

    #[test]
    fn a_lock_file_further_up_counts_in_a_workspace_only() {
        let workspace = ["pnpm-lock.yaml", "pnpm-workspace.yaml"];
        check(&workspace, "apps/shop", ("pnpm-lock.yaml", ""));
        check(&["package-lock.json"], "apps/shop", ("package.json", "apps/shop"));
    }
}
