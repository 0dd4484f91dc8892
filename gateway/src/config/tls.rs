//! TLS, checked.

use std::sync::Arc;
use std::time::Duration;

use super::EVERY_ADDRESS;
use super::args::ListenArgs;
use super::tls_args::{HstsChoice, TlsArgs};
use crate::error::{CertificateError, FrontError};
use crate::gateway::hsts::Hsts;
use crate::server::certificates::CertificateFiles;
use crate::server::listen_at::ListenAt;
use crate::server::tls::Tls;

/// What TLS is spoken with, where a certificate is named.
pub(super) fn tls(args: &TlsArgs) -> Result<Option<Arc<Tls>>, CertificateError> {
    let files = CertificateFiles::pair(&args.tls_certs, &args.tls_keys)?;
    Ok(if files.is_empty() { None } else { Some(Arc::new(Tls::read(files)?)) })
}

/// A day at first, so that the way back to plain HTTP is short.
const HSTS: Duration = Duration::from_hours(24);

/// What browsers are told that came over https.
pub(super) fn hsts(args: &TlsArgs) -> Hsts {
    match args.hsts {
        Some(HstsChoice::Off) => Hsts::off(),
        Some(HstsChoice::For(max_age)) => Hsts::everywhere(max_age),
        None => Hsts::of(HSTS),
    }
}

/// The plain port from which browsers are sent there, which is none of the `places` with TLS.
pub(super) fn http_redirect(
    args: &TlsArgs,
    listen: &ListenArgs,
    places: &[ListenAt],
) -> Result<Option<ListenAt>, FrontError> {
    let Some(port) = args.http_redirect_port else { return Ok(None) };
    let host = listen.host_or(EVERY_ADDRESS).to_owned();
    let redirect = ListenAt::Tcp { host, port };
    if port != 0 && places.contains(&redirect) {
        return Err(FrontError::RedirectPort { port });
    }
    Ok(Some(redirect))
}
