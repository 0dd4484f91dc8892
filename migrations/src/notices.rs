//! What the triggers say, and to whom: the other half of the gateway's change feed.
//!
//! A notice goes to the channel `nextbnb_` with the table's number in the database, so that sites in
//! one database do not hear each other, and is a JSON array, or [`EVERYTHING`]. Everybody who may
//! connect to the database can listen, so a session is named by half of its id's SHA-256.

use crate::names::quoted;
use crate::{DELETED_AT, UserColumns};

/// What a notice says of which not even the rows are known, or too many.
pub const EVERYTHING: &str = "*";

/// The channel of the table with this number (`pg_class.oid`).
pub fn channel(table: u32) -> String {
    format!("nextbnb_{table}")
}

/// Changes of one statement that are told one by one; one notice holds them, of at most 8000 bytes.
const MOST: usize = 50;

/// Ends as every notice does: `changed` holds what is told by name, at most one more than [`MOST`].
fn telling(changed: &str, names: &str) -> String {
    format!(
        "
DECLARE
  changed text[];
  notice text;
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    notice := '{EVERYTHING}';
{changed}
  END IF;
  IF cardinality(changed) > {MOST} THEN
    notice := '{EVERYTHING}';
  ELSIF cardinality(changed) > 0 THEN
    notice := array_to_json({names})::text;
    IF octet_length(notice) > 7999 THEN
      notice := '{EVERYTHING}';
    END IF;
  END IF;
  IF notice IS NOT NULL THEN
    PERFORM pg_notify('nextbnb_' || TG_RELID, notice);
  END IF;
  RETURN NULL;
END
"
    )
}

/// What becomes of `rows`, of which `changed` takes the first.
fn among(rows: &str) -> String {
    format!("    SELECT array_agg(key) INTO changed FROM ({rows} LIMIT {MOST} + 1) AS first_ones;")
}

/// The values of `columns` in the row `r` as one text, NULL for a column that the table has not:
/// its name is looked for in `own` first, and then in the query around, where `absent` has it.
fn shown(columns: &[String]) -> String {
    format!("(SELECT ROW({})::text FROM (SELECT r.*) AS own)", columns.join(", "))
}

fn absent(columns: &[String]) -> String {
    let columns: Vec<_> = columns.iter().map(|column| format!("NULL AS {column}")).collect();
    format!("(SELECT {}) AS absent", columns.join(", "))
}

fn deleted_at() -> Vec<String> {
    DELETED_AT.map(quoted).into()
}

/// An end that has passed already is news to nobody, and moving it forward, as each visit does,
/// makes nobody's knowledge wrong.
pub(crate) fn of_sessions() -> String {
    let (shown, absent) = (shown(&deleted_at()), absent(&deleted_at()));
    let rows = |table: &str| {
        format!(
            "SELECT r.sid::text AS key, r.data::text AS data, r.expires, {shown} AS deleted
        FROM {absent}, {table} AS r"
        )
    };
    let inserted = among("SELECT sid::text AS key FROM new_rows");
    let deleted =
        among("SELECT sid::text AS key FROM old_rows WHERE expires IS NULL OR expires > now()");
    let updated = among(&format!(
        "
      SELECT coalesce(o.key, n.key) AS key
      FROM ({old}) AS o
      FULL JOIN ({new}) AS n ON o.key = n.key
      WHERE o.key IS NULL OR n.key IS NULL
        OR o.data IS DISTINCT FROM n.data OR o.deleted IS DISTINCT FROM n.deleted
        OR coalesce(n.expires, 'infinity') < coalesce(o.expires, 'infinity')
        OR o.expires <= now()",
        old = rows("old_rows"),
        new = rows("new_rows"),
    ));
    telling(
        &format!(
            "  ELSIF TG_OP = 'INSERT' THEN
{inserted}
  ELSIF TG_OP = 'DELETE' THEN
{deleted}
  ELSE
{updated}"
        ),
        "ARRAY(SELECT left(encode(sha256(convert_to(key, 'UTF8')), 'hex'), 32) \
         FROM unnest(changed) AS key)",
    )
}

/// What shows in nobody's identity is no news.
pub(crate) fn of_users(columns: &UserColumns) -> String {
    let UserColumns { id, email, password, name } = columns;
    let mut optional = deleted_at();
    optional.push(quoted(name));
    optional.sort();
    optional.dedup();
    let all = [vec![quoted(email), quoted(password)], optional.clone()].concat();
    let (id, shown, absent) = (quoted(id), shown(&all), absent(&optional));
    let rows = |table: &str| {
        format!("SELECT r.{id}::text AS key, {shown} AS shown FROM {absent}, {table} AS r")
    };
    let deleted = among(&format!("SELECT {id}::text AS key FROM old_rows"));
    let updated = among(&format!(
        "
      SELECT coalesce(o.key, n.key) AS key
      FROM ({old}) AS o
      FULL JOIN ({new}) AS n ON o.key = n.key
      WHERE o.shown IS DISTINCT FROM n.shown",
        old = rows("old_rows"),
        new = rows("new_rows"),
    ));
    telling(
        &format!(
            "  ELSIF TG_OP = 'DELETE' THEN
{deleted}
  ELSE
{updated}"
        ),
        "changed",
    )
}
