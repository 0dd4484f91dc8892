//! Any cookie and any row: what the gateway makes of it is what the real packages make of it.

use std::io::Write;
use std::process::{Command, Stdio};

use http::{HeaderMap, HeaderValue, header};
use nextbnb_gateway::session::id::SessionId;
use nextbnb_gateway::session::presented::presented;
use nextbnb_gateway::session::record::SessionRecord;
use nextbnb_gateway::session::secrets::Secrets;
use nextbnb_gateway::session::signed_cookie;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::express;
use crate::player::signature;

const NAME: &str = "nextbnb";

/// Questions put to Node at once.
const QUESTIONS: usize = 4000;

/// A question to both sides.
#[derive(Debug, Clone)]
struct Question {
    header: Vec<u8>,
    secrets: Vec<String>,
    data: String,
}

/// One to three secrets, mostly those that sign the cookies below.
fn secrets() -> impl Strategy<Value = Vec<String>> {
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
fn cookie_header() -> impl Strategy<Value = Vec<u8>> {
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
fn data() -> impl Strategy<Value = String> {
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

fn question() -> impl Strategy<Value = Question> {
    (cookie_header(), secrets(), data()).prop_map(|(header, secrets, data)| Question {
        header,
        secrets,
        data,
    })
}

impl Question {
    /// The ids that the gateway finds, and what it makes of the row.
    fn ask_gateway(&self) -> (Vec<String>, Option<SessionRecord>) {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_bytes(&self.header).unwrap());
        let ids = presented(&headers, NAME, &keys(&self.secrets));
        let ids = ids.iter().map(|id| id.as_str().to_owned()).collect();
        (ids, SessionRecord::read(self.data.clone()).ok())
    }

    fn to_json(&self, record: Option<&SessionRecord>) -> Value {
        let header: String = self.header.iter().copied().map(char::from).collect();
        let signed_out = record.filter(|record| record.user.is_some());
        let signed_out = signed_out.and_then(|record| record.signed_out(None));
        json!({
            "header": header,
            "name": NAME,
            "secrets": self.secrets,
            "data": self.data,
            "signedOut": signed_out,
        })
    }
}

fn keys(secrets: &[String]) -> Secrets {
    let secrets: Vec<Vec<u8>> = secrets.iter().map(|secret| secret.clone().into_bytes()).collect();
    Secrets::new(&secrets).unwrap()
}

fn ask_node(questions: &Value) -> Vec<Value> {
    let mut node = Command::new("node")
        .arg("oracle.mjs")
        .current_dir(express::folder())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node");
    node.stdin.take().unwrap().write_all(questions.to_string().as_bytes()).unwrap();
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success(), "node ended with {}", output.status);
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn cookies_and_rows_mean_what_they_mean_to_the_real_packages() {
    let mut runner = TestRunner::new(Config::default());
    let questions: Vec<Question> =
        (0..QUESTIONS).map(|_| question().new_tree(&mut runner).unwrap().current()).collect();
    let ours: Vec<_> = questions.iter().map(Question::ask_gateway).collect();
    let asked =
        questions.iter().zip(&ours).map(|(question, (_, row))| question.to_json(row.as_ref()));
    let theirs = ask_node(&asked.collect());

    let (mut found, mut readable, mut signed_in) = (0, 0, 0);
    for ((question, (ids, record)), node) in questions.iter().zip(&ours).zip(&theirs) {
        // Where several cookies have the name, Express takes the first, the gateway the first good
        // one; an id with a NUL is in no row, so it is as good as none.
        if let Some(sid) = node["sid"].as_str().filter(|sid| !sid.contains('\0')) {
            assert_eq!(ids.first().map(String::as_str), Some(sid), "{question:?}");
            found += 1;
        } else {
            let mut names = question.header.split(|&byte| byte == b';');
            let is_doubled = names.by_ref().filter(|pair| is_ours(pair)).count() > 1;
            assert!(ids.is_empty() || is_doubled, "{question:?}: {ids:?}");
        }
        assert_eq!(record.is_some(), node["row"]["readable"], "{question:?}");
        if let Some(record) = record {
            assert_eq!(record.user.as_deref(), node["row"]["user"].as_str(), "{question:?}");
            assert_eq!(node["row"]["signedOutHere"], node["row"]["signedOut"], "{question:?}");
            readable += 1;
            signed_in += usize::from(record.user.is_some());
        }
    }
    let enough = [found, readable, signed_in].into_iter().all(|count| count > QUESTIONS / 10);
    assert!(enough, "{found} cookies, {readable} rows, {signed_in} users say little");
}

fn is_ours(pair: &[u8]) -> bool {
    let name = pair.split(|&byte| byte == b'=').next().unwrap_or_default();
    String::from_utf8_lossy(name).trim_matches([' ', '\t']) == NAME
}

proptest! {
    #![proptest_config(Config { cases: 500, failure_persistence: None, ..Config::default() })]

    #[test]
    fn nothing_but_a_signature_makes_a_session(header in cookie_header(), secret in "[a-z]{33,40}") {
        let question = Question { header, secrets: vec![secret], data: String::new() };
        prop_assert!(question.ask_gateway().0.is_empty());
    }

    #[test]
    fn a_cookie_is_read_as_it_was_written(secrets in secrets(), others in cookie_header()) {
        let id = SessionId::generate().unwrap();
        let written = signed_cookie::write(&id, &keys(&secrets));
        let expected = format!("s:{}.{}", id.as_str(), signature(id.as_str(), secrets[0].as_bytes()));
        prop_assert_eq!(percent_encoding::percent_decode_str(&written).decode_utf8().unwrap(), expected);
        let header = [NAME.as_bytes(), b"=", written.as_bytes(), b";", &others].concat();
        let question = Question { header, secrets, data: String::new() };
        let (ids, _) = question.ask_gateway();
        prop_assert_eq!(ids.first().map(String::as_str), Some(id.as_str()));
    }

    #[test]
    fn a_renewal_moves_the_end_and_leaves_every_other_byte(data in data()) {
        let moment = "2027-01-01T00:00:00Z".parse().unwrap();
        if let Ok(record) = SessionRecord::read(data.clone()) {
            prop_assert_eq!(record.text(), &data);
            if let Some(renewed) = record.renewed(moment) {
                let again = SessionRecord::read(renewed.clone()).unwrap();
                prop_assert_eq!(&again.user, &record.user);
                prop_assert_eq!(again.renewed(moment), Some(renewed.clone()));
                let kept = data.replacen("\"2026-12-23T09:15:16.146Z\"", "\"2027-01-01T00:00:00.000Z\"", 1);
                prop_assert!(renewed == kept || !data.contains("\"2026-12-23T09:15:16.146Z\""), "{renewed}");
            }
        }
    }
}
