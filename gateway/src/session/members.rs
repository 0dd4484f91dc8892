//! The members of a JSON object, each still the text it was.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// An object's members in order. As in JavaScript, the last of several with one name counts.
///
/// Names and values are looked at only when asked for, so that what a Rust string cannot hold (a
/// lone surrogate) does no harm where nobody asks.
pub(crate) struct Members<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'a> Members<'a> {
    /// `None` for what is not valid JSON or not an object.
    pub(crate) fn of(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The texts of names and values, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().map(|(name, value)| (name.get(), value.get()))
    }

    /// The text of a member's value.
    pub(super) fn raw(&self, name: &str) -> Option<&'a str> {
        self.0.iter().rev().find(|(key, _)| is_named(key, name)).map(|(_, value)| value.get())
    }

    /// The text of an object that lacks the members of this name, the others as they were.
    pub(super) fn without(&self, name: &str) -> String {
        let others = self.0.iter().filter(|(key, _)| !is_named(key, name));
        let others: Vec<_> =
            others.map(|(key, value)| format!("{}:{}", key.get(), value.get())).collect();
        format!("{{{}}}", others.join(","))
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.raw(name)?).ok()
    }

    /// Whether JavaScript's `if` takes a member for true; `None` where there is none.
    pub(super) fn truth(&self, name: &str) -> Option<bool> {
        Some(match self.raw(name)? {
            "null" | "false" | "\"\"" => false,
            value if value.starts_with(['"', '[', '{']) => true,
            value => serde_json::from_str::<f64>(value).map_or(true, |number| number != 0.0),
        })
    }

    pub(super) fn object(&self, name: &str) -> Option<Self> {
        Self::of(self.raw(name)?)
    }
}

impl Members<'_> {
    /// The text of an object with this value under this name, in the place of what was there, else
    /// at the end; the others as they were.
    pub(super) fn with(&self, name: &str, value: &str) -> String {
        let mut members = Vec::with_capacity(self.0.len() + 1);
        let mut is_missing = true;
        for (key, old) in &self.0 {
            if !is_named(key, name) {
                members.push(format!("{}:{}", key.get(), old.get()));
            } else if is_missing {
                members.push(format!("{}:{value}", key.get()));
                is_missing = false;
            }
        }
        if is_missing {
            members.push(format!("\"{name}\":{value}"));
        }
        format!("{{{}}}", members.join(","))
    }
}

fn is_named(key: &RawValue, name: &str) -> bool {
    serde_json::from_str::<String>(key.get()).is_ok_and(|key| key == name)
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Vec<(&'de RawValue, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(Collect).map(Self)
    }
}
