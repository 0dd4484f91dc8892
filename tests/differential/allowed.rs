//! Which differences are meant, each under a row of the table of deliberate differences in
//! `docs/express-settings.md`.

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
    /// The first cell of its row in the table.
    pub(crate) row: &'static str,
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

const BOTH: &[Mode] = &[Mode::Default, Mode::Express];
const DEFAULT: &[Mode] = &[Mode::Default];
const EXPRESS: &[Mode] = &[Mode::Express];

/// Everything that differs in scenarios that are about nothing else.
const fn whole(row: &'static str, modes: &'static [Mode], scenario: &'static str) -> Allowed {
    Allowed { row, modes, scenario, what: "*", change: Change::From("*", "*") }
}

const fn in_both(
    row: &'static str,
    scenario: &'static str,
    what: &'static str,
    change: Change,
) -> Allowed {
    Allowed { row, modes: BOTH, scenario, what, change }
}

const fn no_database(what: &'static str, express: &'static str, gateway: &'static str) -> Allowed {
    in_both("no database", "outage: *", what, Change::From(express, gateway))
}

const fn from(
    row: &'static str,
    what: &'static str,
    express: &'static str,
    gateway: &'static str,
) -> Allowed {
    let change = Change::From(express, gateway);
    Allowed { row, modes: DEFAULT, scenario: "*", what, change }
}

const fn reads(
    row: &'static str,
    what: &'static str,
    express: &'static str,
    gateway: &'static str,
) -> Allowed {
    let change = Change::Reads(express, gateway);
    Allowed { row, modes: DEFAULT, scenario: "*", what, change }
}

pub(crate) const ALLOWED: &[Allowed] = &[
    whole("ended rows", BOTH, "visits: ended: *"),
    whole("cookies in shared caches", BOTH, "visits: public: *"),
    whole("doubled cookies", BOTH, "cookies: doubled: *"),
    whole("damaged rows", BOTH, "rows: damaged: *"),
    whole("credentials and internals", BOTH, "routes: refused: *"),
    whole("requests of other sites", BOTH, "routes: foreign: *"),
    whole("hashes of PHP", BOTH, "signing-in: foreign hash: *"),
    whole("spellings in rows", BOTH, "rows: reserved: *"),
    whole("bodies elsewhere", EXPRESS, "routes: elsewhere: *"),
    whole("stricter attributes", BOTH, "lax: a row without SameSite *"),
    whole("stricter attributes", BOTH, "secure-always: a row that is not secure"),
    whole("orphans of `secure: true`", BOTH, "secure-always: a first visit"),
    whole("orphans of `secure: true`", BOTH, "secure-always: login"),
    whole(
        "`passwordConfirmation`",
        BOTH,
        "routes: a register that spells its confirmation otherwise",
    ),
    whole("forms", DEFAULT, "routes: form: *"),
    whole("bodies of logout", DEFAULT, "routes: broken JSON to logout"),
    whole("bodies of logout", DEFAULT, "routes: charset us-ascii"),
    whole("rules for sign-ups", DEFAULT, "signing-in: weak: *"),
    whole("spellings of an address", DEFAULT, "signing-in: spelling: *"),
    // What a session is renewed or touched with shows in everything that comes later.
    whole("touch", DEFAULT, "visits: a visit five minutes later *"),
    whole("touch", DEFAULT, "visits: a session of the browser *"),
    whole("touch", DEFAULT, "rolling: *"),
    whole("renewal", DEFAULT, "visits: a row is *"),
    whole("renewal", DEFAULT, "visits: a row that never ends"),
    whole("renewal", DEFAULT, "visits: a session whose life is its row's *"),
    whole("renewal", DEFAULT, "hour-long: *"),
    whole("guests' rows", DEFAULT, "visits: a visit an hour later *"),
    whole("guests' rows", DEFAULT, "visits: a session of many visits"),
    whole("guests' rows", DEFAULT, "browser-session: a first visit"),
    whole("guests' rows", DEFAULT, "tables: a first visit"),
    in_both(
        "`\"secure\":false`",
        "browser-path: *",
        "row * data",
        Change::Reads("", "\"secure\":false,"),
    ),
    in_both("`X-Powered-By`", "*", "x-powered-by", Change::From("Express", "")),
    Allowed {
        row: "`resave: true`",
        modes: EXPRESS,
        scenario: "resave: visits of a guest",
        what: "row * data",
        change: Change::Reads("\"expires\":\"+30d\"", "\"expires\":\"+29d23h\""),
    },
    in_both(
        "`resave: true`",
        "resave: somebody signed in",
        "row * data",
        Change::From("*\"+30d\"*", "*\"+29d23h\"*"),
    ),
    in_both(
        "`resave: true`",
        "resave: a row in spellings *",
        "row * data",
        Change::From("*\"n\":1.5,*", "*\"n\":1.50,*"),
    ),
    // Before those of statuses, which would allow some of it.
    no_database("status", "500", "503"),
    no_database("status", "500", "200"),
    no_database("retry-after", "", "*"),
    no_database("set-cookie", "*=new; *", ""),
    no_database("body", "*", "*"),
    no_database("c*", "*", "*"),
    no_database("x-content-type-options", "nosniff", ""),
    reads("`SameSite` and `Secure`", "set-cookie", "", "; SameSite=Lax"),
    reads("`SameSite` and `Secure`", "row * data", "\"}", "\",\"sameSite\":\"lax\"}"),
    reads("stricter attributes", "set-cookie", "; Partitioned", "; HttpOnly; Partitioned"),
    from("guests' rows", "set-cookie", "*=new; *", ""),
    from("guests' rows", "set-cookie", "theme=* ++ nextbnb=new; *", "theme=*"),
    from("guests' rows", "set-cookie", "", "*=new; *"),
    from("guests' rows", "set-cookie", "*=same; *", "*=new; *"),
    from("guests' rows", "set-cookie", "theme=*", "theme=* ++ nextbnb=new; *"),
    from("guests' rows", "row *", "{\"cookie\":{*\"path\":\"/\"}}", ""),
    from("guests' rows", "row *", "{\"cookie\":{*\"path\":\"/\",\"sameSite\":\"*\"}}", ""),
    from("guests' rows", "row * data", "{\"cookie\":{*\"path\":\"/\"}}", "*"),
    from("guests' rows", "row * before", "*", ""),
    // Statuses
    from("statuses", "status", "500", "401"),
    from("statuses", "status", "500", "409"),
    from("statuses", "status", "500", "422"),
    from("statuses", "status", "200", "422"),
    from("statuses", "status", "500", "415"),
    from("statuses", "status", "500", "400"),
    from("statuses", "body", "{\"status\":\"error\",*", "{\"status\":\"error\",*"),
    from("statuses", "body", "<!DOCTYPE html>*", "{\"status\":\"error\",*"),
    from("statuses", "content-length", "1*", "*"),
    from("statuses", "content-type", "", "application/json; charset=utf-8"),
    from("statuses", "content-type", "text/html; *", "application/json; charset=utf-8"),
    from("statuses", "content-security-policy", "default-src 'none'", ""),
    from("statuses", "x-content-type-options", "nosniff", ""),
    from("statuses", "cache-control", "", "no-store"),
    from("cookie at logout", "set-cookie", "", "*=; *Expires=over*"),
];

#[test]
fn every_difference_is_told_to_who_switches_over() {
    let page = include_str!("../../docs/express-settings.md");
    let (_, table) = page.split_once("## Deliberate differences").unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let rows: Vec<Vec<_>> = rows.map(|row| row.split(" | ").collect()).collect();
    for row in &rows {
        assert!(row.len() == 4 && row.iter().all(|cell| !cell.is_empty()), "{row:?}");
    }
    for entry in ALLOWED {
        assert!(rows.iter().any(|row| row[0] == entry.row), "no row {:?}", entry.row);
    }
}
