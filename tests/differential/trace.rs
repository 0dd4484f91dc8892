//! What a step was seen to do, with ids and times replaced by what they mean.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use http::header;

use crate::client::Reply;

/// Fields that belong to a connection, the framework or the clock, and the one that the gateway
/// gives every answer. Framing is compared by the body that comes out.
const IGNORED: [&str; 7] = [
    "connection",
    "date",
    "etag",
    "keep-alive",
    "set-cookie", // compared by itself
    "transfer-encoding",
    "x-request-id",
];

/// What one request did.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) status: String,
    pub(crate) headers: BTreeMap<String, String>,
    /// Every Set-Cookie in order, as in `nextbnb=new; Path=/; Expires=+30d; HttpOnly`.
    pub(crate) cookies: String,
    pub(crate) body: String,
    pub(crate) tables: Tables,
}

/// The rows there were afterwards.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Tables {
    /// In the order of `owner`.
    pub(crate) sessions: Vec<Row>,
    /// Address and kind of hash, in the order of their ids.
    pub(crate) users: Vec<String>,
}

/// A row of `"Sessions"`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    /// Whose cookie names it.
    pub(crate) owner: String,
    pub(crate) data: String,
    pub(crate) expires: String,
    pub(crate) created: String,
    pub(crate) updated: String,
}

/// What a cookie's id is to the visitor who is given it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Given {
    New,
    Same,
    /// One that was seen before, though not in this request.
    Earlier,
}

impl Seen {
    pub(crate) fn new(reply: &Reply, cookies: String, tables: Tables) -> Self {
        let mut headers = BTreeMap::new();
        for name in reply.headers.keys().filter(|name| !IGNORED.contains(&name.as_str())) {
            let values = reply.headers.get_all(name).iter();
            let values: Vec<_> = values.map(|value| lossy(value.as_bytes())).collect();
            headers.insert(name.to_string(), values.join(" ++ "));
        }
        let (status, body) = (reply.status.as_u16().to_string(), lossy(&reply.body));
        Self { status, headers, cookies, body, tables }
    }
}

/// The Set-Cookie fields of `reply`; `give` is told the value of each session cookie.
pub(crate) fn cookies(
    reply: &Reply,
    name: &str,
    now: DateTime<Utc>,
    mut give: impl FnMut(&str, bool) -> Given,
) -> String {
    let fields = reply.headers.get_all(header::SET_COOKIE).iter();
    let told = fields.map(|field| {
        let field = lossy(field.as_bytes());
        let mut parts = field.split("; ").map(str::to_owned).collect::<Vec<_>>();
        let mut is_over = false;
        for part in &mut parts {
            if let Some(time) = part.strip_prefix("Expires=") {
                let time = DateTime::parse_from_rfc2822(time).expect(&field).to_utc();
                is_over = time <= now;
                *part =
                    format!("Expires={}", if is_over { "over".into() } else { since(now, time) });
            }
        }
        if let Some(value) = parts[0].strip_prefix(name).and_then(|part| part.strip_prefix('=')) {
            let given = if value.is_empty() {
                String::new()
            } else {
                format!("{:?}", give(value, is_over))
            };
            parts[0] = format!("{name}={}", given.to_lowercase());
        }
        parts.join("; ")
    });
    told.collect::<Vec<_>>().join(" ++ ")
}

/// A row's text with its cookie's end told from `now`, and a life that is milliseconds short of what
/// was configured (express-session reads the clock twice) made whole.
pub(crate) fn data(text: &str, now: DateTime<Utc>) -> String {
    let mut told = text.to_owned();
    if let Some(at) = text.find("\"expires\":\"") {
        let start = at + "\"expires\":\"".len();
        let time = text[start..].split('"').next().unwrap();
        if let Ok(moment) = time.parse::<DateTime<Utc>>() {
            told = text.replacen(time, &since(now, moment), 1);
        }
    }
    if let Some(at) = told.find("\"originalMaxAge\":") {
        let start = at + "\"originalMaxAge\":".len();
        let digits: String = told[start..].chars().take_while(char::is_ascii_digit).collect();
        let life: u64 = digits.parse().unwrap_or_default();
        if life % 60_000 >= 59_900 {
            let whole = life.next_multiple_of(60_000).to_string();
            told.replace_range(start..start + digits.len(), &whole);
        }
    }
    told
}

/// A row's text with an account's id in it replaced by its address, in the form that it had there.
pub(crate) fn named(text: &str, ids: &[(String, String)]) -> String {
    let mut told = text.to_owned();
    for (id, email) in ids {
        for member in ["user", "id"] {
            for (quote, end) in [("\"", "\""), ("", ","), ("", "}")] {
                let form = |what: &str| format!("\"{member}\":{quote}{what}{end}");
                told = told.replace(&form(id), &form(&format!("<id of {email}>")));
            }
        }
    }
    told
}

/// `+29d23h`, `-1h`, `0`: to the minute, so that the time a step takes does not show.
pub(crate) fn since(now: DateTime<Utc>, moment: DateTime<Utc>) -> String {
    let seconds = (moment - now).num_milliseconds() as f64 / 1000.0;
    let minutes = TimeDelta::minutes((seconds / 60.0).round() as i64);
    if minutes.is_zero() {
        return "0".to_owned();
    }
    let size = minutes.abs();
    let parts =
        [(size.num_days(), 'd'), (size.num_hours() % 24, 'h'), (size.num_minutes() % 60, 'm')];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let told: Vec<_> = parts.map(|(count, unit)| format!("{count}{unit}")).collect();
    format!("{}{}", if seconds < 0.0 { '-' } else { '+' }, told.concat())
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
