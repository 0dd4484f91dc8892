//! What can go wrong at start-up, told to the operator.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the program does not start, in the operator's words.
///
/// Each message names the setting to change and says what would be right. It is printed once, as
/// `nextbnb-gateway: <error>: <cause>: <cause>`, and the exit code is 1.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    // server
    /// The port cannot be bound; `holder` names the process that has it, where the system tells.
    #[error("cannot listen on {address} (--port, --host){holder}")]
    Listen {
        /// Where the gateway wanted to listen.
        address: SocketAddr,
        /// Empty, or ` : held by …` in words.
        holder: String,
        /// What the system said.
        source: io::Error,
    },

    // database

    // next

    // state folder
    /// The state folder, or a file in it, cannot be made or written.
    #[error("cannot write {} (--state-dir)", path.display())]
    State {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}
