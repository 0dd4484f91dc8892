//! The scenarios: text files, one a site's settings, read line by line.
//!
//! ```text
//! express {"rolling":true}            settings of express-session beside the lesson's
//! gateway --cookie-name connect.sid   flags that mean the same
//!
//! ## a name that is a fact
//! user ada@b.c pw                     an account, its password hashed cheaply
//! row ada {"cookie":{}}               a row of "Sessions"; ada holds its cookie
//! sql UPDATE users SET …              anything else that happens to the tables
//! database down                       nobody reaches it until `database up`
//! age 1h                              an hour passes for every row
//! ada GET /path | Name: value         a request by a visitor, who keeps cookies
//! ada POST /path | json: {"a":1}      also `form:`, `text:`, `gzip:`, `deflate:`; first a type
//! ada login ada@b.c pw                also `register` and `logout`
//! express: ada GET /only-express/kept a request that Express answers in every way
//! ==                                  here the other server takes over
//! ```
//!
//! `<…>` stands for what is known only when it runs: see [`super::player`].

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

/// The scenarios of one file, all played on one site.
#[derive(Debug, Clone)]
pub(crate) struct Chapter {
    pub(crate) name: String,
    /// The options of express-session, cookie and store.
    pub(crate) express: Value,
    pub(crate) trust_proxy: bool,
    /// What the gateway is told in other words.
    pub(crate) flags: Vec<String>,
    pub(crate) scenarios: Vec<Scenario>,
}

/// Steps, and where the other server takes over.
#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) steps: Vec<Step>,
    /// The index of the first step after the switch.
    pub(crate) switch: usize,
}

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

/// Every chapter in `folder`, in the order of their names.
pub(crate) fn read_all(folder: &Path) -> Vec<Chapter> {
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| read(file)).collect()
}

fn read(file: &Path) -> Chapter {
    let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
    let text = fs::read_to_string(file).unwrap();
    let mut chapter = Chapter {
        name: name.clone(),
        express: lesson(),
        trust_proxy: false,
        flags: Vec::new(),
        scenarios: Vec::new(),
    };
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        let place = || format!("{name}.txt:{}: {line}", number + 1);
        if line.is_empty() || (line.starts_with('#') && !line.starts_with("##")) {
            continue;
        }
        if let Some(name) = line.strip_prefix("## ") {
            let (name, steps) = (format!("{}: {name}", chapter.name), Vec::new());
            chapter.scenarios.push(Scenario { name, steps, switch: 0 });
        } else if let Some(scenario) = chapter.scenarios.last_mut() {
            if line == "==" {
                scenario.switch = scenario.steps.len();
            } else {
                scenario.steps.push(Step::read(line).unwrap_or_else(|| panic!("{}", place())));
            }
        } else {
            chapter.set(line).unwrap_or_else(|| panic!("{}", place()));
        }
    }
    for scenario in &mut chapter.scenarios {
        scenario.place_switch();
    }
    chapter
}

/// The settings of the course's server.
fn lesson() -> Value {
    json!({
        "name": "nextbnb",
        "secret": ["343ji43j4n3jn4jk3n and some more bytes"],
        "saveUninitialized": true,
        "resave": false,
        "cookie": { "secure": false, "maxAge": 30 * 24 * 3600 * 1000_u64 },
    })
}

impl Chapter {
    /// The secrets, the signing one first.
    pub(crate) fn secrets(&self) -> Vec<Vec<u8>> {
        let secrets = self.express["secret"].as_array().unwrap();
        secrets.iter().map(|secret| secret.as_str().unwrap().into()).collect()
    }

    pub(crate) fn cookie_name(&self) -> &str {
        self.express["name"].as_str().unwrap()
    }

    pub(crate) fn sessions_table(&self) -> &str {
        self.express["store"]["tableName"].as_str().unwrap_or("Sessions")
    }

    pub(crate) fn users_table(&self) -> &str {
        self.express["usersTable"].as_str().unwrap_or("users")
    }

    fn set(&mut self, line: &str) -> Option<()> {
        let (what, settings) = line.split_once(' ')?;
        match what {
            "express" => {
                let Value::Object(settings) = serde_json::from_str(settings).ok()? else {
                    return None;
                };
                for (key, value) in settings {
                    self.express[key] = value;
                }
            }
            "trust-proxy" => self.trust_proxy = settings == "true",
            "gateway" => self.flags.extend(settings.split_whitespace().map(str::to_owned)),
            _ => return None,
        }
        Some(())
    }
}

impl Scenario {
    /// The requests as they stand in the file.
    pub(crate) fn requests(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().filter_map(|step| match step {
            Step::Request(line) => Some(line.text.as_str()),
            _ => None,
        })
    }

    /// Where nobody marked it, the switch comes after the first request.
    fn place_switch(&mut self) {
        if self.switch == 0 {
            let is_request = |step: &Step| matches!(step, Step::Request(_));
            let first = self.steps.iter().position(is_request);
            self.switch = first.unwrap_or_else(|| panic!("no request: {}", self.name)) + 1;
        }
    }
}

impl Step {
    fn read(line: &str) -> Option<Self> {
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
