//! TLS, checked.

use std::sync::Arc;
use std::time::Duration;

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

/// The plain port from which browsers are sent there, at each host of the `places` with TLS and none
/// of them.
pub(super) fn http_redirect(
    args: &TlsArgs,
    places: &[ListenAt],
) -> Result<Vec<ListenAt>, FrontError> {
    let Some(port) = args.http_redirect_port else { return Ok(Vec::new()) };
    let mut redirects = Vec::new();
    for place in places {
        let ListenAt::Tcp { host, .. } = place else { continue };
        let redirect = ListenAt::Tcp { host: host.clone(), port };
        if port != 0 && places.contains(&redirect) {
            return Err(FrontError::RedirectPort { port });
        }
        if !redirects.contains(&redirect) {
            redirects.push(redirect);
        }
    }
    if redirects.is_empty() { Err(FrontError::RedirectNowhere { port }) } else { Ok(redirects) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redirects(port: u16, places: &[ListenAt]) -> Result<Vec<ListenAt>, String> {
        let args = TlsArgs {
            tls_certs: Vec::new(),
            tls_keys: Vec::new(),
            http_redirect_port: Some(port),
            hsts: None,
        };
        http_redirect(&args, places).map_err(|error| error.to_string())
    }

    fn at(host: &str, port: u16) -> ListenAt {
        ListenAt::Tcp { host: host.to_owned(), port }
    }

    #[test]
    fn browsers_are_sent_on_at_every_host_with_tls() {
        let file = ListenAt::Unix { path: "/run/a.sock".into(), mode: 0o660 };
        let places = [at("10.0.0.1", 443), file.clone(), at("[::1]", 443), at("10.0.0.1", 8443)];
        assert_eq!(redirects(80, &places).unwrap(), [at("10.0.0.1", 80), at("[::1]", 80)]);
        let twice = redirects(8443, &places).unwrap_err();
        assert!(twice.contains("--http-redirect-port 8443 is the port with TLS"), "{twice}");
        let nowhere = redirects(80, &[file]).unwrap_err();
        assert!(nowhere.contains("--listen host:port"), "{nowhere}");
    }
}
