//! What the tables are called, and the columns of accounts.

/// What Sequelize calls the column of a time by which a `paranoid` model keeps what was deleted, in
/// its two spellings.
pub const DELETED_AT: [&str; 2] = ["deletedAt", "deleted_at"];

/// The names that a site gave Sequelize; any text but the empty one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableNames {
    /// The table of sessions (`--session-table`).
    pub sessions: String,
    /// The table of accounts (`--users-table`).
    pub users: String,
    /// The columns of accounts (`--users-column`).
    pub user_columns: UserColumns,
}

impl Default for TableNames {
    fn default() -> Self {
        Self {
            sessions: "Sessions".to_owned(),
            users: "users".to_owned(),
            user_columns: UserColumns::default(),
        }
    }
}

/// What the columns are called that the gateway reads of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserColumns {
    /// The primary key.
    pub id: String,
    /// The address that signs in.
    pub email: String,
    /// The bcrypt hash.
    pub password: String,
    /// What the person wants to be called. Only one that is called [`Self::OUR_NAME`] is added
    /// where it is missing, and done without where it cannot be.
    pub name: String,
}

impl UserColumns {
    /// The column that no course's site has.
    pub const OUR_NAME: &str = "name";

    /// Whether accounts may be without a name.
    pub fn name_is_ours(&self) -> bool {
        self.name == Self::OUR_NAME
    }
}

impl Default for UserColumns {
    fn default() -> Self {
        let [id, email, password, name] =
            ["id", "email", "password", Self::OUR_NAME].map(str::to_owned);
        Self { id, email, password, name }
    }
}

impl TableNames {
    pub(crate) fn quoted_sessions(&self) -> String {
        quoted(&self.sessions)
    }

    pub(crate) fn quoted_users(&self) -> String {
        quoted(&self.users)
    }

    /// The name of something of ours that belongs to these tables and columns, and to no others in
    /// the same schema.
    pub fn own(&self, name: &str) -> String {
        let default = Self::default();
        if *self == default {
            return name.to_owned();
        }
        let UserColumns { id, email, password, name: of_name } = &self.user_columns;
        let mut place = vec![self.sessions.as_str(), &self.users];
        if self.user_columns != default.user_columns {
            place.extend([id.as_str(), email, password, of_name]);
        }
        format!("{name}_{:08x}", fingerprint(&place.join("\0")))
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
            ..TableNames::default()
        };
        assert_eq!(TableNames::default().own("x"), "x");
        let mut renamed = TableNames::default();
        renamed.user_columns.email = "mail".to_owned();
        assert_ne!(renamed.own("x"), "x", "another column wants another index");
        let one = tables("sessions", "users").own("x");
        assert_eq!(one, tables("sessions", "users").own("x"));
        assert_ne!(one, tables("sessionsu", "sers").own("x"));
        assert_eq!(fingerprint("a"), 0xe40c_292c, "the vector of FNV's authors");
    }
}
