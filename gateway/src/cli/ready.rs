//! What `dev` says when Next.js answers.

use std::fmt::{self, Write as _};
use std::net::Ipv6Addr;
use std::time::Duration;

use tracing::info;

use super::banner::Banner;
use super::keys::Keys;
use crate::config::EVERY_ADDRESS;
use crate::proxy::upstream_address::UpstreamAddress;

/// What is said when Next.js answers, the first time at more length.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) url: String,
    pub(super) steps: Steps,
    /// `None` once it is said.
    pub(super) banner: Option<Banner>,
}

impl Ready {
    /// Names the keys too, where they are listened to.
    pub(super) fn name_keys(&mut self, keys: Option<&Keys>) {
        if let (Some(banner), Some(_)) = (&mut self.banner, keys) {
            banner.keys = Some("o open, r restart Next.js, u who is signed in, q quit");
        }
    }

    /// Says that Next.js answers, `after` that time.
    pub(super) fn say(&mut self, after: Duration) {
        let (url, seconds) = (&self.url, after.as_secs_f32());
        if let Some(banner) = self.banner.take() {
            info!("ready on {url} ({}Next.js {seconds:.1} s)", self.steps);
            banner.say();
        } else {
            info!("Next.js is back on {url} after {seconds:.1} s");
        }
    }

    /// Says that the gateway serves before an `upstream` that somebody else starts.
    pub(super) fn say_beside(&mut self, upstream: &UpstreamAddress) {
        info!("ready on {} in front of {upstream}", self.url);
        if let Some(banner) = self.banner.take() {
            banner.say();
        }
    }
}

/// How long each step of the start took, in words.
#[derive(Debug, Default)]
pub(super) struct Steps(String);

impl Steps {
    pub(super) fn add(&mut self, what: &str, took: Duration) {
        let written = write!(self.0, "{what} {:.1} s, ", took.as_secs_f32());
        debug_assert!(written.is_ok(), "a String takes everything");
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What to type into a browser on this machine.
pub(super) fn public_url(host: &str, port: u16) -> String {
    let host = match host {
        EVERY_ADDRESS | "0.0.0.0" | "::" | "[::]" => "localhost",
        host => host,
    };
    match host.parse::<Ipv6Addr>() {
        Ok(address) => format!("http://[{address}]:{port}"),
        Err(_) => format!("http://{host}:{port}"),
    }
}
