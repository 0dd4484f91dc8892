//! How much `dev` says.

use clap::Args;
use clap::builder::FalseyValueParser;

use crate::ops::logs::Detail;

/// How much `dev` says.
#[derive(Debug, Clone, Copy, Args)]
pub struct ViewArgs {
    /// Say nothing of requests: only starts, ends, warnings and errors
    #[arg(
        long,
        env = "NEXTBNB_QUIET",
        value_parser = FalseyValueParser::new(),
        conflicts_with = "verbose"
    )]
    pub quiet: bool,
    /// Say every request, those for built files and of hot reload among them
    #[arg(long, env = "NEXTBNB_VERBOSE", value_parser = FalseyValueParser::new())]
    pub verbose: bool,
}

impl ViewArgs {
    /// What of it is said.
    pub fn detail(self) -> Detail {
        match (self.quiet, self.verbose) {
            (true, _) => Detail::Quiet,
            (_, true) => Detail::Verbose,
            _ => Detail::Usual,
        }
    }
}
