//! Under which names a site that is worked on may be asked for.

use std::net::Ipv4Addr;

use crate::proxy::target::host_and_port;

/// Begins a name that stands for all below it.
const ANY_BELOW: &str = "*.";

/// Names of a site that is worked on.
///
/// A page at any other name may be a stranger's, who has it lead to this machine once his page is
/// loaded (DNS rebinding): the browser then takes the sources of the site for his own. Nobody can do
/// so with `localhost`, what is below it (RFC 6761 §6.3), or an address, which are always served.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DevHosts(Vec<Name>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Name {
    Exactly(String),
    Below(String),
}

impl DevHosts {
    /// Allows `typed` as well: a name, or `*.` and a name for all below it.
    ///
    /// Fails with what would be right.
    pub fn add(&mut self, typed: &str) -> Result<(), &'static str> {
        const WANTED: &str = "want a name like app.test, or *.app.test for all below it";
        let name = typed.strip_prefix(ANY_BELOW).unwrap_or(typed);
        if name == "*" {
            return Err("any site could then read the sources; want a name like app.test");
        }
        match host_and_port(name) {
            Some((_, Some(_))) => return Err("want a name without a port"),
            Some(_) => {}
            None if name.contains("://") => return Err("want a name alone, without http://"),
            None => return Err(WANTED),
        }
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        if name.split('.').any(str::is_empty) {
            return Err(WANTED);
        }
        self.0.push(if typed.starts_with(ANY_BELOW) {
            Name::Below(name)
        } else {
            Name::Exactly(name)
        });
        Ok(())
    }

    /// Whether `host`, perhaps with a port, is one of them.
    pub fn admit(&self, host: &str) -> bool {
        let Some((name, _)) = host_and_port(host) else { return false };
        let name = name.strip_suffix('.').unwrap_or(name);
        let is_address = name.starts_with('[') || name.parse::<Ipv4Addr>().is_ok();
        is_address || is_localhost(name) || self.0.iter().any(|own| own.is(name))
    }
}

impl Name {
    fn is(&self, name: &str) -> bool {
        match self {
            Self::Exactly(own) => own.eq_ignore_ascii_case(name),
            Self::Below(own) => is_below(name, own),
        }
    }
}

/// Whether a name leads to this machine, whoever resolves it (RFC 6761 §6.3).
pub(super) fn is_localhost(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost") || is_below(name, "localhost")
}

fn is_below(name: &str, parent: &str) -> bool {
    let Some(at) = name.len().checked_sub(parent.len()) else { return false };
    name.get(at..).is_some_and(|end| end.eq_ignore_ascii_case(parent))
        && name.get(..at).is_some_and(|start| start.len() > 1 && start.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(typed: &[&str]) -> DevHosts {
        let mut hosts = DevHosts::default();
        for name in typed {
            hosts.add(name).unwrap();
        }
        hosts
    }

    #[track_caller]
    fn check(typed: &[&str], host: &str, expected: bool) {
        assert_eq!(hosts(typed).admit(host), expected, "{typed:?} {host}");
    }

    #[test]
    fn localhost_what_is_below_it_and_addresses_are_always_served() {
        for host in [
            "localhost",
            "localhost:3000",
            "LOCALHOST.",
            "shop.localhost:3000",
            "a.b.localhost",
            "127.0.0.1:3000",
            "192.168.1.20",
            "[::1]:3000",
            "[fe80::1]",
        ] {
            check(&[], host, true);
        }
    }

    #[test]
    fn a_name_that_somebody_could_rebind_is_not() {
        for host in [
            "evil.example:3000",
            "localhost.evil.example",
            "notlocalhost",
            ".localhost",
            "127.0.0.1.evil.example",
            "127.1",
            "0x7f000001",
            "2130706433",
            "",
        ] {
            check(&[], host, false);
        }
    }

    #[test]
    fn a_name_is_served_that_was_named_in_letters_of_any_case() {
        let typed = ["App.test", "*.ngrok.example"];
        check(&typed, "app.TEST:3000", true);
        check(&typed, "app.test.", true);
        check(&typed, "a-1.ngrok.example", true);
        check(&typed, "a.b.ngrok.example", true);
        check(&typed, "www.app.test", false);
        check(&typed, "ngrok.example", false);
        check(&typed, ".ngrok.example", false);
        check(&typed, "evilngrok.example", false);
    }

    #[test]
    fn what_is_no_name_is_refused_with_what_would_be_right() {
        let refused = |typed| DevHosts::default().add(typed).unwrap_err();
        assert!(refused("app.test:3000").contains("without a port"));
        assert!(refused("http://app.test").contains("without http://"));
        assert!(refused("*").contains("any site"));
        for typed in ["", "a b", "a/b", "*.", "*a.test", ".app.test", "a..b", "*.*"] {
            refused(typed);
        }
    }
}
