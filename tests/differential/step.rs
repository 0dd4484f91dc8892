//! The lines of a scenario: see [`crate::scenario`] for their words.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use serde_json::json;

#[derive(Debug, Clone)]
pub(crate) enum Step {
    Account { email: String, password: String },
    Row { visitor: String, data: Option<String> },
    Sql(String),
    Database(Reach),
    Age(chrono::TimeDelta),
    Request(RequestLine),
}

/// Whether servers reach the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    Up,
    Down,
}

#[derive(Debug, Clone)]
pub(crate) struct RequestLine {
    /// As it stands in the file, for messages.
    pub(crate) text: String,
    pub(crate) visitor: String,
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<Body>,
    pub(crate) express_only: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Body {
    pub(crate) text: String,
    pub(crate) packing: Packing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    Plain,
    Gzip,
    Deflate,
}

impl Packing {
    pub(crate) fn pack(self, text: &str) -> Vec<u8> {
        match self {
            Self::Plain => text.into(),
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(text.as_bytes()).unwrap();
                encoder.finish().unwrap()
            }
            Self::Deflate => {
                let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(text.as_bytes()).unwrap();
                encoder.finish().unwrap()
            }
        }
    }
}

impl Step {
    pub(crate) fn read(line: &str) -> Option<Self> {
        let (word, rest) = line.split_once(' ')?;
        Some(match word {
            "user" => {
                let (email, password) = rest.split_once(' ')?;
                Self::Account { email: email.to_owned(), password: password.to_owned() }
            }
            "row" => {
                let (visitor, data) = rest.split_once(' ').unwrap_or((rest, ""));
                let data = (data != "NULL").then(|| data.to_owned());
                Self::Row { visitor: visitor.to_owned(), data }
            }
            "sql" => Self::Sql(rest.to_owned()),
            "database" => Self::Database(match rest {
                "up" => Reach::Up,
                "down" => Reach::Down,
                _ => return None,
            }),
            "age" => Self::Age(span(rest)?),
            "express:" => Self::Request(RequestLine::read(line, rest, true)?),
            _ => Self::Request(RequestLine::read(line, line, false)?),
        })
    }
}

impl RequestLine {
    fn read(text: &str, line: &str, express_only: bool) -> Option<Self> {
        let mut parts = line.split(" | ");
        let mut words = parts.next()?.splitn(3, ' ');
        let (visitor, method) = (words.next()?, words.next()?);
        let rest = words.next().unwrap_or_default();
        let mut request = Self {
            text: text.to_owned(),
            visitor: visitor.to_owned(),
            method: method.to_owned(),
            target: rest.to_owned(),
            headers: Vec::new(),
            body: None,
            express_only,
        };
        request.spell_out(rest)?;
        for part in parts {
            let (name, value) = part.split_once(':')?;
            request.add(name.trim(), value.strip_prefix(' ').unwrap_or(value));
        }
        Some(request)
    }

    /// `login`, `register` and `logout` are short for what the frontend's forms send.
    fn spell_out(&mut self, rest: &str) -> Option<()> {
        let action = self.method.clone();
        let fields = match action.as_str() {
            "logout" => json!({}),
            "login" | "register" => {
                let (email, password) = rest.split_once(' ')?;
                let mut fields = json!({ "email": email, "password": password });
                if action == "register" {
                    fields["passwordconfirmation"] = password.into();
                }
                fields
            }
            _ => return Some(()),
        };
        "POST".clone_into(&mut self.method);
        self.target = format!("/api/auth/{action}");
        self.add("json", &fields.to_string());
        Some(())
    }

    fn add(&mut self, name: &str, value: &str) {
        let (content_type, packing) = match name {
            "json" => (Some("application/json"), Packing::Plain),
            "form" => (Some("application/x-www-form-urlencoded"), Packing::Plain),
            "text" => (None, Packing::Plain),
            "gzip" => (Some("application/json"), Packing::Gzip),
            "deflate" => (Some("application/json"), Packing::Deflate),
            _ => return self.headers.push((name.to_owned(), value.to_owned())),
        };
        let encoding = match packing {
            Packing::Plain => None,
            Packing::Gzip => Some("gzip"),
            Packing::Deflate => Some("deflate"),
        };
        let fields = [("Content-Type", content_type), ("Content-Encoding", encoding)];
        for (name, value) in fields {
            self.headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        }
        self.body = Some(Body { text: value.to_owned(), packing });
    }
}

/// `-90m`, `24h`, `30d`.
pub(crate) fn span(text: &str) -> Option<chrono::TimeDelta> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number = number.parse().ok()?;
    match unit {
        "m" => chrono::TimeDelta::try_minutes(number),
        "h" => chrono::TimeDelta::try_hours(number),
        "d" => chrono::TimeDelta::try_days(number),
        _ => None,
    }
}
