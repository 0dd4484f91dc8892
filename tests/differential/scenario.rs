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
//! `<…>` stands for what is known only when it runs: see [`super::fill`].

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::step::Step;

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

    /// The columns of address and password.
    pub(crate) fn users_columns(&self) -> [&str; 2] {
        ["email", "password"].map(|role| self.express["users"][role].as_str().unwrap_or(role))
    }

    /// Whether ids of accounts are UUIDs, which Sequelize makes without the database.
    pub(crate) fn has_uuids(&self) -> bool {
        self.express["users"]["id"] == "uuid"
    }

    /// How a session's text is read from, and written into, the column `data`.
    pub(crate) fn data_column(&self) -> [&str; 2] {
        match self.express["store"]["table"].as_str() {
            Some(_) => ["(data #>> '{}')", "to_jsonb"],
            None => ["data", ""],
        }
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
