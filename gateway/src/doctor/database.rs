//! `doctor database`: everything about a database that the gateway is to use, read-only.

use std::error::Error;

use nextbnb_migrations::TableNames;

use super::site::Site;
use super::{Finding, Report, accounts, change_feed, clock, columns, connection, cookie};
use super::{migrations, rights, sessions, tables};
use crate::config::doctor::DatabaseSubject;
use crate::database::look::Look;

/// Looks at all of it; `cookie` is what somebody pasted, where there is something to check.
///
/// A part that cannot be looked at is a finding, and no obstacle to the others.
pub async fn examine(subject: &DatabaseSubject, pasted: Option<&[u8]>) -> Report {
    let mut report = Report::default();
    let findings = &mut report.findings;
    let look = match connection::open(&subject.database).await {
        Ok((look, finding)) => {
            findings.push(finding);
            look
        }
        Err(finding) => {
            findings.push(finding);
            return report;
        }
    };
    findings.extend(settled("pooler", connection::pooler(&look, &subject.database).await));
    findings.extend(settled("clock", clock::compare(&look).await));
    match tables::find(&look, &subject.tables).await {
        Ok((names, found)) => {
            findings.extend(found);
            of_tables(findings, &look, subject, &names, pasted).await;
        }
        Err(finding) => findings.push(finding),
    }
    if let Err(error) = look.close().await {
        findings.push(Finding::warning("database", format!("not closed properly: {error}")));
    }
    report
}

async fn of_tables(
    findings: &mut Vec<Finding>,
    look: &Look,
    subject: &DatabaseSubject,
    names: &TableNames,
    pasted: Option<&[u8]>,
) {
    findings.extend(settled("columns", columns::check(look, names).await));
    findings.extend(settled("rights", rights::check(look, names).await));
    findings.extend(settled("migrations", migrations::check(look, &subject.tables, names).await));
    let feed = change_feed::check(look, &subject.tables, names).await;
    findings.extend(settled("change-feed", feed));
    let site = Site::of(look, names, subject).await.unwrap_or_default();
    if let Some(site) = &site {
        let sample = subject.sample;
        findings.extend(settled("registration", columns::registration(look, site).await));
        findings.extend(settled("sessions", sessions::count(look, site, sample).await));
        findings.extend(settled("accounts", accounts::count(look, site, sample).await));
    }
    findings.extend(settled("cookie", cookie::check(look, site.as_ref(), subject, pasted).await));
}

/// What was found, or that nothing could be.
fn settled(id: &'static str, found: Result<Vec<Finding>, impl Error + 'static>) -> Vec<Finding> {
    found.unwrap_or_else(|error| vec![connection::unread(id, &error)])
}
