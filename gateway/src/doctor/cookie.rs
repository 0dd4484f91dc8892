//! The secrets, and whether they go with a cookie that somebody has.

use sea_orm::ConnectionTrait;

use super::Finding;
use super::site::Site;
use crate::config::doctor::DatabaseSubject;
use crate::database::look::Look;
use crate::database::{DatabaseError, columns};
use crate::error::chain;
use crate::session::clock::Clock;
use crate::session::inspect::{Inspected, Row, Signature, inspect};
use crate::session::user_key::{StoredUser, UserShape};

const ID: &str = "cookie";

/// Looks at the secrets, and at the cookie where there is one.
pub(super) async fn check(
    look: &Look,
    site: Option<&Site>,
    subject: &DatabaseSubject,
    pasted: Option<&[u8]>,
) -> Result<Vec<Finding>, DatabaseError> {
    let mut findings = vec![secrets(subject)];
    let Some(pasted) = pasted else { return Ok(findings) };
    let transaction = look.begin().await?;
    let site = match site {
        Some(site) if columns::exists(&transaction, &site.layout.tables.sessions).await? => site,
        _ => {
            findings.push(Finding::problem(ID, "there are no tables to look it up in"));
            return Ok(findings);
        }
    };
    findings.push(of_cookie(&transaction, site, subject, pasted).await?);
    Ok(findings)
}

async fn of_cookie(
    connection: &impl ConnectionTrait,
    site: &Site,
    subject: &DatabaseSubject,
    pasted: &[u8],
) -> Result<Finding, DatabaseError> {
    let known = subject.secrets.as_ref().ok().and_then(Option::as_ref);
    let (name, now) = (&subject.cookie_name, Clock.now());
    let rows = (&site.layout, &site.user_key);
    let inspected = inspect(connection, rows, (pasted, name), known, now).await?;
    Ok(match inspected {
        Inspected::Missing => {
            Finding::problem(ID, format!("no cookie called {name:?} in the text"))
                .why("the gateway reads no other, and takes the visitor for a guest")
                .cure("--cookie-name names the site's, as `connect.sid`")
        }
        Inspected::Malformed => {
            Finding::problem(ID, "not a signed cookie: want s%3A<id>.<signature>")
                .why("the gateway takes the visitor for a guest")
                .cure("paste the value whole, as the browser's list of cookies shows it")
        }
        Inspected::Signed { by, session, row } => {
            let finding = match by {
                Signature::Stranger => unsigned(&row),
                _ => of_row(connection, site, by, row).await?,
            };
            match session {
                Some(session) => finding.fact("session", session.to_string()),
                None => finding,
            }
        }
    })
}

fn secrets(subject: &DatabaseSubject) -> Finding {
    match &subject.secrets {
        Err(error) => Finding::problem("secrets", chain(error)).why("`serve` does not start"),
        Ok(None) => Finding::warning("secrets", "none is given: signatures were not checked")
            .why("a secret other than the site's signs everybody out")
            .cure("--session-secret-file FILE or SESSION_SECRET, with --cookie-stdin to try it"),
        Ok(Some(secrets)) => {
            let count = secrets.count();
            let what = format!("{}; the first signs", super::counted(count as u64, "secret"));
            Finding::ok("secrets", what).fact("secrets", count)
        }
    }
}

fn unsigned(row: &Row) -> Finding {
    let finding = Finding::problem(ID, "none of the secrets signed it").fact("signed_by", 0);
    match row {
        Row::Missing => finding.why("nor is there a row of its id: it may be another site's"),
        _ => finding.why("but its row is there, so the site signs with another secret"),
    }
    .cure("give the secret of `session({ secret })`, letter by letter: SESSION_SECRET, --session-secret-file")
}

async fn of_row(
    connection: &impl ConnectionTrait,
    site: &Site,
    by: Signature,
    row: Row,
) -> Result<Finding, DatabaseError> {
    let signed = match by {
        Signature::Secret(place) => format!("signed by secret {place}"),
        _ => "signature not checked".to_owned(),
    };
    let guest = "the gateway takes the visitor for a guest";
    let finding = match row {
        Row::Missing => Finding::problem(ID, format!("{signed}; there is no row of its id"))
            .why(guest)
            .cure("sign in again; where everybody is out, look for the right --session-table"),
        Row::Expired(end) => {
            let end = end.map(|end| end.to_rfc3339()).unwrap_or_default();
            Finding::problem(ID, format!("{signed}; its row ended at {end}"))
                .why(guest)
                .cure("sign in again")
        }
        Row::Damaged(damage) => {
            Finding::problem(ID, format!("{signed}; its row is damaged: {damage}"))
                .why(guest)
                .cure("sign in again; whoever writes the table writes what no session is")
        }
        Row::Live { until, user, attributes } => {
            let until = until.map_or("no end".to_owned(), |end| end.to_rfc3339());
            let whose = whose(connection, site, &user).await?;
            let attributes = attributes.unwrap_or_else(|| "none that a cookie can have".to_owned());
            let what = format!("{signed}; live until {until}; {whose}; attributes: {attributes}");
            Finding::ok(ID, what).fact("until", until)
        }
    };
    Ok(match by {
        Signature::Secret(place) => finding.fact("signed_by", place),
        _ => finding,
    })
}

async fn whose(
    connection: &impl ConnectionTrait,
    site: &Site,
    user: &StoredUser,
) -> Result<String, DatabaseError> {
    let unread = |shape: UserShape| {
        format!("a guest's, since `passport.user` is {shape}: {}", shape.advice())
    };
    let named = match user {
        StoredUser::Nobody => return Ok("a guest's".to_owned()),
        StoredUser::Foreign(shape) => return Ok(unread(*shape)),
        StoredUser::Named(named) => named,
    };
    Ok(match site.accounts.find(connection, named.key()).await? {
        Some(account) => format!("of the account {}", account.id),
        None => named
            .shape_without(&site.accounts)
            .map_or("a guest's, since its account is gone".to_owned(), unread),
    })
}
