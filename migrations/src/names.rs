//! What the tables are called.

/// The names that a site gave Sequelize; any text but the empty one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableNames {
    /// The table of sessions (`--session-table`).
    pub sessions: String,
    /// The table of accounts (`--users-table`).
    pub users: String,
}

impl Default for TableNames {
    fn default() -> Self {
        Self { sessions: "Sessions".to_owned(), users: "users".to_owned() }
    }
}

impl TableNames {
    pub(crate) fn quoted_sessions(&self) -> String {
        quoted(&self.sessions)
    }

    pub(crate) fn quoted_users(&self) -> String {
        quoted(&self.users)
    }

    /// The name of something of ours that belongs to these tables, and to no others in the same
    /// schema.
    pub(crate) fn own(&self, name: &str) -> String {
        if *self == Self::default() {
            return name.to_owned();
        }
        format!("{name}_{:08x}", fingerprint(&format!("{}\0{}", self.sessions, self.users)))
    }
}

/// As an identifier in SQL.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// As a text in SQL.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// FNV-1a: the same in every version and on every machine, as a name in a schema must be.
fn fingerprint(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_whatever_is_in_them() {
        assert_eq!(quoted(r#"a"b.c"#), r#""a""b.c""#);
        assert_eq!(literal("it's"), "'it''s'");
    }

    #[test]
    fn what_is_ours_has_a_name_for_each_pair_of_tables() {
        let tables = |sessions: &str, users: &str| TableNames {
            sessions: sessions.to_owned(),
            users: users.to_owned(),
        };
        assert_eq!(TableNames::default().own("x"), "x");
        let one = tables("sessions", "users").own("x");
        assert_eq!(one, tables("sessions", "users").own("x"));
        assert_ne!(one, tables("sessionsu", "sers").own("x"));
        assert_eq!(fingerprint("a"), 0xe40c_292c, "the vector of FNV's authors");
    }
}
