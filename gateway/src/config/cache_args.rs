//! Settings of the session cache, as typed.

use std::time::Duration;

use clap::Args;

use super::bytes::parse_bytes;
use super::durations::parse_duration;
use crate::session::cache::CacheSettings;

/// What is kept of sessions that were read.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sessions and cookies")]
pub struct CacheArgs {
    /// Memory for sessions that were read, so that the database is not asked again until it tells that
    /// they changed: some 50,000 sessions in 64 MiB; `0` asks at every request
    #[arg(
        long,
        env = "NEXTBNB_CACHE_SIZE",
        value_name = "SIZE",
        default_value = "64MiB",
        value_parser = parse_cache_size
    )]
    pub cache_size: u64,
    /// How old a session read before may be while the database does not tell of changes; so long
    /// somebody who was signed out elsewhere may stay signed in here. `0s` asks the database then
    #[arg(
        long,
        env = "NEXTBNB_CACHE_MAX_STALE",
        value_name = "DURATION",
        default_value = "0s",
        value_parser = parse_max_stale
    )]
    pub cache_max_stale: Duration,
}

/// Reads a size that is worth having, or none.
pub(super) fn parse_cache_size(text: &str) -> Result<u64, String> {
    match text {
        "0" => Ok(0),
        size => match parse_bytes(size)? {
            bytes if bytes >= CacheSettings::LEAST => Ok(bytes),
            _ => Err("want at least 1MiB, or `0` for none".to_owned()),
        },
    }
}

fn parse_max_stale(text: &str) -> Result<Duration, &'static str> {
    match parse_duration(text)? {
        age if age <= Duration::from_hours(1) => Ok(age),
        _ => Err("want 1h at most: so long a session that was ended could be used"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_has_a_mebibyte_at_least_or_is_none() {
        assert_eq!(parse_cache_size("0"), Ok(0));
        assert_eq!(parse_cache_size("1MiB"), Ok(1 << 20));
        assert!(parse_cache_size("1MB").unwrap_err().contains("1MiB"));
        assert!(parse_cache_size("64").is_err() && parse_cache_size("").is_err());
    }

    #[test]
    fn nobody_stays_signed_in_for_more_than_an_hour_after_the_end() {
        assert_eq!(parse_max_stale("0s"), Ok(Duration::ZERO));
        assert_eq!(parse_max_stale("1h"), Ok(Duration::from_hours(1)));
        assert!(parse_max_stale("61m").is_err() && parse_max_stale("5").is_err());
    }
}
