//! `sessions`: listed, and ended on every replica.

use std::io::{self, Read};
use std::ops::ControlFlow;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::listing::{Listing, Row};
use super::site::{Site, failed, refused};
use super::{asking, runtime, say};
use crate::config::sessions_args::{
    KnownArgs, SessionsArgs, SessionsEndArgs, SessionsListArgs, SessionsPart,
};
use crate::config::site_target::SiteTarget;
use crate::config::units::parse_cookie_name;
use crate::database::Database;
use crate::doctor::counted;
use crate::error::{PeopleError, StartError};
use crate::session::clock::Clock;
use crate::session::handle::{Meant, SessionHandle};
use crate::session::records::{ListedSession, Whose};

/// Bytes read of pasted cookies: some thousand.
const LONGEST_PASTE: u64 = 1024 * 1024;

pub(super) fn run(args: &SessionsArgs) -> Result<(), StartError> {
    match &args.part {
        SessionsPart::List(args) => runtime()?.block_on(list(args)),
        SessionsPart::End(args) => end(args),
    }
}

fn target(args: &KnownArgs) -> Result<SiteTarget, StartError> {
    SiteTarget::of(&args.database, Some(&args.case), Some(&args.key), Some(&args.secrets))
}

async fn list(args: &SessionsListArgs) -> Result<(), StartError> {
    let (look, site) = Site::look_at(&target(&args.site)?).await?;
    let account = match &args.user {
        Some(email) => {
            let transaction = look.begin().await.map_err(failed)?;
            Some(site.account(&transaction, email).await?)
        }
        None => None,
    };
    let mut sessions = site.sessions.list(account.as_ref(), Clock.now());
    let headings = ["SESSION", "WRITTEN", "ENDS", "ACCOUNT", "E-MAIL"];
    let mut listing = Listing::new("session", &headings, &args.list);
    loop {
        let transaction = look.begin().await.map_err(failed)?;
        let Some(page) = sessions.next(&transaction).await.map_err(refused)? else { break };
        if let ControlFlow::Break(()) = listing.write(page)? {
            break;
        }
    }
    listing.end();
    look.close().await.map_err(failed)
}

impl Row for ListedSession {
    fn cells(&self) -> Vec<String> {
        let time = |time: Option<DateTime<Utc>>, none: &str| {
            time.map_or(none.to_owned(), |time| time.to_rfc3339_opts(SecondsFormat::Secs, true))
        };
        let (account, email) = match &self.whose {
            Whose::Guest => ("guest".to_owned(), String::new()),
            Whose::Gone => ("gone".to_owned(), String::new()),
            Whose::Unread(shape) => (format!("not read: {shape}"), String::new()),
            Whose::Known(account) => (account.id.to_string(), account.email.clone()),
        };
        let (written, ends) = (time(self.written, "-"), time(self.ends, "never"));
        vec![self.handle.to_string(), written, ends, account, email]
    }

    fn json(&self) -> Value {
        let time = |time: Option<DateTime<Utc>>| {
            time.map(|time| time.to_rfc3339_opts(SecondsFormat::Millis, true))
        };
        let (whose, user) = match &self.whose {
            Whose::Guest => ("guest", Value::Null),
            Whose::Gone => ("gone", Value::Null),
            Whose::Unread(_) => ("not read", Value::Null),
            Whose::Known(account) => {
                ("known", json!({ "id": account.id, "email": account.email, "name": account.name }))
            }
        };
        json!({
            "session": self.handle.to_string(),
            "written": time(self.written),
            "ends": time(self.ends),
            "whose": whose,
            "user": user,
        })
    }
}

fn end(args: &SessionsEndArgs) -> Result<(), StartError> {
    let target = target(&args.site)?;
    let meant = meant(args, target.secrets.is_some())?;
    let runtime = runtime()?;
    let (database, site) = runtime.block_on(Site::open(&target))?;
    if args.all && !args.yes {
        asking::confirm("End every session, guests' as well?")?;
    }
    runtime.block_on(async {
        let ended = match (&args.user, args.all) {
            (Some(email), _) => {
                let account = site.account(database.connection(), email).await?;
                site.sessions.end_all_of(&database, &account, Clock.now()).await.map_err(refused)?
            }
            (None, true) => site.sessions.end_all(&database, Clock.now()).await.map_err(refused)?,
            (None, false) => end_meant(&database, &site, &meant).await?,
        };
        database.close().await.map_err(failed)?;
        say(&format!("{} ended", counted(ended, "session")))
    })
}

/// The sessions that were typed.
fn meant(args: &SessionsEndArgs, has_secret: bool) -> Result<Vec<Meant>, StartError> {
    let name = parse_cookie_name(&args.cookie_name)?;
    let mut typed = args.sessions.clone();
    if args.cookie_stdin {
        let mut pasted = String::new();
        io::stdin()
            .take(LONGEST_PASTE)
            .read_to_string(&mut pasted)
            .map_err(|source| StartError::System { what: "without standard input", source })?;
        typed.extend(pasted.lines().map(str::to_owned).filter(|line| !line.trim().is_empty()));
    }
    let mut all = Vec::new();
    for (index, typed) in typed.iter().enumerate() {
        let meant = Meant::read(typed, &name);
        match meant.first() {
            None => return Err(PeopleError::NoHandle { place: index + 1 }.into()),
            Some(Meant::Handle(handle @ SessionHandle::Log(_))) if !has_secret => {
                return Err(PeopleError::Keyed { hash: handle.to_string() }.into());
            }
            Some(_) => all.extend(meant),
        }
    }
    Ok(all)
}

/// Fails where one of them is not there, when the others are ended.
async fn end_meant(database: &Database, site: &Site, meant: &[Meant]) -> Result<u64, StartError> {
    let ended = site.sessions.end(database, meant, Clock.now()).await.map_err(refused)?;
    let missing = meant.iter().zip(&ended).filter(|(_, count)| **count == 0);
    let missing: Vec<String> =
        missing.map(|(meant, _)| site.sessions.handle_of(meant).to_string()).collect();
    let total = ended.iter().sum();
    if missing.is_empty() {
        return Ok(total);
    }
    if total > 0 {
        say(&format!("{} ended", counted(total, "session")))?;
    }
    Err(PeopleError::NoSession { handles: missing.join(", ") }.into())
}
