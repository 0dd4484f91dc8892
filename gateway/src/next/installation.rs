//! Installing the dependencies of an application.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use std::{fmt, io};

use tokio::process::Command;

use crate::error::NextError;
use crate::next::child_group::{ChildGroup, in_words};
use crate::next::package_manager::PackageManager;
use crate::next::project::Project;

/// Longest wait for a package manager to end after Ctrl-C.
const STOP_GRACE: Duration = Duration::from_secs(1);

/// An installation of dependencies that has to run before `next dev` can.
///
/// Shown as `npm ci in /shop, because node_modules is missing`.
#[derive(Debug)]
pub struct Installation {
    project: Project,
    manager: &'static PackageManager,
    folder: PathBuf,
    reason: &'static str,
}

/// How an [`Installation`] ended without an error.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All is there now.
    Installed {
        /// What it took.
        took: Duration,
    },
    /// It was stopped on request; the next start finds it unfinished and does it again.
    Stopped,
}

impl Installation {
    /// Finds out whether `project` needs one: `next` is not there, or a lock file is newer than
    /// what was installed from it.
    pub fn needed(project: &Project) -> Option<Self> {
        let (manager, folder) = PackageManager::of(project.folder());
        let without_next =
            || project.find_next().is_none().then_some("next is not in node_modules");
        let reason = manager.find_fault(&folder).or_else(without_next)?;
        Some(Self { project: project.clone(), manager, folder, reason })
    }

    /// Runs it, with its progress on this terminal, until it is done or `stop` resolves.
    ///
    /// It runs in a process group of its own, so that Ctrl-C reaches it once and whole through
    /// `stop`, with all that it started.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<Outcome, NextError> {
        let started = Instant::now();
        let mut command = Command::new(self.manager.program);
        command
            .args(self.manager.arguments)
            .current_dir(&self.folder)
            .env_remove("SESSION_SECRET") // Install scripts are anybody's.
            .env_remove("NODE_ENV") // `production` would leave TypeScript out.
            .stdin(Stdio::null());
        let mut child = ChildGroup::spawn(&mut command).map_err(|source| self.not_run(source))?;
        let status = tokio::select! {
            status = child.wait() => status.map_err(|source| self.not_run(source))?,
            () = stop => {
                child.stop(STOP_GRACE).await;
                return Ok(Outcome::Stopped);
            }
        };
        if !status.success() {
            return Err(NextError::Install {
                command: self.command(),
                folder: self.folder,
                reason: in_words(status),
            });
        }
        if self.project.find_next().is_none() {
            return Err(NextError::NotInstalled { folder: self.project.folder().to_path_buf() });
        }
        self.manager.mark_installed(&self.folder);
        Ok(Outcome::Installed { took: started.elapsed() })
    }

    fn not_run(&self, source: io::Error) -> NextError {
        let program = self.manager.program;
        match source.kind() {
            io::ErrorKind::NotFound => {
                NextError::InstallerMissing { program, lock: self.folder.join(self.manager.lock) }
            }
            _ => NextError::InstallerUnusable { program, source },
        }
    }

    /// Why it has to run.
    pub fn reason(&self) -> &'static str {
        self.reason
    }

    /// Where it runs.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What is typed to run it.
    pub fn command(&self) -> String {
        format!("{} {}", self.manager.program, self.manager.arguments.join(" "))
    }
}

impl fmt::Display for Installation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}, because {}", self.command(), self.folder.display(), self.reason)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::future::{pending, ready};
    use std::time::SystemTime;

    use super::*;

    const NEXT: &str = "node_modules/next/dist/bin/next";
    const MARK: &str = "node_modules/.package-lock.json";

    struct Application(tempfile::TempDir);

    impl Application {
        fn with(files: &[&str]) -> Self {
            let application = Self(tempfile::tempdir().unwrap());
            application.write("package.json");
            for file in files {
                application.write(file);
            }
            application
        }

        fn write(&self, file: &str) {
            let path = self.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, r#"{"dependencies": {"next": "16"}}"#).unwrap();
        }

        fn age(&self, file: &str) {
            let yesterday = SystemTime::now() - Duration::from_hours(24);
            File::open(self.path().join(file)).unwrap().set_modified(yesterday).unwrap();
        }

        fn path(&self) -> &Path {
            self.0.path()
        }

        fn project(&self) -> Project {
            Project::find(Some(self.path()), Path::new("/")).unwrap()
        }

        fn reason(&self) -> Option<&'static str> {
            Installation::needed(&self.project()).map(|installation| installation.reason)
        }

        /// Runs `script` in place of a package manager.
        async fn install(
            &self,
            script: &'static [&'static str],
            stop: impl Future<Output = ()>,
        ) -> Result<Outcome, NextError> {
            let installation = Installation::needed(&self.project()).unwrap();
            let PackageManager { lock, marks, .. } = *installation.manager;
            let manager = PackageManager { lock, program: "sh", arguments: script, marks };
            let manager = Box::leak(Box::new(manager));
            Installation { manager, ..installation }.run(stop).await
        }
    }

    #[test]
    fn a_fresh_clone_needs_an_installation() {
        let application = Application::with(&["package-lock.json"]);
        assert_eq!(application.reason(), Some("node_modules is missing or incomplete"));
    }

    #[test]
    fn what_is_installed_is_left_alone() {
        let application = Application::with(&["package-lock.json", NEXT, MARK]);
        application.age("package-lock.json");
        assert_eq!(application.reason(), None);
    }

    #[test]
    fn a_newer_lock_file_asks_for_an_installation() {
        let application = Application::with(&["package-lock.json", NEXT, MARK]);
        application.age(MARK);
        assert_eq!(application.reason(), Some("node_modules is older than the lock file"));
    }

    #[test]
    fn an_installation_cut_short_is_done_again() {
        let application = Application::with(&["package-lock.json", NEXT]);
        assert_eq!(application.reason(), Some("node_modules is missing or incomplete"));
    }

    #[test]
    fn without_a_lock_file_a_next_that_is_there_is_enough() {
        assert_eq!(Application::with(&[NEXT]).reason(), None);
        assert_eq!(Application::with(&[]).reason(), Some("next is not in node_modules"));
    }

    #[tokio::test]
    async fn after_an_installation_none_is_needed() {
        let application = Application::with(&["package-lock.json", MARK]);
        application.age(MARK);
        let script =
            &["-c", "mkdir -p node_modules/next/dist/bin && touch node_modules/next/dist/bin/next"];
        let outcome = application.install(script, pending()).await.unwrap();
        assert!(matches!(outcome, Outcome::Installed { .. }));
        assert_eq!(application.reason(), None);
    }

    #[tokio::test]
    async fn a_failed_installation_says_how_it_ended() {
        let application = Application::with(&["package-lock.json"]);
        let error = application.install(&["-c", "exit 7"], pending()).await.unwrap_err();
        assert!(error.to_string().contains("exit code 7"), "{error}");
        let error = application.install(&["-c", "exit 0"], pending()).await.unwrap_err();
        assert!(matches!(error, NextError::NotInstalled { .. }));
    }

    #[tokio::test]
    async fn an_installation_stops_on_request() {
        let application = Application::with(&["package-lock.json"]);
        let outcome = application.install(&["-c", "sleep 600"], ready(())).await.unwrap();
        assert_eq!(outcome, Outcome::Stopped);
    }

    #[tokio::test]
    async fn a_missing_package_manager_is_named_with_its_lock_file() {
        let application = Application::with(&["package-lock.json"]);
        let installation = Installation::needed(&application.project()).unwrap();
        let absent = PackageManager { program: "no-such-program", ..*installation.manager };
        let manager = Box::leak(Box::new(absent));
        let error = Installation { manager, ..installation }.run(pending()).await.unwrap_err();
        let message = error.to_string();
        assert!(message.contains("no-such-program is not in PATH"), "{message}");
        assert!(message.contains("package-lock.json"), "{message}");
    }
}
