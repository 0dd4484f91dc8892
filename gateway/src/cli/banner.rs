//! What `dev` says once it is ready: where it is, and of what it is made.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::path::PathBuf;

use http::Uri;
use tracing::info;

use crate::config::EVERY_ADDRESS;
use crate::database::DatabaseTarget;

/// What stands below the line that says where to look.
#[derive(Debug)]
pub(super) struct Banner {
    pub(super) network: Network,
    pub(super) database: String,
    pub(super) state_dir: PathBuf,
    /// Name and version, the gateway's first.
    pub(super) versions: Vec<String>,
    /// What each key does, where keys are listened to.
    pub(super) keys: Option<&'static str>,
}

/// Who can reach the gateway besides this machine.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Network {
    /// Nobody.
    Closed,
    /// Whoever is in the same network, at this URL where it is known.
    Open(Option<String>),
}

impl Banner {
    pub(super) fn say(&self) {
        info!("network: {}", self.network);
        info!("database: {}", self.database);
        info!("state: {}", self.state_dir.display());
        info!("versions: {}", self.versions.join(", "));
        if let Some(keys) = self.keys {
            info!("keys: {keys}");
        }
    }
}

impl Network {
    /// What listening on `host` at `port` opens.
    pub(super) fn of(host: &str, port: u16) -> Self {
        match host {
            EVERY_ADDRESS | "0.0.0.0" | "::" | "[::]" => {
                Self::Open(own_address().map(|address| format!("http://{address}:{port}")))
            }
            "localhost" => Self::Closed,
            host => match host.trim_matches(['[', ']']).parse::<IpAddr>() {
                Ok(address) if address.is_loopback() => Self::Closed,
                Ok(IpAddr::V6(address)) => Self::Open(Some(format!("http://[{address}]:{port}"))),
                _ => Self::Open(Some(format!("http://{host}:{port}"))),
            },
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("this machine alone (--host '*' lets others in)"),
            Self::Open(Some(url)) => f.write_str(url),
            Self::Open(None) => f.write_str("open to others, at an address that is not known"),
        }
    }
}

/// A database in words that may be on a screen: without user, password and options.
pub(super) fn database_in_words(target: &DatabaseTarget) -> String {
    match target {
        DatabaseTarget::Embedded(file) => format!("embedded, {}", file.display()),
        DatabaseTarget::Url(url) if url.starts_with("sqlite:") => {
            url.split('?').next().unwrap_or_default().to_owned()
        }
        DatabaseTarget::Url(url) => postgres_in_words(url).unwrap_or_else(|| "Postgres".to_owned()),
    }
}

/// `None` where it is not sure which part is the password: one that is not encoded may look like a path.
fn postgres_in_words(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    let rest = uri.path_and_query().map_or("", |rest| rest.as_str());
    let host = uri.host().filter(|host| !host.is_empty() && !rest.contains('@'))?;
    Some(format!("Postgres{} at {host}", name_of(&uri)))
}

fn name_of(uri: &Uri) -> String {
    match uri.path().trim_start_matches('/') {
        "" => String::new(),
        name => format!(" {name}"),
    }
}

/// The address by which this machine would go out; nothing is sent to find that out.
fn own_address() -> Option<IpAddr> {
    const ANYWHERE: (Ipv4Addr, u16) = (Ipv4Addr::new(192, 0, 2, 1), 9); // RFC 5737: nobody's.
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect(ANYWHERE).ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|address| !address.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_is_named_without_its_password() {
        let check = |url: &str, expected: &str| {
            assert_eq!(database_in_words(&DatabaseTarget::Url(url.to_owned())), expected);
        };
        check("postgres://u:hunter2@db:5432/site?sslmode=require", "Postgres site at db");
        check("postgres://db?password=hunter2", "Postgres at db");
        check("postgres://db?password=hunter2@x", "Postgres");
        check("postgres://u:hun/ter2@db/site", "Postgres");
        check("postgres://u:hun?ter2@db/site", "Postgres");
        check("postgres:///site?host=/run/pg", "Postgres");
        check("sqlite://site.db?mode=rwc", "sqlite://site.db");
    }

    #[test]
    fn only_what_others_reach_has_a_network() {
        for host in ["localhost", "127.0.0.1", "::1", "[::1]"] {
            assert_eq!(Network::of(host, 3000), Network::Closed, "{host}");
        }
        let open = |url: &str| Network::Open(Some(url.to_owned()));
        assert_eq!(Network::of("10.0.0.7", 80), open("http://10.0.0.7:80"));
        assert_eq!(Network::of("shop.test", 80), open("http://shop.test:80"));
        assert!(matches!(Network::of("*", 80), Network::Open(_)));
    }
}
