//! Certificates and their keys, read from files, and which of them a client gets.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError as Verdict, InconsistentKeys, RootCertStore};
use tracing::warn;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::error::CertificateError;

const CERT_FLAG: &str = "--tls-cert";
const KEY_FLAG: &str = "--tls-key";

/// The two files of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// `--tls-cert`: PEM, the server's own certificate first.
    pub certificate: PathBuf,
    /// `--tls-key`: PEM, without a passphrase.
    pub key: PathBuf,
}

impl CertificateFiles {
    /// Pairs what was typed, in order.
    pub fn pair(certificates: &[PathBuf], keys: &[PathBuf]) -> Result<Vec<Self>, CertificateError> {
        if certificates.len() != keys.len() {
            let (certificates, keys) = (certificates.len(), keys.len());
            return Err(CertificateError::Pairs { certificates, keys });
        }
        let pairs = certificates.iter().cloned().zip(keys.iter().cloned());
        Ok(pairs.map(|(certificate, key)| Self { certificate, key }).collect())
    }

    /// What tells whether the files are others than before: where their links lead, and when what
    /// is there was written.
    pub(super) fn stamp(&self) -> [FileStamp; 2] {
        [FileStamp::of(&self.certificate), FileStamp::of(&self.key)]
    }

    /// Reads both. One that browsers refuse for its dates is served all the same, and told.
    fn read(&self, provider: &CryptoProvider) -> Result<CertifiedKey, CertificateError> {
        let content = |flag, file: &Path, want| {
            Err(CertificateError::Content { flag, file: file.to_owned(), want })
        };
        let chain = CertificateDer::pem_slice_iter(&read(CERT_FLAG, &self.certificate)?)
            .collect::<Result<Vec<_>, pem::Error>>()
            .unwrap_or_default();
        if chain.is_empty() {
            let want = "want certificates in PEM, the server's own first";
            return content(CERT_FLAG, &self.certificate, want);
        }
        let Ok(key) = PrivateKeyDer::from_pem_slice(&read(KEY_FLAG, &self.key)?) else {
            return content(KEY_FLAG, &self.key, "want a private key in PEM without a passphrase");
        };
        let certified = CertifiedKey::from_der(chain, key, provider)
            .map_err(|source| self.unusable_together(source))?;
        if let Some(fault) = fault_of_dates(&certified, provider) {
            let file = self.certificate.display();
            warn!("{CERT_FLAG} {file} {fault}: browsers refuse it; renew it");
        }
        Ok(certified)
    }

    fn unusable_together(&self, source: rustls::Error) -> CertificateError {
        let Self { certificate, key } = self.clone();
        match source {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                CertificateError::Mismatch { certificate, key }
            }
            source => CertificateError::Pair { certificate, key, source },
        }
    }
}

fn read(flag: &'static str, file: &Path) -> Result<Vec<u8>, CertificateError> {
    let path = file.to_owned();
    fs::read(file).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => CertificateError::Missing { flag, file: path },
        _ => CertificateError::Unreadable { flag, file: path, source },
    })
}

/// What is wrong with a certificate at this moment, by its dates.
///
/// Nobody is trusted here: that its issuer is unknown is what is said of a good one.
fn fault_of_dates(certified: &CertifiedKey, provider: &CryptoProvider) -> Option<&'static str> {
    let parsed = ParsedCertificate::try_from(certified.cert.first()?).ok()?;
    let algorithms = provider.signature_verification_algorithms.all;
    let (nobody, now) = (RootCertStore::empty(), UnixTime::now());
    match verify_server_cert_signed_by_trust_anchor(&parsed, &nobody, &[], now, algorithms) {
        Err(rustls::Error::InvalidCertificate(
            Verdict::Expired | Verdict::ExpiredContext { .. },
        )) => Some("has expired"),
        Err(rustls::Error::InvalidCertificate(
            Verdict::NotValidYet | Verdict::NotValidYetContext { .. },
        )) => Some("is not valid yet"),
        _ => None,
    }
}

/// Which content a file has, without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileStamp(Option<(u64, u64, SystemTime)>);

impl FileStamp {
    fn of(file: &Path) -> Self {
        use std::os::unix::fs::MetadataExt;
        let stamp = |found: fs::Metadata| Some((found.ino(), found.len(), found.modified().ok()?));
        Self(fs::metadata(file).ok().and_then(stamp))
    }
}

/// The certificates that are served at this moment.
#[derive(Debug)]
pub(super) struct Certificates(RwLock<Vec<Arc<CertifiedKey>>>);

impl Certificates {
    pub(super) fn read(
        files: &[CertificateFiles],
        provider: &CryptoProvider,
    ) -> Result<Self, CertificateError> {
        Ok(Self(RwLock::new(read_all(files, provider)?)))
    }

    /// When each ends, in seconds since 1970.
    pub(super) fn ends(&self) -> Vec<Option<i64>> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|certified| end_of(certified)).collect()
    }

    /// Reads the files again; what is served stays if one cannot be used.
    pub(super) fn read_again(
        &self,
        files: &[CertificateFiles],
        provider: &CryptoProvider,
    ) -> Result<(), CertificateError> {
        let all = read_all(files, provider)?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = all;
        Ok(())
    }
}

fn read_all(
    files: &[CertificateFiles],
    provider: &CryptoProvider,
) -> Result<Vec<Arc<CertifiedKey>>, CertificateError> {
    files.iter().map(|files| files.read(provider).map(Arc::new)).collect()
}

impl ResolvesServerCert for Certificates {
    /// The first that is for the name asked for, wildcards included, else the very first.
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let name = hello.server_name().and_then(|name| ServerName::try_from(name).ok());
        let named = name.and_then(|name| all.iter().find(|certified| is_for(certified, &name)));
        named.or(all.first()).cloned()
    }
}

fn end_of(certified: &CertifiedKey) -> Option<i64> {
    let (_, parsed) = X509Certificate::from_der(certified.cert.first()?).ok()?;
    Some(parsed.validity().not_after.timestamp())
}

fn is_for(certified: &CertifiedKey, name: &ServerName<'_>) -> bool {
    let parsed = certified.cert.first().and_then(|own| ParsedCertificate::try_from(own).ok());
    parsed.is_some_and(|own| verify_server_name(&own, name).is_ok())
}
