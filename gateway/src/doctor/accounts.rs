//! What the accounts are, and who of them can sign in.

use std::collections::BTreeMap;

use super::site::Site;
use super::{Finding, counted, listed};
use crate::accounts::survey::Doubled;
use crate::auth::hash_kind::HashKind;
use crate::database::DatabaseError;
use crate::database::look::Look;

/// Accounts read at a time.
const PAGE: u64 = 1000;

/// What is known of the accounts' hashes.
#[derive(Debug, Default)]
struct Hashes {
    usable: BTreeMap<String, u64>,
    weak: BTreeMap<String, u64>,
    useless: BTreeMap<String, u64>,
    is_sample: bool,
}

impl Hashes {
    fn add(&mut self, hash: Option<&str>) {
        let kind = HashKind::of(hash);
        let counts = match kind {
            HashKind::Bcrypt(_) if kind.is_weak() => &mut self.weak,
            HashKind::Bcrypt(_) => &mut self.usable,
            HashKind::Unverified(_) => &mut self.useless,
        };
        *counts.entry(kind.to_string()).or_default() += 1;
    }

    fn rows(&self) -> u64 {
        [&self.usable, &self.weak, &self.useless]
            .map(|counts| counts.values().sum::<u64>())
            .iter()
            .sum()
    }
}

/// Counts the accounts; at most `limit` of them.
pub(super) async fn count(
    look: &Look,
    site: &Site,
    limit: Option<u64>,
) -> Result<Vec<Finding>, DatabaseError> {
    let transaction = look.begin().await?;
    let exact = site.accounts.doubled(&transaction).await?;
    let by_case = site.accounts.spelt_otherwise(&transaction).await?;
    transaction.rollback().await?;
    let hashes = hashes(look, site, limit).await?;
    let mut findings = vec![summary(&hashes)];
    findings.extend(useless(&hashes));
    findings.extend(weak(&hashes));
    findings.push(addresses(&exact));
    findings.extend(spellings(&by_case));
    Ok(findings)
}

async fn hashes(look: &Look, site: &Site, limit: Option<u64>) -> Result<Hashes, DatabaseError> {
    let (accounts, mut hashes, mut last) = (&site.accounts, Hashes::default(), None);
    loop {
        let left = limit.map_or(PAGE, |limit| limit.saturating_sub(hashes.rows()));
        let transaction = look.begin().await?;
        if left == 0 {
            let next = accounts.hashes_after(&transaction, last.as_ref(), 1).await?;
            hashes.is_sample = !next.is_empty();
            return Ok(hashes);
        }
        let mut page = accounts.hashes_after(&transaction, last.as_ref(), left.min(PAGE)).await?;
        for (_, hash) in &page {
            hashes.add(hash.as_deref());
        }
        let Some((end, _)) = page.pop() else { return Ok(hashes) };
        last = Some(end);
    }
}

fn summary(hashes: &Hashes) -> Finding {
    let sample = if hashes.is_sample { " (a sample)" } else { "" };
    let mut counts = hashes.usable.clone();
    counts.extend(hashes.weak.clone());
    let by_kind = if counts.is_empty() { String::new() } else { format!(": {}", listed(&counts)) };
    let what = format!("{}{sample}{by_kind}", counted(hashes.rows(), "account"));
    let mut finding = Finding::ok("accounts", what)
        .fact("accounts", hashes.rows())
        .fact("sample", hashes.is_sample);
    for (kind, count) in counts.iter().chain(&hashes.useless) {
        finding = finding.fact(kind, *count);
    }
    finding
}

fn useless(hashes: &Hashes) -> Option<Finding> {
    let count: u64 = hashes.useless.values().sum();
    let what = format!("{} cannot sign in: {}", counted(count, "account"), listed(&hashes.useless));
    let finding = match count {
        0 => return None,
        _ if count == hashes.rows() => Finding::problem("passwords", what),
        _ => Finding::warning("passwords", what),
    };
    let finding = finding
        .why("the gateway verifies bcrypt's $2a$, $2b$ and $2y$ alone")
        .cure("nothing, where they sign in by other means; else they need a new password");
    Some(finding.fact("accounts", count))
}

fn weak(hashes: &Hashes) -> Option<Finding> {
    let count: u64 = hashes.weak.values().sum();
    (count > 0).then(|| {
        let list = listed(&hashes.weak);
        Finding::warning(
            "weak-passwords",
            format!("{} with a hash of a low cost: {list}", counted(count, "account")),
        )
        .why("whoever gets hold of the table guesses them fast; OWASP wants a cost of 10")
        .cure("--rehash-cost 12 writes a better one whenever somebody signs in")
        .fact("accounts", count)
    })
}

fn addresses(doubled: &Doubled) -> Finding {
    let id = "doubled-addresses";
    if doubled.count == 0 {
        return Finding::ok(id, "each address has one account").fact("addresses", 0);
    }
    let what = format!(
        "{} with several accounts; the lowest id signs in: {}",
        spelt(doubled.count),
        ids(doubled)
    );
    Finding::warning(id, what)
        .why("the others' passwords sign nobody in, as in Express")
        .cure("delete or merge what is not used; only then can addresses be made unique")
        .fact("addresses", doubled.count)
}

fn spellings(doubled: &Doubled) -> Option<Finding> {
    (doubled.count > 0).then(|| {
        let what = format!("{} in several spellings: {}", spelt(doubled.count), ids(doubled));
        Finding::warning("spellings", what)
            .why("each signs in under its own spelling alone, and no further one can register")
            .cure("nothing; `--email-case exact` lets them register as in Express")
            .fact("addresses", doubled.count)
    })
}

fn spelt(count: u64) -> String {
    if count == 1 { "1 address".to_owned() } else { format!("{count} addresses") }
}

/// Accounts, not addresses.
fn ids(doubled: &Doubled) -> String {
    let each = doubled.lowest.iter().map(|(id, count)| format!("id {id} (of {count})"));
    let mut list = each.collect::<Vec<_>>().join(", ");
    if doubled.count > doubled.lowest.len() as u64 {
        list += ", …";
    }
    list
}
