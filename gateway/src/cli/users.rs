//! `users`: accounts made, listed, altered and removed.

use std::collections::HashMap;
use std::ops::ControlFlow;

use serde_json::{Value, json};

use super::listing::{Listing, Row};
use super::site::{Site, failed, refused};
use super::{asking, runtime, say};
use crate::accounts::account::Account;
use crate::auth::by_hand::AccountRules;
use crate::auth::hash_kind::HashKind;
use crate::config::site_target::SiteTarget;
use crate::config::users_args::{
    UsersAddArgs, UsersArgs, UsersListArgs, UsersPart, UsersRemoveArgs, UsersSetPasswordArgs,
};
use crate::database::Database;
use crate::database::locks::past_locks;
use crate::database::look::Look;
use crate::doctor;
use crate::error::{PeopleError, StartError};
use crate::session::clock::Clock;

/// Accounts read at a time.
const PAGE: u64 = 1000;

pub(super) fn run(args: &UsersArgs) -> Result<(), StartError> {
    match &args.part {
        UsersPart::Add(args) => add(args),
        UsersPart::List(args) => runtime()?.block_on(list(args)),
        UsersPart::SetPassword(args) => set_password(args),
        UsersPart::Remove(args) => runtime()?.block_on(remove(args)),
    }
}

/// Everything that can be wrong is told before a password is asked for. The asking is done by this
/// thread, with no signal of the terminal's caught.
fn add(args: &UsersAddArgs) -> Result<(), StartError> {
    let rules = AccountRules::of(&args.password);
    let (email, name) = (args.email.as_str(), args.name.as_deref());
    rules.check_who(email, name)?;
    let target = SiteTarget::of(&args.database, Some(&args.case), None, None)?;
    let runtime = runtime()?;
    let (database, site) = runtime.block_on(Site::open(&target))?;
    if name.is_some() && !site.layout.has_name {
        return Err(PeopleError::Nameless.into());
    }
    let password = asking::new_password()?;
    let place = (&database, &site.accounts);
    let adding = rules.add(place, (email, name), &password, Clock.now());
    let account = runtime.block_on(adding)?;
    runtime.block_on(database.close()).map_err(failed)?;
    say(&format!("made the account {} of {email}", account.id))
}

fn set_password(args: &UsersSetPasswordArgs) -> Result<(), StartError> {
    let rules = AccountRules::of(&args.password);
    let target = SiteTarget::of(&args.database, Some(&args.case), Some(&args.key), None)?;
    let runtime = runtime()?;
    let (database, site) = runtime.block_on(Site::open(&target))?;
    let account = runtime.block_on(site.account(database.connection(), &args.email))?;
    let password = asking::new_password()?;
    let place = (&database, &site.accounts);
    runtime.block_on(rules.set_password(place, &account, &password))?;
    // After the old password signs nobody in any more.
    let ended = runtime.block_on(end_sessions(&database, &site, &account))?;
    runtime.block_on(database.close()).map_err(failed)?;
    say(&format!("the account {} has its new password; {}", account.id, counted(ended)))
}

async fn remove(args: &UsersRemoveArgs) -> Result<(), StartError> {
    let target = SiteTarget::of(&args.database, Some(&args.case), Some(&args.key), None)?;
    let (database, site) = Site::open(&target).await?;
    let account = site.account(database.connection(), &args.email).await?;
    // First, since a session that is left over would be the next account's with this address. And
    // again, for a sign-in that was under way.
    let mut ended = end_sessions(&database, &site, &account).await?;
    let (accounts, now) = (&site.accounts, Clock.now());
    let removing = || accounts.remove(database.connection(), &account, now);
    let is_removed = past_locks(removing).await.map_err(refused)?;
    ended += end_sessions(&database, &site, &account).await?;
    database.close().await.map_err(failed)?;
    if !is_removed {
        return Err(PeopleError::NoAccount { email: args.email.clone() }.into());
    }
    say(&format!("removed the account {} of {}; {}", account.id, account.email, counted(ended)))
}

async fn end_sessions(
    database: &Database,
    site: &Site,
    account: &Account,
) -> Result<u64, StartError> {
    site.sessions.end_all_of(database, account, Clock.now()).await.map_err(refused)
}

/// `1 session ended`.
fn counted(ended: u64) -> String {
    format!("{} ended", doctor::counted(ended, "session"))
}

async fn list(args: &UsersListArgs) -> Result<(), StartError> {
    let target = SiteTarget::of(&args.database, None, Some(&args.key), None)?;
    let (look, site) = Site::look_at(&target).await?;
    let counts = if args.sessions { Some(count_sessions(&look, &site).await?) } else { None };
    let mut headings = vec!["ID", "E-MAIL", "PASSWORD", "NAME"];
    if counts.is_some() {
        headings.insert(1, "SESSIONS");
    }
    let mut listing = Listing::new("account", &headings, &args.list);
    let mut last = None;
    loop {
        let transaction = look.begin().await.map_err(failed)?;
        let page = site.accounts.page(&transaction, last.as_ref(), PAGE).await.map_err(refused)?;
        let Some(end) = page.last() else { break };
        last = Some(end.id.clone());
        let rows = page.into_iter().map(|account| {
            let of = |counts: &HashMap<_, _>| {
                counts.get(&account.id.to_string()).copied().unwrap_or_default()
            };
            ListedAccount { sessions: counts.as_ref().map(of), account }
        });
        if let ControlFlow::Break(()) = listing.write(rows.collect())? {
            break;
        }
    }
    listing.end();
    look.close().await.map_err(failed)
}

/// Live sessions by the text of their account's id.
async fn count_sessions(look: &Look, site: &Site) -> Result<HashMap<String, u64>, StartError> {
    let (mut counts, mut sessions) = (HashMap::new(), site.sessions.list(None, Clock.now()));
    loop {
        let transaction = look.begin().await.map_err(failed)?;
        let Some(page) = sessions.next(&transaction).await.map_err(refused)? else {
            return Ok(counts);
        };
        for account in page.into_iter().filter_map(|session| session.whose.known()) {
            *counts.entry(account.id.to_string()).or_default() += 1;
        }
    }
}

struct ListedAccount {
    account: Account,
    sessions: Option<u64>,
}

impl Row for ListedAccount {
    fn cells(&self) -> Vec<String> {
        let Self { account: Account { id, email, name, password_hash }, sessions } = self;
        let hash = HashKind::of(password_hash.as_deref()).to_string();
        let name = name.clone().unwrap_or_default();
        let mut cells = vec![id.to_string(), email.clone(), hash, name];
        if let Some(sessions) = sessions {
            cells.insert(1, sessions.to_string());
        }
        cells
    }

    fn json(&self) -> Value {
        let Self { account: Account { id, email, name, password_hash }, sessions } = self;
        let hash = HashKind::of(password_hash.as_deref()).to_string();
        let mut object = json!({ "id": id, "email": email, "name": name, "password": hash });
        if let (Some(object), Some(sessions)) = (object.as_object_mut(), sessions) {
            object.insert("sessions".to_owned(), json!(sessions));
        }
        object
    }
}
