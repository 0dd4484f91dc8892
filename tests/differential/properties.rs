//! Any cookie and any row: what the gateway makes of it is what the real packages make of it.

use std::io::Write;
use std::process::{Command, Stdio};

use http::{HeaderMap, HeaderValue, header};
use nextbnb_gateway::session::id::SessionId;
use nextbnb_gateway::session::presented::presented;
use nextbnb_gateway::session::record::SessionRecord;
use nextbnb_gateway::session::secrets::Secrets;
use nextbnb_gateway::session::signed_cookie;
use nextbnb_gateway::session::user_key::UserKey;
use proptest::prelude::*;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::fill::signature;
use crate::made_up::{NAME, Question, cookie_header, data, question, secrets};
use crate::{corners, express};

/// Made-up questions put to Node at once.
const QUESTIONS: usize = 10_000;

impl Question {
    /// The ids that the gateway finds, and what it makes of the row.
    fn ask_gateway(&self) -> (Vec<String>, Option<SessionRecord>) {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_bytes(&self.header).unwrap());
        let ids = presented(&headers, NAME, &keys(&self.secrets));
        let ids = ids.iter().map(|id| id.as_str().to_owned()).collect();
        (ids, SessionRecord::read(self.data.clone(), &UserKey::Email).ok())
    }

    fn to_json(&self, record: Option<&SessionRecord>) -> Value {
        let header: String = self.header.iter().copied().map(char::from).collect();
        let signed_out = record.filter(|record| record.user.name().is_some());
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
    let any = question();
    let made_up = (0..QUESTIONS).map(|_| any.new_tree(&mut runner).unwrap().current());
    let questions: Vec<Question> = corners::questions().into_iter().chain(made_up).collect();
    let ours: Vec<_> = questions.iter().map(Question::ask_gateway).collect();
    let asked =
        questions.iter().zip(&ours).map(|(question, (_, row))| question.to_json(row.as_ref()));
    let theirs = ask_node(&asked.collect());

    let (mut found, mut readable, mut signed_in) = (0, 0, 0);
    for ((question, (ids, record)), node) in questions.iter().zip(&ours).zip(&theirs) {
        // Where several cookies have the name, Express takes the first, the gateway the first good
        // one; an id with a NUL is in no row, so it is as good as none.
        if let Some(sid) = node["sid"].as_str().filter(|sid| !sid.contains('\0')) {
            assert_eq!(ids.first().map(String::as_str), Some(sid), "{question}");
            found += 1;
        } else {
            let mut names = question.header.split(|&byte| byte == b';');
            let is_doubled = names.by_ref().filter(|pair| is_ours(pair)).count() > 1;
            assert!(ids.is_empty() || is_doubled, "{question}: {ids:?}");
        }
        assert_eq!(record.is_some(), node["row"]["readable"], "{question}");
        if let Some(record) = record {
            assert_eq!(record.user.name(), node["row"]["user"].as_str(), "{question}");
            assert_eq!(node["row"]["signedOutHere"], node["row"]["signedOut"], "{question}");
            readable += 1;
            signed_in += usize::from(record.user.name().is_some());
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
    #![proptest_config(Config { cases: 2000, failure_persistence: None, ..Config::default() })]

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
        if let Ok(record) = SessionRecord::read(data.clone(), &UserKey::Email) {
            prop_assert_eq!(record.text(), &data);
            if let Some(renewed) = record.renewed(moment) {
                let again = SessionRecord::read(renewed.clone(), &UserKey::Email).unwrap();
                prop_assert_eq!(&again.user, &record.user);
                prop_assert_eq!(again.renewed(moment), Some(renewed.clone()));
                let kept = data.replacen("\"2026-12-23T09:15:16.146Z\"", "\"2027-01-01T00:00:00.000Z\"", 1);
                prop_assert!(renewed == kept || !data.contains("\"2026-12-23T09:15:16.146Z\""), "{renewed}");
            }
        }
    }
}
