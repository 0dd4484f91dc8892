//! `doctor database --cookie-stdin`: what a cookie leads to, or why to nothing.

use chrono::TimeDelta;
use nextbnb_gateway::config::doctor::DatabaseSubject;
use nextbnb_gateway::doctor::database::examine;
use nextbnb_gateway::doctor::{Finding, Level, render};
use nextbnb_gateway::session::clock::Clock;
use nextbnb_gateway::session::secrets::Secrets;
use nextbnb_tests::database::TestDatabase;

use crate::examined::{found, subject};
use crate::site::{EXPRESS_COOKIE, EXPRESS_DATA, EXPRESS_SID, SECRET, Site};

const OTHER: &str = "another secret of thirty-two bytes";

/// With ada's account and her session of Express's.
async fn site(test: TestDatabase) -> Site {
    let mut site = Site::open(test).await;
    site.now = Clock.now();
    site.register("ada@example.com").await;
    site.test.run(r#"DELETE FROM "Sessions""#).await;
    site.insert_row(EXPRESS_SID, EXPRESS_DATA, site.now + TimeDelta::days(1)).await;
    site
}

async fn check(site: &Site, secrets: &[&str], pasted: &str) -> Finding {
    let secrets: Vec<Vec<u8>> = secrets.iter().map(|secret| (*secret).into()).collect();
    let subject = DatabaseSubject { secrets: Ok(Secrets::new(&secrets)), ..subject(&site.test) };
    let report = examine(&subject, Some(pasted.as_bytes())).await;
    let said = render::json(&report) + &render::text(&report, render::Colour::Off);
    for secret in [EXPRESS_SID, "hOzZxel5", SECRET, OTHER, "ada@"] {
        assert!(!said.contains(secret), "{secret} in {said}");
    }
    found(&report, "cookie").clone()
}

async fn a_good_cookie_is_told_with_its_secret_end_and_account(test: TestDatabase) {
    let site = site(test).await;
    let end = (site.now + TimeDelta::days(1)).to_rfc3339();
    let finding = check(&site, &[OTHER, SECRET], EXPRESS_COOKIE).await;
    assert_eq!(finding.level, Level::Ok);
    let id = site.test.texts(r#"SELECT CAST("id" AS VARCHAR(9)) FROM "users""#).await.remove(0);
    let what = format!(
        "signed by secret 2; live until {end}; of the account {id}; attributes: Path=/; HttpOnly"
    );
    assert_eq!(finding.what, what);
    let header = format!("Cookie: theme=dark; nextbnb={EXPRESS_COOKIE}\n");
    let again = check(&site, &[SECRET], &header).await;
    assert_eq!(again.facts["signed_by"], 1);
    assert_eq!(again.facts["session"].as_str().unwrap().len(), 16, "as in logs");
}

async fn a_cookie_that_leads_to_nothing_says_why(test: TestDatabase) {
    let site = site(test).await;
    for (secrets, pasted, told) in [
        (&[SECRET][..], "connect.sid=s%3Aa.b", r#"no cookie called "nextbnb""#),
        (&[SECRET], "nextbnb=hello", "not a signed cookie"),
        (&[OTHER], EXPRESS_COOKIE, "none of the secrets signed it"),
    ] {
        let finding = check(&site, secrets, pasted).await;
        assert_eq!(finding.level, Level::Problem);
        assert!(finding.what.contains(told), "{finding:?}");
        assert!(finding.cure.is_some(), "{finding:?}");
    }
    let stranger = check(&site, &[OTHER], EXPRESS_COOKIE).await;
    assert!(stranger.why.unwrap().contains("the site signs with another secret"));
    let unchecked = check(&site, &[], EXPRESS_COOKIE).await;
    assert!(unchecked.what.starts_with("signature not checked; live until"), "{unchecked:?}");

    for (change, told) in [
        (r#"UPDATE "Sessions" SET "data" = '[]'"#, "damaged: the data is not a JSON object"),
        (
            r#"UPDATE "Sessions" SET "expires" = '2020-01-01 00:00:00.000 +00:00'"#,
            "ended at 2020-01-01",
        ),
        (r#"DELETE FROM "Sessions""#, "there is no row of its id"),
    ] {
        site.test.run(change).await;
        let finding = check(&site, &[SECRET], EXPRESS_COOKIE).await;
        assert!(finding.level == Level::Problem && finding.what.contains(told), "{finding:?}");
    }
    let stranger = check(&site, &[OTHER], EXPRESS_COOKIE).await;
    assert!(stranger.why.unwrap().contains("another site's"));
}

async fn a_guests_cookie_says_that_it_is_one(test: TestDatabase) {
    let site = site(test).await;
    for (change, told) in [
        (r#"DELETE FROM "users""#, "since its account is gone"),
        (r#"UPDATE "Sessions" SET "data" = '{"cookie":{}}'"#, "a guest's;"),
        (
            r#"UPDATE "Sessions" SET "data" = '{"cookie":{},"passport":{"user":7}}'"#,
            "`passport.user` is an id: --session-user-key id would read it",
        ),
    ] {
        site.test.run(change).await;
        let finding = check(&site, &[SECRET], EXPRESS_COOKIE).await;
        assert!(finding.level == Level::Ok && finding.what.contains(told), "{finding:?}");
    }
}

on_both_databases! {
    a_good_cookie_is_told_with_its_secret_end_and_account
    a_cookie_that_leads_to_nothing_says_why
    a_guests_cookie_says_that_it_is_one
}
