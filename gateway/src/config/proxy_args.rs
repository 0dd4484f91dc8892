//! Settings of the way to the upstreams, as typed.

use clap::Args;

/// What passes to the upstreams.
#[derive(Debug, Args)]
pub struct ProxyArgs {
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
