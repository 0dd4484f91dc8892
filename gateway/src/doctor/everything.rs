//! `doctor`: all that a gateway stands on, in one report; and its parts.

use super::machine::Develops;
use super::{Finding, Report, database, frontend, machine, ports, upstream};
use crate::config::doctor::{DatabaseSubject, EverythingSubject, FrontendSubject, UpstreamSubject};
use crate::database::DatabaseTarget;
use crate::error::chain;

/// Looks at everything; what waits for others waits at the same time. `pasted` is a cookie.
pub async fn examine(subject: &EverythingSubject, pasted: Option<&[u8]>) -> Report {
    let develops = match subject.frontend.project {
        Ok(_) => Develops::Here,
        Err(_) => Develops::Elsewhere,
    };
    let (frontend, ports, upstream, database) = tokio::join!(
        frontend::look(&subject.frontend),
        ports::look(&subject.places),
        upstream::look(&subject.upstream),
        Box::pin(of_database(&subject.database, pasted)),
    );
    let mut findings = machine::look(develops);
    for found in [frontend, ports, upstream, database] {
        findings.extend(found);
    }
    findings.extend(strength(subject));
    Report { findings }
}

/// Looks at the machine alone.
pub fn examine_machine() -> Report {
    Report { findings: machine::look(Develops::Here) }
}

/// Looks at the application alone.
pub async fn examine_frontend(subject: &FrontendSubject) -> Report {
    Report { findings: frontend::look(subject).await }
}

/// Looks at the upstream alone.
pub async fn examine_upstream(subject: &UpstreamSubject) -> Report {
    Report { findings: upstream::look(subject).await }
}

/// An embedded database that was never made is no fault: the gateway makes it.
async fn of_database(subject: &DatabaseSubject, pasted: Option<&[u8]>) -> Vec<Finding> {
    match &subject.database {
        DatabaseTarget::Embedded(file) if !file.exists() && pasted.is_none() => {
            let what = format!("none at {} yet: the first start makes it", file.display());
            let found = Finding::ok("database", what)
                .cure("--database-url looks at another")
                .fact("place", file.display().to_string());
            let secrets = match &subject.secrets {
                Err(error) => {
                    Some(Finding::problem("secrets", chain(error)).why("`serve` does not start"))
                }
                Ok(_) => None,
            };
            [Some(found), secrets].into_iter().flatten().collect()
        }
        _ => database::examine(subject, pasted).await.findings,
    }
}

/// Whether somebody could guess the secrets, where there are any.
fn strength(subject: &EverythingSubject) -> Option<Finding> {
    const ID: &str = "secret-strength";
    if !subject.weak_secrets.is_empty() {
        let what = subject.weak_secrets.join("; ");
        let finding = Finding::warning(ID, what)
            .why("whoever guesses or reads a secret signs himself in as anybody")
            .cure("put a line of `openssl rand -base64 32` before the old ones, which go on verifying");
        return Some(finding.fact("weaknesses", subject.weak_secrets.clone()));
    }
    let known = matches!(subject.database.secrets, Ok(Some(_)));
    known.then(|| Finding::ok(ID, "nothing weak is seen in them"))
}
