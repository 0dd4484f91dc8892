//! Which differences are meant, and which row of the mend table means them.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::compare::Difference;

/// How the gateway is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Every switch of the mend table as it is by default.
    Default,
    /// `--compat express`.
    Express,
}

impl Mode {
    /// The flags that make the mode.
    pub(crate) fn flags(self) -> &'static [&'static str] {
        match self {
            Self::Default => &[],
            Self::Express => &["--compat", "express"],
        }
    }
}

/// A difference that is meant.
#[derive(Debug)]
pub(crate) struct Allowed {
    /// The row of the mend table.
    pub(crate) mend: Mend,
    pub(crate) modes: &'static [Mode],
    /// Patterns, in which `*` stands for anything.
    pub(crate) scenario: &'static str,
    pub(crate) what: &'static str,
    pub(crate) change: Change,
}

/// What is allowed to differ.
#[derive(Debug)]
pub(crate) enum Change {
    /// Express does one thing and the gateway another; patterns.
    From(&'static str, &'static str),
    /// Where the gateway says the second, Express says the first, and all else is equal.
    Reads(&'static str, &'static str),
}

/// The list, and which of its entries were needed.
#[derive(Debug)]
pub(crate) struct Judge {
    mode: Mode,
    entries: Vec<(&'static Allowed, AtomicBool)>,
}

impl Judge {
    pub(crate) fn new(mode: Mode) -> Self {
        let entries = ALLOWED.iter().filter(|entry| entry.modes.contains(&mode));
        Self { mode, entries: entries.map(|entry| (entry, AtomicBool::new(false))).collect() }
    }

    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether a difference is meant; notes which entries say so.
    pub(crate) fn allows(&self, scenario: &str, difference: &Difference) -> bool {
        let relevant = self.entries.iter().filter(|(entry, _)| {
            matches(entry.scenario, scenario) && matches(entry.what, &difference.what)
        });
        let mut gateway = difference.gateway.clone();
        let mut needed = Vec::new();
        for (entry, is_needed) in relevant {
            match entry.change {
                Change::Reads(express, ours)
                    if gateway.contains(ours) && !difference.express.contains(ours) =>
                {
                    gateway = gateway.replace(ours, express);
                    needed.push(is_needed);
                }
                Change::From(express, ours)
                    if matches(express, &difference.express)
                        && matches(ours, &difference.gateway) =>
                {
                    is_needed.store(true, Ordering::Relaxed);
                    return true;
                }
                _ => {}
            }
        }
        let is_equal = gateway == difference.express;
        if is_equal {
            for is_needed in needed {
                is_needed.store(true, Ordering::Relaxed);
            }
        }
        is_equal
    }

    /// Complaints about entries that allowed nothing.
    pub(crate) fn idle(&self) -> Vec<String> {
        let idle = self.entries.iter().filter(|(_, needed)| !needed.load(Ordering::Relaxed));
        let complaint = |entry: &Allowed| {
            let Allowed { mend, scenario, what, change, .. } = entry;
            format!("{:?} {mend:?}: nothing needs {what:?} {change:?} in {scenario:?}", self.mode)
        };
        idle.map(|(entry, _)| complaint(entry)).collect()
    }
}

/// Whether `text` is `pattern`, in which `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(start) else { return false };
    let mut parts: Vec<_> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        let Some((_, after)) = text.split_once(part) else { return false };
        text = after;
    }
    text.ends_with(end)
}

/// The rows of the mend table: what Express does | what the gateway does instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mend {
    /// expired rows work until the 15-minute prune | `expires` is checked at every read
    ExpiredRows,
    /// an UPDATE per request, assets included | one in ten minutes, none for assets
    Touch,
    /// a row for every bot | none before login; under `save` never for assets and answers that
    /// shared caches may keep
    AnonymousRows,
    /// the browser's cookie dies on day 30 | it is renewed when less than half its life is left
    Renewal,
    /// no `SameSite`, Secure by hand | `SameSite=Lax`, Secure as the request came; a row's cookie is
    /// tightened to the settings when it is issued anew, and none is written that cannot be sent
    Attributes,
    /// a bad login is 500, an unknown account told apart, no Content-Type | 401, 409, 422, one text
    Statuses,
    /// no cookie cleared at logout | it is, and nothing may be kept
    Logout,
    /// any password and address | eight characters to 72 bytes, an address with one `@`
    PasswordPolicy,
    /// two spellings of an address are two accounts | one
    EmailCase,
    /// the first of several cookies wins | the first that verifies and has a live row
    DoubledCookies,
    /// a damaged row is 500 until its cookie is gone | no session, a new id
    DamagedRows,
    /// credentials in the query, SQL in answers | a JSON or form body, no internals
    Credentials,
    /// `express.json()` answers for the whole site | only our own paths' bodies are read
    OwnPaths,
    /// `passwordconfirmation` alone | `passwordConfirmation`, too
    Confirmation,
}

const BOTH: &[Mode] = &[Mode::Default, Mode::Express];
const DEFAULT: &[Mode] = &[Mode::Default];
const EXPRESS: &[Mode] = &[Mode::Express];

/// Everything that differs in scenarios that are about nothing else.
const fn whole(mend: Mend, modes: &'static [Mode], scenario: &'static str) -> Allowed {
    Allowed { mend, modes, scenario, what: "*", change: Change::From("*", "*") }
}

const fn from(
    mend: Mend,
    what: &'static str,
    express: &'static str,
    gateway: &'static str,
) -> Allowed {
    let change = Change::From(express, gateway);
    Allowed { mend, modes: DEFAULT, scenario: "*", what, change }
}

const fn reads(
    mend: Mend,
    what: &'static str,
    express: &'static str,
    gateway: &'static str,
) -> Allowed {
    let change = Change::Reads(express, gateway);
    Allowed { mend, modes: DEFAULT, scenario: "*", what, change }
}

const ALLOWED: &[Allowed] = &[
    whole(Mend::ExpiredRows, BOTH, "visits: ended: *"),
    whole(Mend::AnonymousRows, BOTH, "visits: public: *"),
    whole(Mend::DoubledCookies, BOTH, "cookies: doubled: *"),
    whole(Mend::DamagedRows, BOTH, "rows: damaged: *"),
    whole(Mend::Credentials, BOTH, "routes: refused: *"),
    whole(Mend::OwnPaths, EXPRESS, "routes: elsewhere: *"),
    whole(Mend::Attributes, BOTH, "lax: a row without SameSite *"),
    whole(Mend::Attributes, BOTH, "secure-always: *"),
    whole(Mend::Confirmation, BOTH, "routes: a register that spells its confirmation otherwise"),
    whole(Mend::Credentials, DEFAULT, "routes: form: *"),
    whole(Mend::Logout, DEFAULT, "routes: broken JSON to logout"),
    whole(Mend::Logout, DEFAULT, "routes: charset us-ascii"),
    whole(Mend::PasswordPolicy, DEFAULT, "signing-in: weak: *"),
    whole(Mend::EmailCase, DEFAULT, "signing-in: spelling: *"),
    // What a session is renewed or touched with shows in everything that comes later.
    whole(Mend::Touch, DEFAULT, "visits: a visit five minutes later *"),
    whole(Mend::Touch, DEFAULT, "visits: a session of the browser *"),
    whole(Mend::Touch, DEFAULT, "rolling: *"),
    whole(Mend::Renewal, DEFAULT, "visits: a row is *"),
    whole(Mend::Renewal, DEFAULT, "visits: a row that never ends"),
    whole(Mend::Renewal, DEFAULT, "visits: a session whose life is its row's *"),
    whole(Mend::Renewal, DEFAULT, "hour-long: *"),
    whole(Mend::AnonymousRows, DEFAULT, "visits: a visit an hour later *"),
    whole(Mend::AnonymousRows, DEFAULT, "visits: a session of many visits"),
    whole(Mend::AnonymousRows, DEFAULT, "browser-session: a first visit"),
    whole(Mend::AnonymousRows, DEFAULT, "tables: a first visit"),
    Allowed {
        mend: Mend::Attributes,
        modes: BOTH,
        scenario: "browser-path: *",
        what: "row * data",
        change: Change::Reads("", "\"secure\":false,"),
    },
    reads(Mend::Attributes, "set-cookie", "", "; SameSite=Lax"),
    reads(Mend::Attributes, "row * data", "\"}", "\",\"sameSite\":\"lax\"}"),
    reads(Mend::Attributes, "set-cookie", "; Partitioned", "; HttpOnly; Partitioned"),
    from(Mend::AnonymousRows, "set-cookie", "*=new; *", ""),
    from(Mend::AnonymousRows, "set-cookie", "theme=* ++ nextbnb=new; *", "theme=*"),
    from(Mend::AnonymousRows, "set-cookie", "", "*=new; *"),
    from(Mend::AnonymousRows, "set-cookie", "*=same; *", "*=new; *"),
    from(Mend::AnonymousRows, "set-cookie", "theme=*", "theme=* ++ nextbnb=new; *"),
    from(Mend::AnonymousRows, "row *", "{\"cookie\":{*\"path\":\"/\"}}", ""),
    from(Mend::AnonymousRows, "row *", "{\"cookie\":{*\"path\":\"/\",\"sameSite\":\"*\"}}", ""),
    from(Mend::AnonymousRows, "row * data", "{\"cookie\":{*\"path\":\"/\"}}", "*"),
    from(Mend::AnonymousRows, "row * before", "*", ""),
    // Statuses
    from(Mend::Statuses, "status", "500", "401"),
    from(Mend::Statuses, "status", "500", "409"),
    from(Mend::Statuses, "status", "500", "422"),
    from(Mend::Statuses, "status", "200", "422"),
    from(Mend::Statuses, "status", "500", "415"),
    from(Mend::Statuses, "status", "500", "400"),
    from(Mend::Statuses, "body", "{\"status\":\"error\",*", "{\"status\":\"error\",*"),
    from(Mend::Statuses, "body", "<!DOCTYPE html>*", "{\"status\":\"error\",*"),
    from(Mend::Statuses, "content-length", "1*", "*"),
    from(Mend::Statuses, "content-type", "", "application/json; charset=utf-8"),
    from(Mend::Statuses, "content-type", "text/html; *", "application/json; charset=utf-8"),
    from(Mend::Statuses, "content-security-policy", "default-src 'none'", ""),
    from(Mend::Statuses, "x-content-type-options", "nosniff", ""),
    from(Mend::Statuses, "cache-control", "", "no-store"),
    from(Mend::Logout, "set-cookie", "", "*=; *Expires=over*"),
];
