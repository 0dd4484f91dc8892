//! The kinds of column that sites give ids, sids and data, and how each is read and written.

use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func, IntoIden, SimpleExpr};
use sea_orm::{DbBackend, DbErr, QueryResult};
use uuid::Uuid;

use crate::entity::user_id::UserId;

/// A column as text without blanks that fill it up, of whatever kind and length it is.
///
/// Postgres refuses a prepared statement for ever on its connection once the type of a result has
/// changed, as by an `ALTER TABLE` that makes a column longer. This one's never does.
pub(crate) fn select_text(column: impl IntoIden) -> SimpleExpr {
    Expr::col(column.into_iden()).cast_as("text")
}

/// What `users.id` holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdColumn {
    Integer,
    /// Postgres's `bigint` and `numeric`, which its driver for Node gives out as text.
    BigInteger,
    /// Postgres's own type.
    Uuid,
    /// A UUID as text, which is what Sequelize makes of one on SQLite.
    UuidText,
    Text,
    /// Text that Postgres fills up with blanks.
    Padded,
}

impl IdColumn {
    pub(super) fn of(backend: DbBackend, kind: &str) -> Self {
        match (backend, kind) {
            (DbBackend::Sqlite, kind) if kind.contains("uuid") => Self::UuidText,
            // The rules of SQLite's own affinity (sqlite.org/datatype3.html §3.1).
            (DbBackend::Sqlite, kind) if kind.contains("int") => Self::Integer,
            (DbBackend::Sqlite, kind)
                if ["char", "clob", "text"].iter().any(|part| kind.contains(part)) =>
            {
                Self::Text
            }
            (DbBackend::Sqlite, _) | (_, "smallint" | "integer") => Self::Integer,
            (_, "bigint" | "numeric") => Self::BigInteger,
            (_, "uuid") => Self::Uuid,
            (_, "character") => Self::Padded,
            (_, _) => Self::Text,
        }
    }

    /// What [`Self::value`] reads; a key of four bytes as one of eight.
    pub(crate) fn select(self, column: impl IntoIden) -> SimpleExpr {
        let kind = match self {
            Self::Integer | Self::BigInteger => "bigint",
            Self::Uuid | Self::UuidText | Self::Text | Self::Padded => "text",
        };
        Expr::col(column.into_iden()).cast_as(kind)
    }

    pub(crate) fn read(self, row: &QueryResult, index: usize) -> Result<UserId, DbErr> {
        Ok(match self {
            Self::Integer => UserId::Number(row.try_get_by_index(index)?),
            Self::BigInteger => UserId::Big(row.try_get_by_index(index)?),
            Self::Uuid | Self::UuidText | Self::Text | Self::Padded => {
                UserId::Text(row.try_get_by_index(index)?)
            }
        })
    }

    /// An id for a statement; `None` for what the column cannot hold, which Postgres would refuse
    /// even in a question.
    pub(crate) fn value(self, id: &str) -> Option<SimpleExpr> {
        match self {
            Self::Integer | Self::BigInteger => id.parse::<i64>().ok().map(Expr::val),
            Self::Uuid => Uuid::try_parse(id).ok().map(Expr::val),
            Self::UuidText => Uuid::try_parse(id).ok().map(|_| Expr::val(id)),
            Self::Text | Self::Padded if id.contains('\0') => None,
            Self::Text => Some(Expr::val(id)),
            Self::Padded => Some(Expr::val(id).cast_as("bpchar")),
        }
    }

    /// As [`Self::read`] spells the id that is `id` for [`Self::value`].
    pub(crate) fn spelling(self, id: &str) -> Option<String> {
        Some(match self {
            Self::Integer | Self::BigInteger => id.parse::<i64>().ok()?.to_string(),
            Self::Uuid => Uuid::try_parse(id).ok()?.to_string(),
            Self::UuidText => Uuid::try_parse(id).ok().map(|_| id.to_owned())?,
            Self::Text => id.to_owned(),
            Self::Padded => id.trim_end_matches(' ').to_owned(),
        })
    }

    /// Whether an id of a new account can be made here, where the table has no default: that is
    /// what Sequelize's `defaultValue: DataTypes.UUIDV4` leaves behind.
    pub(crate) fn is_uuid(self) -> bool {
        matches!(self, Self::Uuid | Self::UuidText)
    }
}

/// What `users.email` is, as far as it decides which texts are one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EmailColumn {
    Text,
    /// Text that Postgres fills up with blanks.
    Padded,
    /// Postgres's `citext`, for which case makes no difference, by its name in this schema.
    Caseless(String),
}

impl EmailColumn {
    pub(super) fn of(backend: DbBackend, kind: &str) -> Self {
        match (backend, kind) {
            (DbBackend::Postgres, "character") => Self::Padded,
            (DbBackend::Postgres, kind) if kind.rsplit('.').next() == Some("citext") => {
                Self::Caseless(kind.to_owned())
            }
            (_, _) => Self::Text,
        }
    }

    /// An address to compare the column with, as the column itself compares: a parameter is of the
    /// type `text`, for which blanks and case would count.
    pub(crate) fn value(&self, email: &str) -> SimpleExpr {
        let email = Expr::val(email);
        match self {
            Self::Text => email,
            Self::Padded => email.cast_as("bpchar"),
            Self::Caseless(kind) => Expr::cust_with_expr(format!("CAST($1 AS {kind})"), email),
        }
    }

    /// The same text for all that the column takes for one address.
    pub(crate) fn spelling(&self, email: &str) -> String {
        match self {
            Self::Text => email.to_owned(),
            Self::Padded => email.trim_end_matches(' ').to_owned(),
            Self::Caseless(_) => email.to_lowercase(),
        }
    }
}

/// What `"Sessions".sid` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SidColumn {
    Text,
    /// Filled up with blanks, and compared as text without its index.
    Padded,
}

impl SidColumn {
    /// `None` for what holds no sid.
    pub(crate) fn of(backend: DbBackend, kind: &str) -> Option<Self> {
        match (backend, kind) {
            (DbBackend::Sqlite, _) | (_, "text" | "character varying" | "citext") => {
                Some(Self::Text)
            }
            (_, "character") => Some(Self::Padded),
            (_, _) => None,
        }
    }

    pub(crate) fn value(self, sid: &str) -> SimpleExpr {
        self.compared(Expr::val(sid))
    }

    /// A text, in the form that the column compares with.
    pub(crate) fn compared(self, text: SimpleExpr) -> SimpleExpr {
        match self {
            Self::Text => text,
            Self::Padded => text.cast_as("bpchar"),
        }
    }
}

/// What `"Sessions".data` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DataColumn {
    Text,
    /// Whatever a row holds there: what is no text is not made one.
    TextOnSqlite,
    /// A JSON string that holds the session's JSON: a model with `DataTypes.JSON` or `JSONB` writes
    /// the text of connect-session-sequelize so.
    Json(&'static str),
    JsonOnSqlite,
}

impl DataColumn {
    /// `None` for what holds no text.
    pub(crate) fn of(backend: DbBackend, kind: &str) -> Option<Self> {
        Some(match (backend, kind) {
            (DbBackend::Sqlite, kind) if kind.contains("json") => Self::JsonOnSqlite,
            (DbBackend::Sqlite, _) => Self::TextOnSqlite,
            (_, "text" | "character varying" | "character" | "citext") => Self::Text,
            (_, "json") => Self::Json("to_json(CAST($1 AS text))"),
            (_, "jsonb") => Self::Json("to_jsonb(CAST($1 AS text))"),
            (_, _) => return None,
        })
    }

    /// The session's JSON as text, whichever way it is kept.
    pub(crate) fn select(self, column: impl IntoIden) -> SimpleExpr {
        let column = Expr::col(column.into_iden());
        match self {
            Self::Text => column.cast_as("text"),
            Self::TextOnSqlite => column,
            Self::Json(_) => Expr::cust_with_expr("($1 #>> '{}')", column),
            Self::JsonOnSqlite => Expr::cust_with_exprs(
                "CASE WHEN json_valid(?) THEN json_extract(?, '$') ELSE ? END",
                [column.clone(), column.clone(), column],
            ),
        }
    }

    pub(crate) fn value(self, text: &str) -> SimpleExpr {
        let text = Expr::val(text);
        match self {
            Self::Text | Self::TextOnSqlite => text,
            Self::Json(written) => Expr::cust_with_expr(written, text),
            Self::JsonOnSqlite => Func::cust(Alias::new("json_quote")).arg(text).into(),
        }
    }
}
