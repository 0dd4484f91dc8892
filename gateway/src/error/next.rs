//! Why Next.js does not start.

use std::io;
use std::path::PathBuf;

/// Why `dev` has no Next.js to serve, in the developer's words.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NextError {
    /// No folder upwards holds a Next.js application.
    #[error(
        "no Next.js application found: neither {} nor a folder above it holds a \
         frontend/package.json or a package.json that depends on next; start in its folder or \
         name it with --frontend DIR",
        working_folder.display()
    )]
    NoFrontend {
        /// Where the search began.
        working_folder: PathBuf,
    },
    /// The folder given does not exist or cannot be read.
    #[error("cannot read the folder {} (--frontend)", path.display())]
    FrontendFolder {
        /// The folder as it was given.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder given is not a JavaScript project.
    #[error(
        "{} holds no package.json (--frontend wants the folder of a Next.js application)",
        folder.display()
    )]
    NoManifest {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder given is another kind of JavaScript project.
    #[error(
        "{} does not depend on next (--frontend wants the folder of a Next.js application)",
        folder.join("package.json").display()
    )]
    NotNext {
        /// The folder.
        folder: PathBuf,
    },
    /// A `package.json` is damaged or cannot be read.
    #[error("{} is damaged or cannot be read (--frontend names another application)", path.display())]
    Manifest {
        /// The `package.json`.
        path: PathBuf,
        /// What the system or the JSON parser said.
        source: io::Error,
    },
    /// There is no Node.js.
    #[error("node is not in PATH: install Node.js 20.9 or newer (https://nodejs.org)")]
    NodeMissing,
    /// Node.js is older than Next.js wants.
    #[error(
        "node {version} ({}) is too old: Next.js needs Node.js 20.9 or newer",
        executable.display()
    )]
    NodeTooOld {
        /// Its version.
        version: String,
        /// Where it is.
        executable: PathBuf,
    },
    /// Node.js does not run, or something else is called `node`.
    #[error("node in PATH does not tell its version (Next.js needs Node.js 20.9 or newer)")]
    NodeUnusable {
        /// What the system or the program said.
        source: io::Error,
    },
    /// The program that installs the dependencies is not there.
    #[error(
        "{program} is not in PATH and {} asks for it: install {program}, or the dependencies by \
         other means",
        lock.display()
    )]
    InstallerMissing {
        /// Its name.
        program: &'static str,
        /// The file that makes it the right one.
        lock: PathBuf,
    },
    /// The program that installs the dependencies does not run.
    #[error("cannot run {program}")]
    InstallerUnusable {
        /// Its name.
        program: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The installation failed; its own words stand above on the terminal.
    #[error("`{command}` failed in {} ({reason}); what it said stands above", folder.display())]
    Install {
        /// What was run.
        command: String,
        /// Where.
        folder: PathBuf,
        /// How it ended.
        reason: String,
    },
    /// There is no `next` in `node_modules`, although everything is installed.
    #[error(
        "next is not in node_modules of {} or above (packages must be installed as folders: no \
         Plug'n'Play)",
        folder.display()
    )]
    NotInstalled {
        /// The application's folder.
        folder: PathBuf,
    },
    /// Another gateway has a `next dev` noted in the same state folder.
    #[error(
        "another `dev` (process {gateway}) runs with the state folder {}: end it first, or go to \
         its next dev with --upstream http://127.0.0.1:{port}",
        state_dir.display()
    )]
    AnotherDev {
        /// Its process id.
        gateway: i32,
        /// Where its `next dev` answers.
        port: u16,
        /// The state folder of both.
        state_dir: PathBuf,
    },
    /// Whatever watched `next dev` is gone, and so nobody would start it again.
    #[error(
        "next dev is not watched any more, which is a mistake of the gateway's; start it again"
    )]
    Unwatched,
    /// The system gives no port of the loopback interface.
    #[error("cannot find a free port on 127.0.0.1 for next dev")]
    NoFreePort {
        /// What the system said.
        source: io::Error,
    },
}
