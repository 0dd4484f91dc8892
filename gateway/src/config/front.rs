//! Where to listen, what the site is called, and whom to believe, checked.

use std::net::Ipv6Addr;

use super::EVERY_ADDRESS;
use super::args::{DevArgs, ListenArgs};
use super::front_args::{FrontArgs, PlaceArgs};
use super::upstreams::without_user;
use crate::downstream::dev_hosts::DevHosts;
use crate::downstream::front::{Front, ProxyProtocol};
use crate::downstream::public_url::PublicUrl;
use crate::downstream::trusted_proxies::TrustedProxies;
use crate::error::FrontError;
use crate::proxy::target::host_and_port;
use crate::proxy::upstream_address::{UNIX, UpstreamAddress};
use crate::server::listen_at::ListenAt;

const WANTED: &str = "want unix:/path, host:port, *:port or [::1]:port";

/// Checks what the site is called and whom to believe.
pub(super) fn front(args: &FrontArgs) -> Result<Front, FrontError> {
    let mut trusted = TrustedProxies::default();
    for typed in given(&args.trusted_proxies) {
        let refused = |reason| FrontError::TrustedProxies { typed: typed.to_owned(), reason };
        trusted.add(typed).map_err(refused)?;
    }
    let url = args.public_url.as_deref().filter(|url| !url.is_empty());
    let parse = |url| {
        let refused = |reason| FrontError::PublicUrl { url: without_user(url), reason };
        PublicUrl::parse(url).map_err(refused)
    };
    let proxy_protocol =
        if args.proxy_protocol { ProxyProtocol::Required } else { ProxyProtocol::Off };
    Ok(Front { public_url: url.map(parse).transpose()?, trusted, proxy_protocol, dev_hosts: None })
}

/// The same for `dev`, with the names that the site is worked on under: those of --allow-host, and
/// those that other settings name.
pub(super) fn dev_front(args: &DevArgs) -> Result<Front, FrontError> {
    let front = front(&args.front)?;
    let mut hosts = DevHosts::default();
    for typed in given(&args.allowed_hosts) {
        let refused = |reason| FrontError::AllowHost { typed: typed.to_owned(), reason };
        hosts.add(typed).map_err(refused)?;
    }
    let public = front.public_url.as_ref().map(PublicUrl::origin);
    let public = public.as_ref().and_then(|origin| host_and_port(origin.host()));
    let listening = args.listen.host.as_deref().filter(|host| *host != EVERY_ADDRESS);
    for known in public.map(|(name, _)| name).into_iter().chain(listening) {
        // An address that is no name needs none.
        let _known_anyway = hosts.add(known);
    }
    Ok(Front { dev_hosts: Some(hosts), ..front })
}

/// The places of `--listen`, else that of `--host` (`default_host` where none is typed) and
/// `--port`.
pub fn places(
    places: &PlaceArgs,
    listen: &ListenArgs,
    default_host: &str,
) -> Result<Vec<ListenAt>, FrontError> {
    let typed: Result<Vec<_>, _> =
        given(&places.listen).map(|typed| place(typed, places.listen_mode)).collect();
    let typed = typed?;
    if !typed.is_empty() {
        return Ok(typed);
    }
    let host = listen.host_or(default_host).to_owned();
    Ok(vec![ListenAt::Tcp { host, port: listen.port }])
}

/// Reads one place to listen at.
pub fn place(typed: &str, mode: u32) -> Result<ListenAt, FrontError> {
    let refused = |reason| FrontError::Listen { typed: typed.to_owned(), reason };
    if let Some(path) = typed.strip_prefix(UNIX) {
        let path = UpstreamAddress::unix_path(path).map_err(refused)?;
        return Ok(ListenAt::Unix { path, mode });
    }
    let (host, port) = typed.rsplit_once(':').ok_or_else(|| refused(WANTED))?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = match bare {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => !host.is_empty() && !host.contains([':', '/', '[']),
    };
    let port = Some(port).filter(|port| is_host && !port.starts_with('+'));
    let port = port.and_then(|port| port.parse().ok()).ok_or_else(|| refused(WANTED))?;
    Ok(ListenAt::Tcp { host: host.to_owned(), port })
}

/// A variable that is set to nothing counts as not set.
fn given(typed: &[String]) -> impl Iterator<Item = &str> {
    typed.iter().map(|typed| typed.trim()).filter(|typed| !typed.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(listen: &[&str]) -> Result<Vec<String>, String> {
        let listen = listen.iter().map(|&place| place.to_owned()).collect();
        let args = PlaceArgs { listen, listen_mode: 0o660 };
        let places = places(&args, &ListenArgs { port: 3000, host: None }, "*");
        let text = |place: ListenAt| match place {
            ListenAt::Tcp { host, port } => format!("{host} {port}"),
            ListenAt::Unix { path, mode } => format!("{} {mode:o}", path.display()),
        };
        places
            .map(|places| places.into_iter().map(text).collect())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn places_take_the_ports_place() {
        assert_eq!(said(&[]).unwrap(), ["* 3000"]);
        assert_eq!(said(&[""]).unwrap(), ["* 3000"]);
        assert_eq!(said(&["unix:/run/a.sock"]).unwrap(), ["/run/a.sock 660"]);
        let several = said(&["unix:/a", "*:80", "[::1]:81", "localhost:0", "10.0.0.1:1"]);
        assert_eq!(several.unwrap(), ["/a 660", "* 80", "[::1] 81", "localhost 0", "10.0.0.1 1"]);
    }

    #[test]
    fn what_is_no_place_is_refused_with_what_would_be_right() {
        for bad in [
            "3000",
            "a",
            ":3000",
            "::1:3000",
            "[::1]",
            "[fe80::1%eth0]:1",
            "a:x",
            "a:+1",
            "a:99999",
            "http://a:80",
            "unix:run/a.sock",
            "unix:",
            "unix:/a b",
        ] {
            let error = said(&[bad]).unwrap_err();
            assert!(error.contains("--listen") && error.contains("want "), "{error}");
        }
    }

    #[track_caller]
    fn check_front(url: Option<&str>, trusted: &[&str], expected: &str) {
        let args = FrontArgs {
            public_url: url.map(str::to_owned),
            trusted_proxies: trusted.iter().map(|&typed| typed.to_owned()).collect(),
            proxy_protocol: false,
        };
        let front = front(&args).map(|front| front == Front::default());
        let said =
            front.map_or_else(|error| error.to_string(), |is_default| is_default.to_string());
        assert!(said.contains(expected), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }

    #[test]
    fn names_and_proxies_are_checked_and_empty_variables_are_none() {
        check_front(None, &[], "true");
        check_front(Some(""), &["", " "], "true");
        check_front(Some("https://a"), &[], "false");
        check_front(None, &["loopback", " 10.0.0.0/8 "], "false");
        check_front(Some("a"), &[], "--public-url \"a\"");
        check_front(Some("https://u:hunter2@a"), &[], "no user name");
        check_front(None, &["10.0.0.0/8", "proxy"], "--trusted-proxies \"proxy\"");
        check_front(None, &["0.0.0.0/0"], "that is everybody");
    }
}
