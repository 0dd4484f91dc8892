//! Where to listen.

use std::fmt;
use std::path::PathBuf;

use crate::proxy::upstream_address::UNIX;

/// A place to listen at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenAt {
    /// On `port` at every address of `host`; `*` is all there are.
    Tcp {
        /// Host name or address.
        host: String,
        /// TCP port; 0 lets the system choose.
        port: u16,
    },
    /// At a file of this machine.
    Unix {
        /// Where the file is made.
        path: PathBuf,
        /// Its permission bits: who may write may connect.
        mode: u32,
    },
}

impl fmt::Display for ListenAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix { path, .. } => write!(f, "{UNIX}{}", path.display()),
        }
    }
}
