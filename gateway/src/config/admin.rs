//! Where operators are answered, checked.

use super::admin_args::AdminArgs;
use super::front::place;
use crate::error::FrontError;
use crate::server::listen_at::ListenAt;

/// Where a port is that is typed without a host.
const OWN_HOST: &str = "127.0.0.1";

const WANTED: &str = "want a port, host:port or unix:/path";

/// The place of `--admin`; a variable that is set to nothing is none. A socket's file gets `mode`.
pub(super) fn admin(args: &AdminArgs, mode: u32) -> Result<Option<ListenAt>, FrontError> {
    let typed = args.admin.as_deref().map(str::trim).filter(|typed| !typed.is_empty());
    let Some(typed) = typed else { return Ok(None) };
    let refused = |reason| FrontError::Admin { typed: typed.to_owned(), reason };
    if typed.bytes().all(|byte| byte.is_ascii_digit()) {
        let port = typed.parse().map_err(|_| refused(WANTED))?;
        return Ok(Some(ListenAt::Tcp { host: OWN_HOST.to_owned(), port }));
    }
    let at = place(typed, mode).map_err(|error| match error {
        FrontError::Listen { .. } => refused(WANTED),
        other => other,
    })?;
    Ok(Some(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(typed: &str) -> Result<Option<String>, String> {
        let args = AdminArgs { admin: Some(typed.to_owned()) };
        let at = admin(&args, 0o660).map_err(|error| error.to_string())?;
        Ok(at.map(|at| at.to_string()))
    }

    #[test]
    fn a_bare_port_is_this_machines_own() {
        assert_eq!(said("9464").unwrap().unwrap(), "127.0.0.1:9464");
        for place in ["0.0.0.0:9464", "[::1]:9464", "unix:/run/admin.sock"] {
            assert_eq!(said(place).unwrap().unwrap(), place);
        }
        assert_eq!(said(" ").unwrap(), None);
        for bad in ["99999", "localhost", ":9464", "unix:admin.sock", "http://a:1"] {
            let error = said(bad).unwrap_err();
            assert!(error.contains("--admin") && error.contains("want a port"), "{error}");
        }
    }
}
