//! Where an upstream answers.

use std::fmt;
use std::path::PathBuf;

use http::uri::Authority;

/// What begins the address of a Unix socket, before its path.
pub const UNIX: &str = "unix:";

/// Longest path of a socket that every system takes (macOS: 104 bytes with the NUL at its end).
const LONGEST_PATH_BYTES: usize = 103;

/// Host and port, or the path of a Unix socket.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum UpstreamAddress {
    /// `http://host:port`
    Tcp(Authority),
    /// `unix:/path`
    Unix(PathBuf),
}

impl UpstreamAddress {
    /// Reads the path of `unix:/path`: absolute, and of characters that stand for themselves in
    /// settings, logs and pages.
    pub fn unix_path(path: &str) -> Result<PathBuf, &'static str> {
        let is_plain = |byte: u8| matches!(byte, b'!'..=b'~') && !b"\"'<>&\\`,".contains(&byte);
        if !path.starts_with('/') || path.ends_with('/') {
            return Err("want unix: and the absolute path of a socket");
        }
        if path.len() > LONGEST_PATH_BYTES {
            return Err(
                "want a path of at most 103 bytes: no system takes longer ones for sockets",
            );
        }
        let plain = path.bytes().all(is_plain).then(|| PathBuf::from(path));
        plain.ok_or("want a path of visible ASCII without quotes and commas")
    }

    /// Host and port, where it has them.
    pub fn authority(&self) -> Option<&Authority> {
        match self {
            Self::Tcp(authority) => Some(authority),
            Self::Unix(_) => None,
        }
    }
}

impl fmt::Display for UpstreamAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(authority) => write!(f, "http://{authority}"),
            Self::Unix(path) => write!(f, "{UNIX}{}", path.display()),
        }
    }
}

impl From<Authority> for UpstreamAddress {
    fn from(authority: Authority) -> Self {
        Self::Tcp(authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_socket_is_absolute_and_plain() {
        for good in ["/run/next.sock", "/a", "/run/@app+1/x~y=z.sock"] {
            assert_eq!(UpstreamAddress::unix_path(good), Ok(PathBuf::from(good)));
        }
        for bad in ["", "run/x.sock", "/run/", "/a b", "/a,strip", "/é", "/<x>", "/a\"b", "/a\0"] {
            assert!(UpstreamAddress::unix_path(bad).is_err(), "{bad:?}");
        }
        assert!(UpstreamAddress::unix_path(&format!("/{}", "x".repeat(102))).is_ok());
        assert!(UpstreamAddress::unix_path(&format!("/{}", "x".repeat(103))).is_err());
    }
}
