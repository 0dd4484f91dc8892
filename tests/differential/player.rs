//! Plays a scenario: visitors with their cookies, tables, and who answers which request.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderValue, Method, Request, Uri, header};
use http_body_util::Full;
use nextbnb_tests::chaos::ChaosProxy;
use nextbnb_tests::database::TestDatabase;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::client::{self, Reply};
use crate::fill::encode;
use crate::scenario::{Chapter, Scenario};
use crate::step::{Reach, RequestLine, Step};
use crate::trace::{self, Given, Seen};

/// Within so long a gateway has heard what others wrote.
const HEARD: Duration = Duration::from_millis(100);

/// Who answers before and after the switch, and whom everything that only Express can do asks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cast {
    pub(crate) first: SocketAddr,
    pub(crate) second: SocketAddr,
    pub(crate) express: SocketAddr,
}

/// One performance of a scenario.
pub(crate) struct Player<'a> {
    pub(crate) chapter: &'a Chapter,
    pub(crate) database: &'a TestDatabase,
    link: &'a ChaosProxy,
    patience: Duration,
    pub(crate) visitors: BTreeMap<String, Visitor>,
}

#[derive(Debug, Default)]
pub(crate) struct Visitor {
    /// The cookie's value as it was given.
    pub(crate) cookie: Option<String>,
    /// Every id that was ever in it, the newest last.
    pub(crate) ids: Vec<String>,
}

impl<'a> Player<'a> {
    /// `patience` is the longest wait for rows that are written after the answer.
    pub(crate) fn new(
        chapter: &'a Chapter,
        database: &'a TestDatabase,
        link: &'a ChaosProxy,
        patience: Duration,
    ) -> Self {
        Self { chapter, database, link, patience, visitors: BTreeMap::new() }
    }

    /// Plays every step on empty tables and tells what each request did.
    ///
    /// The rows are read again until `accepts` is content with them or patience is at its end: a server may
    /// write what nobody waits for after its answer.
    pub(crate) async fn play(
        mut self,
        scenario: &Scenario,
        cast: Cast,
        mut accepts: impl FnMut(usize, &Seen) -> bool,
    ) -> Vec<Seen> {
        let (sessions, users) = (self.chapter.sessions_table(), self.chapter.users_table());
        self.link.heal();
        self.database.run(&format!(r#"DELETE FROM "{sessions}"; DELETE FROM "{users}""#)).await;
        let mut trace = Vec::new();
        let mut is_news = false;
        for (index, step) in scenario.steps.iter().enumerate() {
            let server = if index < scenario.switch { cast.first } else { cast.second };
            match step {
                Step::Account { email, password } => self.add_account(email, password).await,
                Step::Row { visitor, data } => self.add_row(visitor, data.as_deref()).await,
                Step::Database(Reach::Down) => self.link.cut(),
                Step::Database(Reach::Up) => self.link.heal(),
                Step::Sql(statement) => self.database.run(&self.fill(statement)).await,
                Step::Age(span) => self.age(*span).await,
                Step::Request(line) => {
                    let server = if line.express_only { cast.express } else { server };
                    if server != cast.express && std::mem::take(&mut is_news) {
                        tokio::time::sleep(HEARD).await;
                    }
                    is_news |= line.express_only;
                    let (reply, cookies) = self.request(line, server, &scenario.name).await;
                    let mut seen = Seen::new(&reply, cookies, self.tables().await);
                    let asked = std::time::Instant::now();
                    while !accepts(trace.len(), &seen) && asked.elapsed() < self.patience {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                        seen.tables = self.tables().await;
                    }
                    trace.push(seen);
                }
            }
            is_news |= matches!(step, Step::Sql(_) | Step::Age(_));
        }
        trace
    }

    async fn add_account(&self, email: &str, password: &str) {
        let hash = cheap_hash(password);
        let (email, hash) = (quoted(email), quoted(&hash));
        let (table, columns) =
            (self.chapter.users_table(), self.chapter.users_columns().join(r#"", ""#));
        let (id, value) =
            if self.chapter.has_uuids() { ("id, ", "gen_random_uuid(), ") } else { ("", "") };
        self.database
            .run(&format!(
                r#"INSERT INTO "{table}" ({id}"{columns}") VALUES ({value}{email}, {hash})"#
            ))
            .await;
    }

    async fn add_row(&mut self, name: &str, data: Option<&str>) {
        let table = self.chapter.sessions_table();
        let sid = format!("{name}-{:032x}", random());
        let [_, written] = self.chapter.data_column();
        let text = |data| format!("{written}(CAST({} AS text))", quoted(&self.fill(data)));
        let data = data.map_or("NULL".to_owned(), text);
        self.database
            .run(&format!(
                r#"INSERT INTO "{table}" (sid, expires, data, "createdAt", "updatedAt")
                   VALUES ('{}', now() + interval '30 days', {data}, now(), now())"#,
                &sid[..32]
            ))
            .await;
        let cookie = encode(&self.signed(&sid[..32], 0));
        self.visitors.entry(name.to_owned()).or_default().hold(cookie);
    }

    /// Moves every time of every row into the past.
    async fn age(&self, span: TimeDelta) {
        let (seconds, table) = (span.num_seconds(), self.chapter.sessions_table());
        for row in self.rows().await {
            let row: Value = serde_json::from_str(&row).unwrap();
            let (sid, data) =
                (quoted(row[0].as_str().unwrap()), row[1].as_str().unwrap_or_default());
            if let Some((_, rest)) = data.split_once("\"expires\":\"")
                && let Some((time, _)) = rest.split_once('"')
                && let Ok(moment) = time.parse::<DateTime<Utc>>()
            {
                let aged = (moment - span).to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
                let (data, [_, written]) =
                    (quoted(&data.replacen(time, &aged, 1)), self.chapter.data_column());
                self.database
                    .run(&format!(
                        r#"UPDATE "{table}" SET data = {written}(CAST({data} AS text))
                           WHERE sid = {sid}"#
                    ))
                    .await;
            }
        }
        self.database
            .run(&format!(
                r#"UPDATE "{table}" SET expires = expires - interval '{seconds} seconds',
                   "createdAt" = "createdAt" - interval '{seconds} seconds',
                   "updatedAt" = "updatedAt" - interval '{seconds} seconds'"#
            ))
            .await;
    }

    async fn request(
        &mut self,
        line: &RequestLine,
        server: SocketAddr,
        scenario: &str,
    ) -> (Reply, String) {
        let request = self.build(line);
        let presented =
            self.visitors.get(&line.visitor).and_then(Visitor::current).map(str::to_owned);
        let reply = client::send(server, request, &format!("{scenario}: {}", line.text)).await;
        let name = self.chapter.cookie_name();
        let visitor = self.visitors.entry(line.visitor.clone()).or_default();
        let cookies = trace::cookies(&reply, name, now(), |value, is_over| {
            let sid = sid_of(value);
            let given = if presented.as_deref() == Some(&sid) {
                Given::Same
            } else if visitor.ids.contains(&sid) {
                Given::Earlier
            } else {
                Given::New
            };
            if !is_over {
                visitor.hold(value.to_owned());
            }
            given
        });
        if cookies.contains("; Expires=over") {
            visitor.cookie = None;
        }
        (reply, cookies)
    }

    fn build(&self, line: &RequestLine) -> Request<Full<Bytes>> {
        let target: Uri = self.fill(&line.target).parse().expect(&line.text);
        let method = Method::from_bytes(line.method.as_bytes()).expect(&line.text);
        let body = line
            .body
            .as_ref()
            .map(|body| body.packing.pack(&self.fill(&body.text)))
            .unwrap_or_default();
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in &line.headers {
            let value = HeaderValue::from_bytes(self.fill(value).as_bytes()).expect(&line.text);
            request = request.header(name, value);
        }
        let headers = request.headers_mut().unwrap();
        if !headers.contains_key(header::HOST) {
            headers.insert(header::HOST, "nextbnb.test".parse().unwrap());
        }
        let held = self.visitors.get(&line.visitor).and_then(|visitor| visitor.cookie.as_ref());
        if let Some(cookie) = held.filter(|_| !headers.contains_key(header::COOKIE)) {
            let cookie = format!("{}={cookie}", self.chapter.cookie_name());
            headers.insert(header::COOKIE, cookie.parse().unwrap());
        }
        request.body(Full::from(body)).unwrap()
    }
}

impl Visitor {
    fn hold(&mut self, cookie: String) {
        let sid = sid_of(&cookie);
        self.ids.retain(|id| *id != sid);
        self.ids.push(sid);
        self.cookie = Some(cookie);
    }

    /// The id in the cookie held now.
    pub(crate) fn current(&self) -> Option<&str> {
        self.cookie.as_ref().and(self.ids.last()).map(String::as_str)
    }
}

fn sid_of(cookie: &str) -> String {
    let decoded = percent_decode_str(cookie).decode_utf8_lossy();
    let signed = decoded.strip_prefix("s:").unwrap_or(&decoded);
    signed.rsplit_once('.').map_or(signed, |(sid, _)| sid).to_owned()
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Cost 4, so that a scenario about something else is not about waiting.
#[expect(clippy::disallowed_methods, reason = "a few milliseconds on a thread of the tests")]
fn cheap_hash(password: &str) -> String {
    bcrypt::hash(password, 4).unwrap()
}

pub(crate) fn now() -> DateTime<Utc> {
    SystemTime::now().into()
}

fn random() -> u128 {
    rand::random()
}
