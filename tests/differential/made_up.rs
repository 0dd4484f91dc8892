//! Cookies and rows that nobody wrote: made up at random, and those that went wrong somewhere once.

use std::fmt;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::Strategy;

use crate::fill::signature;

/// The cookie's name.
pub(crate) const NAME: &str = "nextbnb";

/// A question to both sides.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) header: Vec<u8>,
    pub(crate) secrets: Vec<String>,
    pub(crate) data: String,
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (header, start) = (self.header.escape_ascii(), self.data.chars().take(500));
        write!(f, "{header} by {:?}; {} bytes ", self.secrets, self.data.len())?;
        write!(f, "{}", start.collect::<String>())
    }
}

/// One to three secrets, mostly those that sign the cookies below.
pub(crate) fn secrets() -> impl Strategy<Value = Vec<String>> {
    prop_oneof![
        6 => Just(vec!["first".to_owned(), "second".to_owned()]),
        1 => Just(vec!["second".to_owned()]),
        1 => vec(any::<String>().prop_filter("Node refuses an empty one", |s| !s.is_empty()), 1..4),
    ]
}

/// Cookie values: signed well, badly, encoded in any way, or anything.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let sid = prop_oneof![
        3 => "[A-Za-z0-9_-]{32}".boxed(),
        1 => "[a-z.%é ]{0,8}".boxed(),
        1 => any::<String>().boxed(),
    ];
    let signed = (
        sid,
        prop_oneof!["first", "first", "second", "third"],
        "[ =.A-Za-z0-9+/%\"]{0,3}",
        0..6_u8,
    );
    let signed = signed.prop_map(|(sid, secret, tail, how)| {
        let plain = format!("s:{sid}.{}", signature(&sid, secret.as_bytes()));
        let encoded = utf8_percent_encode(&plain, NON_ALPHANUMERIC).to_string();
        match how {
            0 => format!("{encoded}{tail}"),
            1 => plain,
            2 => format!("\"{encoded}\""),
            3 => encoded.to_lowercase(),
            4 => encoded.replacen("s%3A", &tail, 1),
            _ => encoded,
        }
    });
    prop_oneof![
        4 => signed.prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 0..40),
        1 => "(s%3A|s:)?[%0-9A-Fa-fsS:.=\" ]{0,20}".prop_map(String::into_bytes),
    ]
}

/// Headers with our cookie among others, spelt in any way that a header can hold.
pub(crate) fn cookie_header() -> impl Strategy<Value = Vec<u8>> {
    let name = prop_oneof![4 => Just(NAME.to_owned()), 1 => "[ \t]?(nextbnb|NEXTBNB|next|)[ \t]?"];
    let pair = (name, "[ \t]{0,2}=?[ \t]{0,2}", value())
        .prop_map(|(name, sign, value)| [name.as_bytes(), sign.as_bytes(), &value].concat());
    let pair = prop_oneof![4 => (Just(NAME), value()).prop_map(|(name, value)| {
        [name.as_bytes(), b"=", &value].concat()
    }), 2 => pair, 1 => vec(any::<u8>(), 0..20)];
    vec(pair, 0..4).prop_map(|pairs| {
        let mut header = pairs.join(&b"; "[..]);
        header.retain(|&byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f));
        // Neither hyper nor Node hands on what surrounds a field's value.
        let text: String = header.into_iter().map(char::from).collect();
        text.trim_matches([' ', '\t']).chars().map(|c| c as u8).collect()
    })
}

/// JSON texts in any spelling, most of them rows.
pub(crate) fn data() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        "\"[a-zé@. ]{0,8}\"",
        Just(r#""\ud83d\ude00""#.to_owned()),
        Just(r#""\ud800""#.to_owned()),
        Just(r#""a@b.c""#.to_owned()),
        Just(r#""\u0061@b\u002ec\/\n""#.to_owned()),
    ];
    let number =
        prop_oneof!["-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,5})?(e[+-]?[0-9]{1,2})?", "-0|1e3|1\\.50"];
    let leaf = prop_oneof![text, number, "null|true|false"];
    let key = prop_oneof![
        3 => Just("\"user\"".to_owned()), 1 => Just("\"cookie\"".to_owned()),
        1 => Just("\"passport\"".to_owned()), 1 => Just(r#""us\u0065r""#.to_owned()),
        1 => Just("\"__proto__\"".to_owned()), 1 => "\"[0-9a-z]{0,3}\"", 1 => Just(r#""\udfff""#.to_owned()),
    ];
    let nested = leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            3 => vec((key.clone(), inner.clone(), "[ \n]?"), 0..4).prop_map(object),
            1 => vec(inner, 0..3).prop_map(|items| format!("[{}]", items.join(", "))),
        ]
    });
    let age = prop_oneof!["null", "2592000000", "1e3", "-?[0-9]{1,12}\\.5", "\"x\"", "true"];
    let cookie = (age, nested.clone()).prop_map(|(age, other)| {
        format!(r#"{{"originalMaxAge":{age},"expires":"2026-12-23T09:15:16.146Z","x":{other}}}"#)
    });
    let user = prop_oneof![Just("\"ada@b.c\"".to_owned()), nested.clone()];
    let user = user.prop_map(|user| format!(r#"{{"user":{user},"a":1}}"#));
    let passport = prop_oneof![1 => nested.clone(), 3 => user];
    let row = (cookie, passport, nested.clone(), "[ \n]?", any::<bool>());
    let row = row.prop_map(|(cookie, passport, other, blank, first)| {
        let (cookie, passport) =
            (format!("\"cookie\":{cookie}"), format!("\"passport\":{passport}"));
        let (one, two) = if first { (cookie, passport) } else { (passport, cookie) };
        format!("{{{blank}{one},{blank}\"cart\":{other}{blank},{two}}}")
    });
    let broken =
        (row.clone(), any::<prop::sample::Index>(), any::<char>()).prop_map(|(row, at, other)| {
            let mut letters: Vec<char> = row.chars().collect();
            let at = at.index(letters.len());
            letters[at] = other;
            letters.into_iter().collect()
        });
    prop_oneof![6 => row, 2 => broken, 1 => nested, 1 => any::<String>()]
}

fn object(members: Vec<(String, String, String)>) -> String {
    let members: Vec<_> = members
        .into_iter()
        .map(|(key, value, blank)| format!("{blank}{key}:{blank}{value}"))
        .collect();
    format!("{{{}}}", members.join(","))
}

/// Any of these together.
pub(crate) fn question() -> impl Strategy<Value = Question> {
    (cookie_header(), secrets(), data()).prop_map(|(header, secrets, data)| Question {
        header,
        secrets,
        data,
    })
}
