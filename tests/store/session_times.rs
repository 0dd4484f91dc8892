//! Tables of sessions as Sequelize makes them where `define` of the whole site says `underscored` or
//! `timestamps: false`: connect-session-sequelize's own model follows it.

use chrono::TimeDelta;
use nextbnb_gateway::session::SessionSettings;
use nextbnb_gateway::session::policy::{OldData, Touch};
use nextbnb_migrations::TableNames;
use nextbnb_tests::database::TestDatabase;
use tokio::time::Duration;

use crate::site::{PASSWORD, Site, connect, eventually};

const ADA: &str = "ada@example.com";

async fn with_columns(test: TestDatabase, more: &str) -> Site {
    test.run(&format!(
        r#"CREATE TABLE "Sessions" ("sid" VARCHAR(36) PRIMARY KEY,
            "expires" TIMESTAMP WITH TIME ZONE, "data" TEXT{more})"#
    ))
    .await;
    Site::open(test).await
}

async fn ends(site: &Site) -> Vec<String> {
    site.test.texts(r#"SELECT CAST("expires" AS TEXT) FROM "Sessions""#).await
}

/// Begun, found, touched, renewed, replaced, ended.
async fn check_life(mut site: Site) {
    connect(&site.test).await.check(&TableNames::default()).await.expect("fit for --no-migrate");
    let cookie = site.register(ADA).await.cookie();
    assert_eq!(site.user(&[&cookie]).await.as_deref(), Some(ADA));
    let first = ends(&site).await;
    site.advance(TimeDelta::hours(1));
    assert_eq!(site.read_page(&[&cookie]).await, None);
    eventually("a touch", async || (ends(&site).await != first).then_some(())).await;
    site.advance(TimeDelta::days(20));
    assert!(site.read_page(&[&cookie]).await.is_some(), "renewed");
    let again = site.log_in(ADA, PASSWORD, &[&cookie]).await.cookie();
    assert!(site.visit(&[&cookie]).await.is_none(), "the id before the sign-in");
    assert_eq!(site.user(&[&again]).await.as_deref(), Some(ADA));
    site.log_out(&[&again]).await;
    assert_eq!(ends(&site).await, Vec::<String>::new());
}

async fn sessions_with_underscored_times_live_as_any(test: TestDatabase) {
    let times = r#", "created_at" TIMESTAMP WITH TIME ZONE NOT NULL,
        "updated_at" TIMESTAMP WITH TIME ZONE NOT NULL"#;
    check_life(with_columns(test, times).await).await;
}

async fn sessions_without_times_live_as_any(test: TestDatabase) {
    check_life(with_columns(test, "").await).await;
}

async fn a_write_is_noted_in_a_column_of_either_spelling(test: TestDatabase) {
    let times = r#", "created_at" TIMESTAMP WITH TIME ZONE NOT NULL,
        "updated_at" TIMESTAMP WITH TIME ZONE NOT NULL"#;
    let mut site = with_columns(test, times).await;
    let every_visit =
        |sessions: &mut SessionSettings| sessions.policy.touch = Touch::Every(Duration::ZERO);
    site = Site::open_with(site.test, every_visit).await;
    let cookie = site.register(ADA).await.cookie();
    site.advance(TimeDelta::hours(1));
    site.read_page(&[&cookie]).await;
    let query = r#"SELECT 'both' FROM "Sessions" WHERE "updated_at" > "created_at""#;
    assert_eq!(site.test.texts(query).await, ["both"]);
}

/// Where `define` says `paranoid`, `session.destroy()` of Express leaves the row and notes the time.
async fn a_session_that_express_ended_and_kept_is_nobodys(test: TestDatabase) {
    let times = r#", "createdAt" TIMESTAMP WITH TIME ZONE NOT NULL,
        "updatedAt" TIMESTAMP WITH TIME ZONE NOT NULL, "deletedAt" TIMESTAMP WITH TIME ZONE"#;
    let site = with_columns(test, times).await;
    let keeping = |sessions: &mut SessionSettings| sessions.policy.old_data = OldData::Keep;
    let site = Site::open_with(site.test, keeping).await;
    let cookie = site.register(ADA).await.cookie();
    assert_eq!(site.user(&[&cookie]).await.as_deref(), Some(ADA));
    let cart = r#"UPDATE "Sessions" SET "data" = '{"cookie":{},"cart":1}'"#;
    site.test.run(&format!(r#"{cart}, "deletedAt" = '2026-11-23 00:00:00+00:00'"#)).await;
    assert!(site.visit(&[&cookie]).await.is_none());
    site.log_in(ADA, PASSWORD, &[&cookie]).await;
    let query = r#"SELECT "data" FROM "Sessions" WHERE "deletedAt" IS NULL"#;
    let begun = site.test.texts(query).await;
    assert!(!begun[0].contains("cart"), "nor is its data carried over: {begun:?}");
}

on_both_databases! {
    a_session_that_express_ended_and_kept_is_nobodys
    sessions_with_underscored_times_live_as_any
    sessions_without_times_live_as_any
    a_write_is_noted_in_a_column_of_either_spelling
}
