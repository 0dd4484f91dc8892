//! Where to listen beside a port, what the site is called, and whom to believe, as typed.

use clap::Args;
use clap::builder::FalseyValueParser;

/// What the site is called, and whom to believe about its clients.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Proxies in front")]
pub struct FrontArgs {
    /// The site's one public origin, as `https://shop.example`: cookies, redirects, the check of
    /// `Origin` and what upstreams are told follow it, whatever host a request names and however it
    /// came here [default: what each request shows]
    #[arg(long, env = "NEXTBNB_PUBLIC_URL", value_name = "ORIGIN")]
    pub public_url: Option<String>,
    /// Proxies in front of the gateway whose X-Forwarded-For, -Proto, -Host and -Port are believed:
    /// addresses, networks as `10.0.0.0/8`, `loopback`, `private` (10/8, 172.16/12, 192.168/16,
    /// `fc00::/7`), `unix` (who connects through --listen unix:), commas between. Whoever can connect
    /// from there can choose its address [default: none]
    #[arg(long, env = "NEXTBNB_TRUSTED_PROXIES", value_name = "NETWORKS", value_delimiter = ',')]
    pub trusted_proxies: Vec<String>,
    /// Want every connection to begin with a header of the PROXY protocol (version 1 or 2), which
    /// tells the client's address; close what begins otherwise, and, where --trusted-proxies names
    /// any, what comes from elsewhere
    #[arg(long, env = "NEXTBNB_PROXY_PROTOCOL", value_parser = FalseyValueParser::new())]
    pub proxy_protocol: bool,
}

/// Places to listen at that are said whole.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Listening")]
pub struct PlaceArgs {
    /// Listen here instead of at --host and --port: `unix:/run/nextbnb/gateway.sock`, or
    /// `host:port`. May be repeated (in the environment: separated by spaces)
    #[arg(long, env = "NEXTBNB_LISTEN", value_name = "PLACE", value_delimiter = ' ')]
    pub listen: Vec<String>,
    /// Permissions of the files of --listen unix:, in octal: who may write may connect
    #[arg(
        long,
        env = "NEXTBNB_LISTEN_MODE",
        value_name = "MODE",
        default_value = "660",
        value_parser = parse_mode
    )]
    pub listen_mode: u32,
}

fn parse_mode(text: &str) -> Result<u32, &'static str> {
    let is_octal = text.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
    let mode = u32::from_str_radix(text, 8).ok().filter(|mode| is_octal && *mode <= 0o777);
    mode.ok_or("want three octal digits, as 660")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_of_octal_digits() {
        assert_eq!(parse_mode("660"), Ok(0o660));
        assert_eq!(parse_mode("0600"), Ok(0o600));
        for bad in ["", "rw", "888", "1777", "+66", "-1", "0o660"] {
            assert!(parse_mode(bad).is_err(), "{bad}");
        }
    }
}
