//! The key of an account.

use std::fmt;

use serde::{Serialize, Serializer};
use tracing::Value;

/// `users.id`, which the frontend keeps its own data under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserId {
    /// A number.
    Number(i64),
    /// A number that JavaScript has as text, since it may be larger than its own are exact.
    Big(i64),
    /// A text, such as a UUID.
    Text(String),
}

impl UserId {
    /// For a field of a log line.
    pub fn as_value(&self) -> &dyn Value {
        match self {
            Self::Number(number) | Self::Big(number) => number,
            Self::Text(text) => text,
        }
    }

    /// As JavaScript has it, and so `passport.user`: [`Self::Big`] is a text there.
    pub fn to_javascript(&self) -> serde_json::Value {
        match self {
            Self::Number(number) => (*number).into(),
            Self::Big(number) => number.to_string().into(),
            Self::Text(text) => text.as_str().into(),
        }
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) | Self::Big(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// JavaScript's `Number.MAX_SAFE_INTEGER`.
const LARGEST_EXACT: u64 = (1 << 53) - 1;

/// In the gateway's own answers every number is one, but for those that JavaScript would take for
/// another, which are texts.
impl Serialize for UserId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) | Self::Big(number) if number.unsigned_abs() <= LARGEST_EXACT => {
                serializer.serialize_i64(*number)
            }
            Self::Number(number) | Self::Big(number) => serializer.collect_str(number),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_javascript_would_take_for_another_is_a_text() {
        let check = |number: i64, expected: &str| {
            assert_eq!(serde_json::to_string(&UserId::Big(number)).unwrap(), expected);
        };
        check(7, "7");
        check(9_007_199_254_740_991, "9007199254740991");
        check(9_007_199_254_740_993, r#""9007199254740993""#);
        check(-9_007_199_254_740_993, r#""-9007199254740993""#);
        check(i64::MIN, r#""-9223372036854775808""#);
    }
}
