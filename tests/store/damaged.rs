//! Rows whose columns hold what no Sequelize wrote there.

use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderMap;
use http::header::COOKIE;
use nextbnb_tests::database::TestDatabase;

use crate::site::{ADDRESS, EXPRESS_COOKIE, EXPRESS_DATA, EXPRESS_SID, PASSWORD, Site, eventually};

const ADA: &str = "ada@example.com";

/// With ada's account, her session as Express wrote it, and an hour in which nobody came.
async fn an_hour_later(test: TestDatabase) -> Site {
    let mut site = Site::open(test).await;
    site.register(ADA).await;
    site.test.run(r#"DELETE FROM "Sessions""#).await;
    site.insert_row(EXPRESS_SID, EXPRESS_DATA, site.now + TimeDelta::days(30)).await;
    site.advance(TimeDelta::hours(1));
    site
}

async fn set(site: &Site, column: &str, value: &str) {
    site.test.run(&format!(r#"UPDATE "Sessions" SET "{column}" = {value}"#)).await;
}

/// Who ada's cookie says is there; fails when the row cannot be read.
async fn user(site: &Site) -> Option<String> {
    let headers =
        HeaderMap::from_iter([(COOKIE, format!("nextbnb={EXPRESS_COOKIE}").parse().unwrap())]);
    let visit = site.sessions.visit(&headers, ADDRESS, "/", site.now).await.unwrap();
    Some(visit.session()?.identity()?.email.clone())
}

/// Values that are no moment, or none that a Rust program can hold.
fn no_moments(site: &Site) -> &'static [&'static str] {
    if site.test.is_postgres() {
        &["'infinity'", "'-infinity'", "'294276-12-31 23:59:59+00'", "'4713-01-01 00:00:00+00 BC'"]
    } else {
        &["'soon'", "''", "x'00ff'", "1e300", "-9223372036854775808", "'294276-12-31'"]
    }
}

/// The row's end, once a visit has moved it.
async fn touched(site: &Site) -> DateTime<Utc> {
    let end = site.now + TimeDelta::days(30);
    let find = async || {
        let count = format!(
            r#"SELECT "sid" FROM "Sessions" WHERE "expires" = '{}' AND "updatedAt" = '{}'"#,
            written(end),
            written(site.now)
        );
        Some(site.test.texts(&count).await).filter(|rows| rows.len() == 1)
    };
    eventually("a touch", find).await;
    end
}

/// As the gateway writes a time on SQLite.
fn written(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%S%.3f+00:00").to_string()
}

async fn a_damaged_time_of_writing_or_beginning_matters_to_nobody(test: TestDatabase) {
    let mut site = an_hour_later(test).await;
    for column in ["updatedAt", "createdAt"] {
        for value in no_moments(&site) {
            set(&site, column, value).await;
            site.advance(TimeDelta::hours(1));
            assert_eq!(user(&site).await.as_deref(), Some(ADA), "{column} {value}");
            assert_eq!(site.read_page(&[EXPRESS_COOKIE]).await, None, "{value}");
            touched(&site).await;
        }
    }
}

/// As in Express, which never looks at the end, and whose prune leaves such a row alone.
#[tokio::test]
async fn an_end_beyond_all_dates_is_none() {
    let site = an_hour_later(TestDatabase::postgres().await).await;
    for value in ["'infinity'", "'294276-12-31 23:59:59+00'"] {
        set(&site, "expires", value).await;
        assert_eq!(site.sessions.sweep(site.now).await.unwrap(), 0);
        assert_eq!(user(&site).await.as_deref(), Some(ADA), "{value}");
    }
    site.read_page(&[EXPRESS_COOKIE]).await;
    touched(&site).await;
}

#[tokio::test]
async fn an_end_before_all_dates_is_over() {
    let site = an_hour_later(TestDatabase::postgres().await).await;
    for value in ["'-infinity'", "'4713-01-01 00:00:00+00 BC'"] {
        set(&site, "expires", value).await;
        assert_eq!(user(&site).await, None, "{value}");
    }
    assert_eq!(site.sessions.sweep(site.now).await.unwrap(), 1);
}

#[tokio::test]
async fn an_end_that_cannot_be_read_is_nobodys() {
    let site = an_hour_later(TestDatabase::sqlite().await).await;
    for value in ["'soon'", "''", "x'00ff'", "'294276-12-31'"] {
        set(&site, "expires", value).await;
        check_locks_nobody_out(&site).await;
    }
}

#[tokio::test]
async fn data_that_is_no_text_is_nobodys() {
    let site = an_hour_later(TestDatabase::sqlite().await).await;
    for value in ["x'00ff'", "CAST(x'ff' AS TEXT)", "5", "1.5"] {
        set(&site, "data", value).await;
        check_locks_nobody_out(&site).await;
    }
}

/// The row stays as it is, other rows are as good as ever, and its owner may sign in and out.
async fn check_locks_nobody_out(site: &Site) {
    assert_eq!(site.sessions.sweep(site.now).await.unwrap(), 0);
    assert_eq!(user(site).await, None);
    assert_eq!(site.log_out(&[EXPRESS_COOKIE]).await.status, 200);
    assert!(site.test.texts(r#"SELECT "sid" FROM "Sessions""#).await.is_empty());
    site.insert_row(EXPRESS_SID, EXPRESS_DATA, site.now + TimeDelta::days(30)).await;
}

async fn damage_is_one_rows_own(test: TestDatabase) {
    let site = an_hour_later(test).await;
    let value = no_moments(&site)[1];
    set(&site, "expires", value).await;
    let good = site.log_in(ADA, PASSWORD, &[]).await.cookie();
    assert_eq!(site.user(&[EXPRESS_COOKIE, &good]).await.as_deref(), Some(ADA));
    let next = site.log_in(ADA, PASSWORD, &[EXPRESS_COOKIE, &good]).await.cookie();
    assert_eq!(site.user(&[&next]).await.as_deref(), Some(ADA));
    assert_eq!(site.rows().await.len(), 1, "both are gone");
}

on_both_databases! {
    a_damaged_time_of_writing_or_beginning_matters_to_nobody
    damage_is_one_rows_own
}
