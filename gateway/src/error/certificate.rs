//! Why a certificate cannot be served.

use std::io;
use std::path::PathBuf;

/// Why the files of `--tls-cert` and `--tls-key` are not usable; names the file, never what is in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// Each certificate has one key.
    #[error(
        "{certificates} of --tls-cert and {keys} of --tls-key: want as many keys as certificates, in \
         the same order"
    )]
    Pairs {
        /// How many certificates were named.
        certificates: usize,
        /// How many keys were named.
        keys: usize,
    },
    /// The file cannot be read.
    #[error("{flag} {} cannot be read", file.display())]
    Unreadable {
        /// The setting that names it.
        flag: &'static str,
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{flag} {} is not usable: {want}", file.display())]
    Content {
        /// The setting that names it.
        flag: &'static str,
        /// The file.
        file: PathBuf,
        /// What would be right.
        want: &'static str,
    },
    /// The two do not belong together, or the key is of no kind that is known.
    #[error("--tls-cert {} is not usable with --tls-key {}", certificate.display(), key.display())]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What rustls said.
        source: rustls::Error,
    },
    /// The library refuses to be set up.
    #[error("TLS cannot be set up")]
    Library(#[from] rustls::Error),
}
