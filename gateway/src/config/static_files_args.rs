//! Settings of the memory for built files, as typed.

use clap::Args;

use super::cache_args::parse_cache_size;

/// What is kept of Next.js's built files.
#[derive(Debug, Args)]
#[command(next_help_heading = "Upstreams")]
pub struct StaticFilesArgs {
    /// Memory for files below `/_next/static/` that say of themselves that they are public and never
    /// change, so that Next.js is not asked for each; `0` asks it each time
    #[arg(
        long,
        env = "NEXTBNB_STATIC_CACHE_SIZE",
        value_name = "SIZE",
        default_value = "16MiB",
        value_parser = parse_cache_size
    )]
    pub static_cache_size: u64,
}
