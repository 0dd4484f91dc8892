//! Settings of the way to the upstreams, as typed.

use clap::Args;

use super::bytes::parse_bytes;
use crate::identity::names::Preset;

/// What passes to the upstreams.
#[derive(Debug, Args)]
#[command(next_help_heading = "Upstreams")]
pub struct ProxyArgs {
    /// Largest body of a request that is passed on, as `10MiB`; what is larger gets 413 [default: none]
    #[arg(long, env = "NEXTBNB_MAX_BODY", value_name = "SIZE", value_parser = parse_bytes)]
    pub max_body: Option<u64>,
    /// Paths without that limit, by what they begin with, as `/api/upload/`. May be repeated (in the
    /// environment: separated by spaces)
    #[arg(long, env = "NEXTBNB_MAX_BODY_EXCEPT", value_name = "PREFIX", value_delimiter = ' ')]
    pub max_body_except: Vec<String>,
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
