//! Settings of the way to the upstreams, as typed.

use clap::Args;

use crate::identity::names::Preset;

/// What passes to the upstreams.
#[derive(Debug, Args)]
pub struct ProxyArgs {
    /// Names of the fields that tell upstreams who is signed in: `X-Forwarded-…` and
    /// `X-Auth-Request-…` as of oauth2-proxy, `Remote-…` as of Authelia. Clients' copies of all of
    /// them are removed
    #[arg(
        long,
        env = "NEXTBNB_IDENTITY_HEADERS",
        value_enum,
        value_name = "PRESET",
        default_value = "forwarded"
    )]
    pub identity_headers: Preset,
    /// Another name for what one of them tells, as `user=X-User`, `email=…` or `name=…`. May be
    /// repeated (in the environment: separated by spaces)
    #[arg(
        long = "identity-header",
        env = "NEXTBNB_IDENTITY_HEADER",
        value_name = "WHAT=NAME",
        value_delimiter = ' '
    )]
    pub own_identity_headers: Vec<String>,
    /// Let pages of another origin open WebSockets, as `https://app.example.com`; this site's own may.
    /// May be repeated (in the environment: separated by spaces)
    #[arg(
        long = "allow-origin",
        env = "NEXTBNB_ALLOW_ORIGIN",
        value_name = "ORIGIN",
        value_delimiter = ' '
    )]
    pub allowed_origins: Vec<String>,
}
