//! How much at once is served, as typed.

use clap::Args;

/// How much at once.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub struct CrowdArgs {
    /// Connections at once; over it 503 is answered unread, but for a few of this machine and private
    /// networks, such as health checks [default: half of the file descriptors, of which the process
    /// takes up to 65,536, less a reserve]
    #[arg(
        long,
        env = "NEXTBNB_MAX_CONNECTIONS",
        value_name = "NUMBER",
        value_parser = parse_connections
    )]
    pub max_connections: Option<usize>,
    /// Connections of one client at once (an IPv4 address, an IPv6 /64); over it 503 is answered
    /// unread. This machine, trusted proxies and private networks are nobody's client [default: a
    /// quarter of --max-connections, 1,024 at most]
    #[arg(
        long,
        env = "NEXTBNB_MAX_CONNECTIONS_PER_CLIENT",
        value_name = "NUMBER",
        value_parser = parse_connections
    )]
    pub max_connections_per_client: Option<usize>,
}

fn parse_connections(text: &str) -> Result<usize, &'static str> {
    match text.parse() {
        Ok(connections @ 1..=10_000_000) => Ok(connections),
        _ => Err("want a number from 1 to 10000000"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_shuts_everybody_out() {
        assert_eq!(parse_connections("1"), Ok(1));
        for bad in ["0", "-1", "", "off", "10000001"] {
            assert!(parse_connections(bad).is_err(), "{bad}");
        }
    }
}
