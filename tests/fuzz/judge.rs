//! What a client sent, what the gateway logged, what Node saw and what the client was answered: one
//! story, or a complaint.

use nextbnb_tests::properties::reader::{Message, Rest, read};
use serde_json::Value;

use crate::gateway::LogLine;

/// A request as Node saw it behind the gateway.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) number: u64,
    pub(crate) method: String,
    pub(crate) url: String,
    /// Names, in lower case, and values.
    pub(crate) fields: Vec<(String, String)>,
    /// In hexadecimal digits.
    pub(crate) body: String,
    pub(crate) is_whole: bool,
}

/// An answer as the client saw it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) status: u64,
    pub(crate) id: Option<String>,
    /// The number of the request that Node answered so.
    pub(crate) seen: Option<u64>,
}

/// One client's connection, from all sides.
#[derive(Debug, Clone, Default)]
pub(crate) struct Exchange {
    pub(crate) sent: Vec<u8>,
    pub(crate) lines: Vec<LogLine>,
    pub(crate) seen: Vec<Seen>,
    pub(crate) answers: Vec<Answered>,
    /// Whether the connection broke, so that answers may be lost.
    pub(crate) is_reset: bool,
}

impl Seen {
    pub(crate) fn read(record: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let fields: Vec<String> =
            record["rawHeaders"].as_array().unwrap().iter().map(text).collect();
        let fields = fields.chunks(2).map(|pair| (pair[0].to_lowercase(), pair[1].clone()));
        Self {
            number: record["number"].as_u64().unwrap(),
            method: text(&record["method"]),
            url: text(&record["url"]),
            fields: fields.collect(),
            body: text(&record["body"]),
            is_whole: record["isWhole"].as_bool().unwrap(),
        }
    }

    /// The values of a field.
    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        let named = self.fields.iter().filter(|(other, _)| other == name);
        named.map(|(_, value)| value.as_str()).collect()
    }
}

impl Exchange {
    /// What does not fit together.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let (messages, rest) = read(&self.sent);
        let mut all = self.of_lines(&messages, rest);
        for seen in &self.seen {
            all.extend(self.of_seen(seen, &messages).map(|what| format!("{what}: {seen:?}")));
        }
        all.extend(self.of_answers());
        all
    }

    /// The gateway found the requests that are there, and ended early only by a refusal.
    fn of_lines(&self, messages: &[Message], rest: Rest) -> Vec<String> {
        let mut all = Vec::new();
        for (line, message) in self.lines.iter().zip(messages) {
            let path = message.target.split('?').next().unwrap_or_default();
            // Of another target than a path, which is refused, a part is logged.
            let is_other = path.starts_with('/') && line.path.as_bytes() != latin_1(path);
            if line.method != message.method || is_other {
                all.push(format!("the gateway read {line:?} where {message:?} is"));
            }
        }
        let broken = usize::from(matches!(rest, Rest::Beginning | Rest::Nonsense));
        if self.lines.len() > messages.len() + broken {
            all.push(format!("{} requests of {}", self.lines.len(), messages.len()));
        }
        let is_refused = self.is_reset || self.answers.last().is_some_and(|a| a.status >= 400);
        if self.lines.len() < messages.len() && !is_refused {
            all.push(format!("only {} requests of {}", self.lines.len(), messages.len()));
        }
        all
    }

    /// What Node saw is a request of the gateway's, and where it is whole, the client's.
    fn of_seen(&self, seen: &Seen, messages: &[Message]) -> Option<&'static str> {
        let ids = seen.values("x-request-id");
        let [id] = ids[..] else { return Some("not one id") };
        let mut places = (0..self.lines.len()).filter(|place| self.lines[*place].id == id);
        let Some(place) = places.next() else { return Some("a request that nobody logged") };
        if self.seen.iter().filter(|other| other.values("x-request-id") == ids).count() > 1 {
            return Some("a request twice");
        }
        let framing = seen.values("content-length").len() + seen.values("transfer-encoding").len();
        if framing > 1 || seen.values("host").len() != 1 {
            return Some("more than one length or host");
        }
        match messages.get(place) {
            Some(message) if seen.method != message.method => Some("another method"),
            Some(message) if seen.url != message.target => Some("another target"),
            Some(message) if seen.is_whole && seen.body != hex(&message.body) => {
                Some("another body")
            }
            Some(message) if !hex(&message.body).starts_with(&seen.body) => {
                Some("another beginning")
            }
            None if seen.is_whole => Some("a whole request that is none"),
            _ => None,
        }
    }

    /// The client got the answers that were logged, each of its own request.
    fn of_answers(&self) -> Vec<String> {
        let mut all = Vec::new();
        let logged = self.lines.iter().filter_map(|line| Some((line.status?, line.id.as_str())));
        let logged: Vec<_> = logged.collect();
        let answers = self.answers.iter().filter_map(|a| Some((a.status, a.id.as_deref()?)));
        let answers: Vec<_> = answers.collect();
        let is_sound = if self.is_reset { logged.starts_with(&answers) } else { logged == answers };
        if !is_sound {
            all.push(format!("logged {logged:?}, answered {answers:?}"));
        }
        for answer in &self.answers {
            let seen =
                answer.seen.map(|number| self.seen.iter().find(|seen| seen.number == number));
            let id = answer.id.as_deref();
            match seen {
                Some(None) => all.push(format!("{answer:?} is of somebody else's request")),
                Some(Some(seen))
                    if !seen.is_whole || id != seen.values("x-request-id").first().copied() =>
                {
                    all.push(format!("{answer:?} is of {seen:?}"));
                }
                None if answer.status < 400 => all.push(format!("{answer:?} is nobody's")),
                _ => {}
            }
        }
        all
    }
}

/// The final answers in what a client read; no body that it may read holds a status line.
pub(crate) fn answers(read: &[u8]) -> Vec<Answered> {
    let text: String = read.iter().copied().map(char::from).collect();
    let starts: Vec<usize> = text
        .match_indices("HTTP/1.")
        .filter(|(at, _)| text[at + 8..].starts_with(' '))
        .map(|(at, _)| at)
        .collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let answers = starts.iter().zip(ends).filter_map(|(start, end)| {
        let (head, _) = text[*start..end].split_once("\r\n\r\n")?; // Not all of it has come.
        let field = |name: &str| {
            let mut fields = head.lines().filter_map(|line| line.split_once(": "));
            fields.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
        };
        Some(Answered {
            status: head[9..12].parse().unwrap(),
            id: field("x-request-id").map(ToOwned::to_owned),
            seen: field("x-seen").map(|number| number.parse().unwrap()),
        })
    });
    answers.filter(|answer| answer.status >= 200).collect()
}

fn latin_1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(c).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: &[u8] = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nxyGET /b HTTP/1.1\r\nHost: a\r\n\r\n";

    fn sound() -> Exchange {
        let line = |id: &str, method: &str, path: &str| LogLine {
            id: id.to_owned(),
            method: method.to_owned(),
            path: path.to_owned(),
            status: Some(200),
            bytes: 4,
            is_whole: true,
        };
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let seen = |number, method: &str, url: &str, id: &str, body: &str| Seen {
            number,
            method: method.to_owned(),
            url: url.to_owned(),
            fields: vec![field("host", "a"), field("x-request-id", id)],
            body: body.to_owned(),
            is_whole: true,
        };
        let read = "HTTP/1.1 200 OK\r\nX-Seen: 0\r\nX-Request-Id: one\r\n\r\nseen\
                    HTTP/1.1 200 OK\r\nX-Seen: 1\r\nX-Request-Id: two\r\n\r\nseen";
        Exchange {
            sent: SENT.to_vec(),
            lines: vec![line("one", "POST", "/a"), line("two", "GET", "/b")],
            seen: vec![seen(0, "POST", "/a", "one", "7879"), seen(1, "GET", "/b", "two", "")],
            answers: answers(read.as_bytes()),
            is_reset: false,
        }
    }

    #[track_caller]
    fn check(change: impl FnOnce(&mut Exchange), complains: bool) {
        let mut exchange = sound();
        change(&mut exchange);
        assert_eq!(!exchange.complaints().is_empty(), complains, "{:?}", exchange.complaints());
    }

    #[test]
    fn whatever_does_not_fit_is_complained_of() {
        check(|_| {}, false);
        check(|e| e.seen[0].body = "78".to_owned(), true);
        check(|e| e.seen[0].url = "/c".to_owned(), true);
        check(|e| e.seen[0].fields.push(("content-length".to_owned(), "2".to_owned())), false);
        check(
            |e| {
                for name in ["content-length", "transfer-encoding"] {
                    e.seen[0].fields.push((name.to_owned(), "2".to_owned()));
                }
            },
            true,
        );
        check(|e| e.seen.push(Seen { number: 2, ..e.seen[1].clone() }), true);
        check(|e| drop(e.seen.pop()), true);
        check(|e| drop(e.lines.pop()), true);
        check(|e| e.lines.swap(0, 1), true);
        check(|e| e.answers.swap(0, 1), true);
        check(|e| drop(e.answers.pop()), true);
        check(|e| (e.answers[1].seen, e.answers[0].seen) = (Some(0), Some(1)), true);
        check(
            |e| e.sent = SENT.strip_suffix(b"GET /b HTTP/1.1\r\nHost: a\r\n\r\n").unwrap().to_vec(),
            true,
        );
    }
}
