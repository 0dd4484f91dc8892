//! Two traces laid side by side.

use std::fmt;

use crate::trace::{Row, Seen, Tables};

/// Something that the gateway does otherwise than Express.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    /// `status`, `set-cookie`, `body`, a header's name, `row ada data`, `users` …
    pub(crate) what: String,
    /// What Express does; empty where it does nothing.
    pub(crate) express: String,
    pub(crate) gateway: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, express, gateway } = self;
        write!(f, "{what}\n      Express: {}\n      gateway: {}", cut(express), cut(gateway))
    }
}

/// Everything in which `gateway` is not `express`.
pub(crate) fn differences(express: &Seen, gateway: &Seen) -> Vec<Difference> {
    let mut found = Found(Vec::new());
    found.note("status", &express.status, &gateway.status);
    found.note("set-cookie", &express.cookies, &gateway.cookies);
    found.note("body", &express.body, &gateway.body);
    let names = express.headers.keys().chain(gateway.headers.keys());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names.dedup();
    for name in names {
        match (express.headers.get(name), gateway.headers.get(name)) {
            // Whether a body is sent in one piece is the servers' own affair.
            (None, Some(_)) | (Some(_), None) if name == "content-length" => {}
            (express, gateway) => {
                let [express, gateway] =
                    [express, gateway].map(|value| value.cloned().unwrap_or_default());
                found.note(name, &express, &gateway);
            }
        }
    }
    found.note_tables(&express.tables, &gateway.tables);
    found.0
}

struct Found(Vec<Difference>);

impl Found {
    fn note(&mut self, what: &str, express: &str, gateway: &str) {
        if express != gateway {
            let [what, express, gateway] = [what, express, gateway].map(str::to_owned);
            self.0.push(Difference { what, express, gateway });
        }
    }

    fn note_tables(&mut self, express: &Tables, gateway: &Tables) {
        self.note("users", &express.users.join(", "), &gateway.users.join(", "));
        let mut left: Vec<&Row> = gateway.sessions.iter().collect();
        for row in &express.sessions {
            let same = left.iter().position(|other| *other == row);
            let same = same.or_else(|| left.iter().position(|other| other.owner == row.owner));
            match same.map(|at| left.remove(at)) {
                Some(other) => self.note_row(row, other),
                None => self.note(&format!("row {}", row.owner), &row.data, ""),
            }
        }
        for row in left {
            self.note(&format!("row {}", row.owner), "", &row.data);
        }
    }

    fn note_row(&mut self, express: &Row, gateway: &Row) {
        let columns = [
            ("data", &express.data, &gateway.data),
            ("expires", &express.expires, &gateway.expires),
            ("created", &express.created, &gateway.created),
            ("updated", &express.updated, &gateway.updated),
        ];
        for (name, in_express, in_gateway) in columns {
            self.note(&format!("row {} {name}", express.owner), in_express, in_gateway);
        }
    }
}

fn cut(text: &str) -> String {
    let short: String = text.chars().take(400).collect();
    if short.len() < text.len() { format!("{short}… ({} bytes)", text.len()) } else { short }
}
