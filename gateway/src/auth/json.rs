//! The fields of a JSON body as JavaScript reads them: what it can hold and Rust cannot does no harm.

use std::fmt;

use serde::de::{Deserializer, Error, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::answer::AuthStatuses;
use super::refusal::Refusal;
use crate::session::members::Members;

/// An object's fields, or nothing at all, which Express takes for an empty one. It takes a list, too,
/// and finds no field in it.
pub(super) fn read(statuses: AuthStatuses, text: &str) -> Result<Map<String, Value>, Refusal> {
    if text.is_empty() {
        return Ok(Map::new());
    }
    if let Some(members) = Members::of(text) {
        return Ok(members.iter().filter_map(|(name, value)| field(name, value)).collect());
    }
    let is_list =
        text.trim_start().starts_with('[') && serde_json::from_str::<&RawValue>(text).is_ok();
    match statuses {
        AuthStatuses::Express if is_list => Ok(Map::new()),
        AuthStatuses::Express | AuthStatuses::Standard => Err(Refusal::Malformed),
    }
}

/// Of lists and objects only that they are some: no field of ours may be one.
fn field(name: &str, value: &str) -> Option<(String, Value)> {
    let value = match value.as_bytes() {
        [b'"', ..] => Value::String(text(value)?),
        [b'[', ..] => Value::Array(Vec::new()),
        [b'{', ..] => Value::Object(Map::new()),
        // A number that cannot be read is beyond all numbers.
        _ => serde_json::from_str(value).unwrap_or_else(|_| f64::MAX.into()),
    };
    Some((text(name)?, value))
}

/// A JSON string in UTF-8, as Node writes it: U+FFFD for each half of a surrogate pair.
fn text(json: &str) -> Option<String> {
    let mut bytes = serde_json::Deserializer::from_str(json).deserialize_bytes(Wtf8).ok()?;
    for at in 0..bytes.len() {
        if let Some(half @ [0xed, 0xa0..=0xbf, _]) = bytes.get_mut(at..at + 3) {
            half.copy_from_slice("\u{fffd}".as_bytes());
        }
    }
    String::from_utf8(bytes).ok()
}

/// The bytes of a string, in which each half of a pair is written as if it were a letter.
struct Wtf8;

impl Visitor<'_> for Wtf8 {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(body: &str, fields: Option<&Value>) {
        let read = read(AuthStatuses::Standard, body).ok().map(Value::Object);
        assert_eq!(read.as_ref(), fields, "{body:?}");
    }

    #[test]
    fn json_is_one_object() {
        check(r#" {"a":1,"a":"2","b":null} "#, Some(&json!({"a": "2", "b": null})));
        check("", Some(&json!({})));
        for body in ["[]", "null", "\"str\"", "5", "{", "{}}", "{a:1}", "\u{feff}{}", "  "] {
            check(body, None);
        }
    }

    #[test]
    fn a_list_has_no_fields_in_express() {
        let read = |body| read(AuthStatuses::Express, body).ok().map(|fields| fields.len());
        assert_eq!(read(" [1]"), Some(0));
        for body in ["null", "[", "[1,]", "[]]"] {
            assert_eq!(read(body), None, "{body}");
        }
    }

    #[test]
    fn what_no_rust_value_can_hold_does_no_harm() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
        check(&deep, Some(&json!({"a": []})));
        check(r#"{"a":1e400,"b":{"c":1}}"#, Some(&json!({"a": f64::MAX, "b": {}})));
        check(r#"{"\ud800":"a\udc00b"}"#, Some(&json!({"\u{fffd}": "a\u{fffd}b"})));
        check(
            r#"{"a":"\ud83d\ude00\ud7ff\ue000\u00e9"}"#,
            Some(&json!({"a": "😀\u{d7ff}\u{e000}é"})),
        );
    }
}
