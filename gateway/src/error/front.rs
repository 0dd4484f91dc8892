//! Why the gateway cannot be reached, or named, as the settings say.

use std::io;
use std::path::PathBuf;

/// What is wrong with the places to listen at, the public origin, or the trusted proxies.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrontError {
    /// The public origin is none.
    #[error("--public-url {url:?} is not usable: {reason}")]
    PublicUrl {
        /// As typed, without a password.
        url: String,
        /// What would be right.
        reason: &'static str,
    },
    /// A proxy to trust cannot be found by what was typed, or would be everybody.
    #[error("--trusted-proxies {typed:?} is not usable: {reason}")]
    TrustedProxies {
        /// As typed.
        typed: String,
        /// What would be right.
        reason: &'static str,
    },
    /// A name that the site is worked on under is none, or would be every name.
    #[error("--allow-host {typed:?} is not usable: {reason}")]
    AllowHost {
        /// As typed.
        typed: String,
        /// What would be right.
        reason: &'static str,
    },
    /// A place to listen at is none.
    #[error("--listen {typed:?} is not usable: {reason}")]
    Listen {
        /// As typed.
        typed: String,
        /// What would be right.
        reason: &'static str,
    },
    /// The place for operators is none.
    #[error("--admin {typed:?} is not usable: {reason}")]
    Admin {
        /// As typed.
        typed: String,
        /// What would be right.
        reason: &'static str,
    },
    /// An upstream would tell everybody what only operators are told.
    #[error("{upstream} is where --admin answers: whoever comes as a client would be told, too")]
    UpstreamIsAdmin {
        /// The upstream.
        upstream: String,
    },
    /// One port cannot speak plain HTTP and TLS.
    #[error("--http-redirect-port {port} is the port with TLS: want another, as 80 beside 443")]
    RedirectPort {
        /// As typed.
        port: u16,
    },
    /// There is no port with TLS to send browsers to.
    #[error(
        "--http-redirect-port {port} sends browsers nowhere: --listen names files of sockets alone; \
         want a --listen host:port beside them"
    )]
    RedirectNowhere {
        /// As typed.
        port: u16,
    },
    /// Somebody listens at the file of a socket.
    #[error(
        "cannot listen on unix:{} (--listen){}: it is in use",
        path.display(), super::start::held_by(holder.as_deref())
    )]
    SocketTaken {
        /// The file.
        path: PathBuf,
        /// The process that has it, if it is known.
        holder: Option<String>,
    },
    /// Something else is where a socket's file should be.
    #[error("cannot listen on unix:{} (--listen): what is there is no socket", path.display())]
    NoSocket {
        /// The file.
        path: PathBuf,
    },
    /// The folder of a socket's file is not there.
    #[error(
        "cannot listen on unix:{} (--listen): there is no folder {}; make it, for the gateway alone \
         to write",
        path.display(), folder.display()
    )]
    NoSocketFolder {
        /// The file.
        path: PathBuf,
        /// Its folder.
        folder: PathBuf,
    },
    /// The file of a socket cannot be made, or its mode set.
    #[error("cannot listen on unix:{} (--listen)", path.display())]
    Socket {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}
