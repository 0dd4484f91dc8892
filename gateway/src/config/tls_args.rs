//! TLS, as typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::durations::parse_hsts;

/// Whether and how TLS is spoken.
#[derive(Debug, Args)]
#[command(next_help_heading = "TLS")]
pub struct TlsArgs {
    /// Speak TLS with the certificate in this file: PEM, the server's own first, then those that
    /// vouch for it. May be repeated (in the environment: separated by colons): a client gets the
    /// one for the name that it asks for, else the first. Read again when it changes, and on SIGHUP
    #[arg(
        long = "tls-cert",
        env = "NEXTBNB_TLS_CERT",
        value_name = "FILE",
        value_delimiter = ':',
        requires = "tls_keys"
    )]
    pub tls_certs: Vec<PathBuf>,
    /// File with the certificate's private key: PEM, without a passphrase; as many as there are
    /// certificates, in their order
    #[arg(
        long = "tls-key",
        env = "NEXTBNB_TLS_KEY",
        value_name = "FILE",
        value_delimiter = ':',
        requires = "tls_certs"
    )]
    pub tls_keys: Vec<PathBuf>,
    /// Listen on this port, too, at every host that has a port with TLS, and send whoever comes there in plain HTTP to the same place over
    /// TLS; only `/.nextbnb/health` is answered
    #[arg(long, env = "NEXTBNB_HTTP_REDIRECT_PORT", value_name = "PORT", requires = "tls_certs")]
    pub http_redirect_port: Option<u16>,
    /// How long browsers that came over https come back over https alone
    /// (Strict-Transport-Security), or `off`; raise it to 365d once the site will never be plain
    /// again, and go through 0s to take it back. What Next.js says itself wins [default: 1d over
    /// --tls-cert, nothing behind a proxy that speaks TLS, which says it for itself]
    #[arg(long, env = "NEXTBNB_HSTS", value_name = "DURATION|off", value_parser = parse_hsts)]
    pub hsts: Option<HstsChoice>,
}

/// What is typed for `serve` about TLS, and refused in `dev` by its name.
#[derive(Debug, Args)]
pub struct PlainInDev {
    /// Certificates.
    #[arg(long = "tls-cert", hide = true, value_name = "FILE", value_parser = refuse_in_dev)]
    pub tls_certs: Vec<String>,
    /// Their keys.
    #[arg(long = "tls-key", hide = true, value_name = "FILE", value_parser = refuse_in_dev)]
    pub tls_keys: Vec<String>,
    /// Where browsers are sent to TLS.
    #[arg(long, hide = true, value_name = "PORT", value_parser = refuse_in_dev)]
    pub http_redirect_port: Option<String>,
    /// What browsers are told that came over https.
    #[arg(long, hide = true, value_name = "DURATION", value_parser = refuse_in_dev)]
    pub hsts: Option<String>,
}

fn refuse_in_dev(_: &str) -> Result<String, &'static str> {
    Err("`dev` speaks plain HTTP: put a proxy that speaks TLS in front, with --trusted-proxies or \
         --public-url, or use `serve`")
}

/// `--hsts`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HstsChoice {
    /// Nothing is said.
    Off,
    /// So long.
    For(Duration),
}
