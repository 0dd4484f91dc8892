//! TLS 1.2 and 1.3.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::certificates::{CertificateFiles, Certificates, FileStamp};
use super::client_stream::Protocol;
use crate::error::CertificateError;

/// The name of HTTP/2 in a handshake (RFC 9113 §3.2).
const H2: &[u8] = b"h2";

/// What TLS is spoken with, the same for all workers: a session that began at one is resumed at
/// another.
pub struct Tls {
    files: Vec<CertificateFiles>,
    /// Of the files as they were first read.
    first_stamps: Vec<[FileStamp; 2]>,
    provider: Arc<CryptoProvider>,
    certificates: Arc<Certificates>,
    acceptor: TlsAcceptor,
}

impl Tls {
    /// Reads at least one pair of `files`; the first is for clients that ask for no name, or for one
    /// that no certificate is for.
    pub fn read(files: Vec<CertificateFiles>) -> Result<Self, CertificateError> {
        let provider = Arc::new(ring::default_provider());
        let first_stamps = files.iter().map(CertificateFiles::stamp).collect();
        let certificates = Arc::new(Certificates::read(&files, &provider)?);
        let mut config = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(certificates.clone());
        config.alpn_protocols = vec![H2.to_vec(), b"http/1.1".to_vec()];
        config.ticketer = ring::Ticketer::new()?; // Its keys change every six hours.
        Ok(Self { files, first_stamps, provider, certificates, acceptor: Arc::new(config).into() })
    }

    /// Reads the files again. Connections go on, and where one of the files is not usable, so do
    /// the certificates that were read before.
    pub fn read_again(&self) -> Result<(), CertificateError> {
        self.certificates.read_again(&self.files, &self.provider)
    }

    /// What the stamps were when the files were first read.
    pub(super) fn first_stamps(&self) -> Vec<[FileStamp; 2]> {
        self.first_stamps.clone()
    }

    /// When each certificate that is served ends, by its file, in seconds since 1970.
    pub fn ends(&self) -> Vec<(&Path, i64)> {
        let files = self.files.iter().map(|files| files.certificate.as_path());
        files.zip(self.certificates.ends()).filter_map(|(file, end)| Some((file, end?))).collect()
    }

    /// What tells whether the files are others than before.
    pub(super) fn stamps(&self) -> Vec<[FileStamp; 2]> {
        self.files.iter().map(CertificateFiles::stamp).collect()
    }

    /// Shakes hands with a client; tells which HTTP it wants to speak.
    pub(super) async fn accept<S>(&self, stream: S) -> io::Result<(TlsStream<S>, Protocol)>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let stream = self.acceptor.accept(stream).await?;
        let wants_h2 = stream.get_ref().1.alpn_protocol() == Some(H2);
        Ok((stream, if wants_h2 { Protocol::Http2 } else { Protocol::Http1 }))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}
