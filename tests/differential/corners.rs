//! Cookies and rows at the corners of what their formats allow.

use crate::fill::signature;
use crate::made_up::{NAME, Question};

/// Deeper than any parser that calls itself can go.
const DEPTH: usize = 10_000;

const WHOLE_MEGABYTE: usize = 1 << 20;

pub(crate) fn questions() -> Vec<Question> {
    let cookies = headers().into_iter().map(|header| (header, row("null", "\"a@b.c\"", "1")));
    let rows = rows().into_iter().map(|data| (good("sid").into_bytes(), data));
    let secrets = vec!["first".to_owned(), "second".to_owned()];
    let question = |(header, data)| Question { header, secrets: secrets.clone(), data };
    cookies.chain(rows).map(question).collect()
}

/// A good cookie, as it is and not encoded.
fn good(sid: &str) -> String {
    format!("{NAME}=s:{sid}.{}", signature(sid, b"first"))
}

fn headers() -> Vec<Vec<u8>> {
    let (one, other) = (good("one"), good("other"));
    let (_, value) = one.split_once('=').unwrap();
    let texts = [
        format!("{one}; {other}"),
        format!("{NAME}=; {one}"),
        format!("{NAME}=junk; {one}"),
        format!("{NAME}; {one}"),
        format!("{}; {one}", good("one").to_uppercase()),
        format!("{NAME}=\"{value}\""),
        format!("{NAME}=\"\"{value}\"\""),
        format!("{NAME}=\"{value}"),
        format!("{NAME}={value}\""),
        format!("{NAME}=\t {value} \t"),
        format!("{NAME} = {value}"),
        format!(";;={one};;{one};"),
        format!("{one}%"),
        format!("{one}%20"),
        format!("{one}="),
        one.replace("one", "%6fne"),
        one.replace("one", "%6Fne"),
        one.replace("one", "%256fne"),
        one.replace("s:", "%73%3a"),
        one.replace("s:", "S:"),
        one.replace("s:", ""),
        good(""),
        good("."),
        good("a.b.c"),
        good("%ff"),
        good("%c3%28"),
        good("%e9"),
        good("%ed%a0%80"),
        good("100%"),
        good("é").replace('é', "%c3%a9"),
        good("€").replace('€', "%E2%82%AC"),
        good("a\0b").replace('\0', "%00"),
        good("a b").replace(' ', "+"),
        good("a;b").replace(';', "%3b"),
        good("a;b"),
    ];
    let latin_1 = [b"nextbnb=s:\xe9.", signature("é", b"first").as_bytes()].concat();
    let utf_8 = good("é").into_bytes();
    texts.into_iter().map(String::into_bytes).chain([latin_1, utf_8]).collect()
}

fn row(age: &str, user: &str, cart: &str) -> String {
    format!(
        r#"{{"cookie":{{"originalMaxAge":{age},"expires":null}},"passport":{{"user":{user}}},"cart":{cart}}}"#
    )
}

/// Lives of a cookie, most of them none.
const AGES: &str = r#"1.0 1e3 1E+3 -0 -0.0 0 -5 1e400 -1e400 1e-400 8.64e15 8640000000000001
    12345678901234567890 1e15 01 1. .5 +1 1e - NaN Infinity 0x10 "1" [] [5] {} true false null"#;

const USERS: &str = r#""\ud800" "\udc00\ud800" "\ud83d\ude00" "\uD83D" "\u0000" "\u00e9" "\/" "\x"
    "\u12" "" 0 [] {} true null"#;

const CARTS: &str = "1.0 1e400 -0 -1e400 1.5e300 [1,] {,}";

const WHOLE: [&str; 17] = [
    r#"{"cookie":1,"cookie":{}}"#,
    r#"{"cookie":{},"cookie":1}"#,
    r#"{"cookie":{"originalMaxAge":"x","originalMaxAge":5}}"#,
    r#"{"cookie":{},"passport":{"user":"a","user":null}}"#,
    r#"{"cookie":{},"passport":{"user":"a"},"passport":{}}"#,
    r#"{"cookie":{},"passport":{},"p\u0061ssport":{"us\u0065r":"a"}}"#,
    r#"{"__proto__":{"cookie":{}}}"#,
    r#"{"cookie":{"__proto__":{"originalMaxAge":"x"}},"passport":{"__proto__":{"user":"a"}}}"#,
    r#"{"cookie":{},"__proto__":{"passport":{"user":"a"}},"constructor":1,"toString":2}"#,
    r#"{"cookie":{},"passport":{"user":"a","__proto__":5,"2":1,"1":2}}"#,
    "\u{a0}{\"cookie\":{}}",
    "\u{feff}{\"cookie\":{}}",
    "{\"cookie\":{}}\0",
    "{\"cookie\":{}} {}",
    "{\"cookie\":{},}",
    "{'cookie':{}}",
    "{\"cookie\":{}",
];

fn rows() -> Vec<String> {
    let ada = "\"a@b.c\"";
    let (opened, closed) = ("[".repeat(DEPTH), "]".repeat(DEPTH));
    let deep = format!("{opened}{closed}");
    let deep_object = format!("{}1{}", r#"{"a":"#.repeat(DEPTH), "}".repeat(DEPTH));
    let long = format!("\"{}\"", "é".repeat(WHOLE_MEGABYTE / 2));

    let ages = AGES.split_whitespace().chain([&*deep]).map(|age| row(age, ada, "1"));
    let odd_users = ["\"\t\"", "\"\n\"", "\"\u{7f}\"", "\"\u{2028}\"", &deep, &long];
    let users = USERS.split_whitespace().chain(odd_users).map(|user| row("null", user, "1"));
    let odd_carts = [&*deep, &deep_object, &long, &opened];
    let carts = CARTS.split_whitespace().chain(odd_carts).map(|cart| row("5", ada, cart));
    let whole = WHOLE.map(str::to_owned).into_iter().chain([deep.clone(), closed]);
    ages.chain(users).chain(carts).chain(whole).collect()
}
