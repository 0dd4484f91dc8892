//! Why a certificate cannot be served.

use std::io;
use std::path::PathBuf;

use super::seen_from;

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
    /// There is no such file.
    #[error(
        "{flag} {}: there is no such file{}; want the path of one in PEM",
        file.display(), seen_from(file)
    )]
    Missing {
        /// The setting that names it.
        flag: &'static str,
        /// The file.
        file: PathBuf,
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
    /// The key is another's.
    #[error(
        "--tls-key {} is not the key of the first certificate in --tls-cert {}: want the one that it \
         was made with; `openssl x509 -noout -pubkey -in CERT` and `openssl pkey -pubout -in KEY` \
         then print the same",
        key.display(), certificate.display()
    )]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The key is of no kind that is known, or the certificate is none.
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
