//! Certificates, and clients that believe them.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use nextbnb_gateway::server::certificates::CertificateFiles;
use nextbnb_gateway::server::tls::Tls;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A certificate that nobody else vouches for, in files.
#[derive(Debug)]
pub struct TestCertificate {
    folder: TempDir,
    own: CertificateDer<'static>,
}

impl TestCertificate {
    /// For these names.
    pub fn of(names: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let mut certificate = Self { folder, own: Vec::new().into() };
        certificate.renew(names);
        certificate
    }

    /// Puts a new one into the same files.
    pub fn renew(&mut self, names: &[&str]) {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        let files = self.files();
        std::fs::write(files.certificate, certificate.pem()).unwrap();
        std::fs::write(files.key, key.serialize_pem()).unwrap();
        self.own = certificate.der().clone();
    }

    /// Where it is.
    pub fn files(&self) -> CertificateFiles {
        let file = |name| self.folder.path().join(name);
        CertificateFiles { certificate: file("fullchain.pem"), key: file("privkey.pem") }
    }

    /// What a gateway with this certificate alone speaks TLS with.
    pub fn tls(&self) -> Arc<Tls> {
        Arc::new(Tls::read(vec![self.files()]).unwrap())
    }
}

/// A client's side of TLS. Clones share their sessions.
#[derive(Clone)]
pub struct TlsClient(TlsConnector);

impl fmt::Debug for TlsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsClient")
    }
}

impl TlsClient {
    /// Believes `certificates` and speaks one of `protocols`.
    pub fn new(certificates: &[&TestCertificate], protocols: &[&str]) -> Self {
        let mut roots = RootCertStore::empty();
        for certificate in certificates {
            roots.add(certificate.own.clone()).unwrap();
        }
        let mut config =
            ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Self(TlsConnector::from(Arc::new(config)))
    }

    /// Shakes hands with the gateway at `address` under `name`.
    pub async fn try_connect(
        &self,
        address: SocketAddr,
        name: &str,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(address).await.unwrap();
        self.0.connect(server_name(name), stream).await
    }

    /// Shakes hands on `stream` under `name`.
    pub async fn over<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        name: &str,
    ) -> TlsStream<S> {
        self.0.connect(server_name(name), stream).await.expect("no handshake")
    }

    /// As [`TlsClient::try_connect`], where it must succeed.
    pub async fn connect(&self, address: SocketAddr, name: &str) -> TlsStream<TcpStream> {
        self.try_connect(address, name).await.expect("no handshake")
    }
}

fn server_name(name: &str) -> ServerName<'static> {
    ServerName::try_from(name.to_owned()).unwrap()
}
