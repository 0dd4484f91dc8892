//! `doctor database` on tables with odd rows: each finding is there, and is not where it should not
//! be.

use chrono::TimeDelta;
use nextbnb_gateway::config::doctor::DatabaseSubject;
use nextbnb_gateway::database::DatabaseTarget;
use nextbnb_gateway::database::tables::TableChoice;
use nextbnb_gateway::doctor::database::examine;
use nextbnb_gateway::doctor::{Finding, Level, Report, render};
use nextbnb_gateway::session::clock::Clock;
use nextbnb_gateway::session::secrets::Secrets;
use nextbnb_gateway::session::user_key::UserKey;
use nextbnb_migrations::TableNames;
use nextbnb_tests::database::TestDatabase;
use serde_json::json;

use crate::site::{SECRET, connect};

/// Of `pw`.
pub(crate) const HASH: &str = "$2b$10$bsEj3iWiUAC607D2MGlcy.Dr1wnUPx2ayJNxxU/uBGfgVnjg83WN2";

/// What every finding's id is explained in.
const DOCUMENT: &str = include_str!("../../docs/doctor.md");

/// The test's database, with the secret of the measured Express server.
pub(crate) fn subject(test: &TestDatabase) -> DatabaseSubject {
    DatabaseSubject {
        database: DatabaseTarget::Url(test.url().to_owned()),
        tables: TableChoice::default(),
        user_key: UserKey::Email,
        cookie_name: "nextbnb".to_owned(),
        secrets: Ok(Secrets::new(&[SECRET.into()])),
        sample: None,
    }
}

pub(crate) async fn look(test: &TestDatabase) -> Report {
    let report = examine(&subject(test), None).await;
    for Finding { id, .. } in &report.findings {
        assert!(DOCUMENT.contains(&format!("`{id}`")), "docs/doctor.md lacks {id}");
    }
    report
}

#[track_caller]
pub(crate) fn found<'a>(report: &'a Report, id: &str) -> &'a Finding {
    let all = render::json(report);
    report.findings.iter().find(|finding| finding.id == id).unwrap_or_else(|| panic!("{id}: {all}"))
}

/// Everything that is not as it should be.
pub(crate) fn trouble(report: &Report) -> Vec<&'static str> {
    let odd = report.findings.iter().filter(|finding| finding.level != Level::Ok);
    odd.map(|finding| finding.id).collect()
}

async fn migrated(test: &TestDatabase) {
    connect(test).await.migrate(&TableNames::default()).await.unwrap();
}

async fn add_user(test: &TestDatabase, id: i32, email: &str, password: &str) {
    test.run(&format!(
        r#"INSERT INTO "users" ("id", "email", "password") VALUES ({id}, '{email}', {password})"#
    ))
    .await;
}

/// A row that ends in an hour, or ended an hour ago.
async fn add_session(test: &TestDatabase, sid: &str, hours: i64, data: &str) {
    let end = (Clock.now() + TimeDelta::hours(hours)).to_rfc3339();
    let (data, now) = (data.replace('\'', "''"), Clock.now().to_rfc3339());
    test.run(&format!(
        r#"INSERT INTO "Sessions" VALUES ('{sid}', '{end}', '{data}', '{now}', '{now}')"#
    ))
    .await;
}

fn of(user: &str) -> String {
    format!(r#"{{"cookie":{{}},"passport":{{"user":{user}}}}}"#)
}

async fn a_good_database_has_nothing_to_be_cured(test: TestDatabase) {
    migrated(&test).await;
    add_user(&test, 1, "a@b.c", &format!("'{HASH}'")).await;
    add_session(&test, "live", 1, &of(r#""a@b.c""#)).await;
    let report = look(&test).await;
    assert_eq!(trouble(&report), Vec::<&str>::new(), "{}", render::json(&report));
    assert!(report.is_healthy());
    let version = if test.is_postgres() { "PostgreSQL 1" } else { "SQLite 3." };
    assert!(found(&report, "database").what.contains(version));
    assert_eq!(found(&report, "sessions").facts["signed_in"], 1);
    assert_eq!(found(&report, "accounts").facts["bcrypt 10"], 1);
    assert_eq!(found(&report, "migrations").what, "nothing is pending");
}

async fn every_row_is_counted_once_and_damage_by_its_reason(test: TestDatabase) {
    migrated(&test).await;
    add_user(&test, 1, "a@b.c", &format!("'{HASH}'")).await;
    for (number, data) in [
        of(r#""a@b.c""#),
        of(r#""a@b.c""#),
        of(r#""gone@b.c""#),
        of("5"),
        of(r#"{"id":5}"#),
        of(r#"{"id":6}"#),
        of("null"),
        r#"{"cookie":{}}"#.to_owned(),
        r#"{"cookie":{"sameSite":"sideways"}}"#.to_owned(),
        String::new(),
        "[]".to_owned(),
        r#"{"cookie":null}"#.to_owned(),
        r#"{"cookie":{"originalMaxAge":"x"}}"#.to_owned(),
    ]
    .iter()
    .enumerate()
    {
        add_session(&test, &format!("row{number}"), 1, data).await;
    }
    for (sid, data) in [("over1", of(r#""a@b.c""#)), ("over2", "[]".to_owned())] {
        add_session(&test, sid, -1, &data).await;
    }
    let report = look(&test).await;
    let facts = &found(&report, "sessions").facts;
    for (name, count) in
        [("rows", 15), ("live", 9), ("expired", 2), ("signed_in", 2), ("guests", 3)]
    {
        assert_eq!(facts[name], count, "{name} of {facts:?}");
    }
    let facts = &found(&report, "damaged-sessions").facts;
    assert_eq!(facts["rows"], 4);
    assert_eq!(facts["the data is not a JSON object"], 2);
    assert_eq!(facts["the data has no cookie object"], 1);
    assert_eq!(facts["the cookie's originalMaxAge is not a number"], 1);
    let unread = found(&report, "unread-users");
    assert!(unread.what.ends_with("`passport.user` is an id (1), an object (2)"), "{unread:?}");
    assert!(unread.cure.as_ref().unwrap().contains("--session-user-key object"), "{unread:?}");
    assert_eq!(found(&report, "gone-users").facts["sessions"], 1);
    assert_eq!(found(&report, "unsound-cookies").facts["sessions"], 1);
    assert!(report.is_healthy(), "warnings are no obstacle: {}", render::json(&report));
}

#[tokio::test]
async fn a_time_that_is_none_is_damage() {
    let test = TestDatabase::sqlite().await;
    migrated(&test).await;
    add_session(&test, "s", 1, &of("null")).await;
    test.run(r#"UPDATE "Sessions" SET "expires" = 'soon'"#).await;
    let report = look(&test).await;
    assert_eq!(found(&report, "damaged-sessions").facts["the end is not a time"], 1);
}

async fn pages_leave_out_no_row_and_count_none_twice(test: TestDatabase) {
    migrated(&test).await;
    let numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2001)";
    let now = Clock.now().to_rfc3339();
    let time = if test.is_postgres() { "::timestamptz" } else { "" };
    test.run(&format!(
        r#"INSERT INTO "users" ("id", "email", "password")
            {numbers} SELECT i, 'u' || i || '@b.c', '{HASH}' FROM n"#
    ))
    .await;
    test.run(&format!(
        r#"INSERT INTO "Sessions" {numbers} SELECT 'sid' || i, NULL,
            '{{"cookie":{{}},"passport":{{"user":"u' || i || '@b.c"}}}}', '{now}'{time}, '{now}'{time}
            FROM n"#
    ))
    .await;
    let report = look(&test).await;
    assert_eq!(found(&report, "sessions").facts["signed_in"], 2001);
    assert_eq!(found(&report, "sessions").facts["sample"], false);
    assert_eq!(found(&report, "accounts").facts["accounts"], 2001);

    let report = examine(&DatabaseSubject { sample: Some(1500), ..subject(&test) }, None).await;
    for id in ["sessions", "accounts"] {
        let finding = found(&report, id);
        assert_eq!(
            (&finding.facts["sample"], finding.what.contains("(a sample)")),
            (&json!(true), true)
        );
    }
    assert_eq!(found(&report, "sessions").facts["rows"], 1500);
    let report = examine(&DatabaseSubject { sample: Some(2001), ..subject(&test) }, None).await;
    assert_eq!(found(&report, "sessions").facts["sample"], false, "all are read");
}

async fn hashes_are_counted_by_kind_and_never_shown(test: TestDatabase) {
    test.run(OPEN_USERS).await;
    migrated(&test).await;
    let weak = HASH.replace("$10$", "$04$");
    let php = HASH.replace("$2b$", "$2y$");
    let old = HASH.replace("$2b$10$", "$2a$12$");
    let argon = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$x";
    for (id, hash) in (1..).zip([HASH, HASH, &old, &weak, &php, argon, "hunter2", ""]) {
        add_user(&test, id, &format!("u{id}@b.c"), &format!("'{hash}'")).await;
    }
    add_user(&test, 9, "u9@b.c", "NULL").await;
    let report = look(&test).await;
    let facts = &found(&report, "accounts").facts;
    for (kind, count) in [
        ("accounts", 9),
        ("bcrypt 10", 3),
        ("bcrypt 12", 1),
        ("bcrypt 4", 1),
        ("argon2", 1),
        ("no known hash", 1),
        ("empty", 1),
        ("none", 1),
    ] {
        assert_eq!(facts[kind], count, "{kind} of {facts:?}");
    }
    assert_eq!(found(&report, "passwords").facts["accounts"], 4);
    assert_eq!(found(&report, "weak-passwords").facts["accounts"], 1);
    let said = render::json(&report) + &render::text(&report, render::Colour::Off);
    for secret in ["hunter2", "bsEj3", "c29tZ", "u1@b.c", SECRET] {
        assert!(!said.contains(secret), "{secret} in {said}");
    }
}

/// As a site without `unique` has them.
const OPEN_USERS: &str = r#"CREATE TABLE "users" ("id" INTEGER PRIMARY KEY, "email" VARCHAR(255),
    "password" VARCHAR(255))"#;

async fn doubled_addresses_are_told_by_ids(test: TestDatabase) {
    test.run(OPEN_USERS).await;
    for (id, email) in [
        (3, "a@b.c"),
        (7, "a@b.c"),
        (8, "a@b.c"),
        (9, "d@b.c"),
        (10, "D@b.c"),
        (11, "é"),
        (12, "É"),
    ] {
        add_user(&test, id, email, &format!("'{HASH}'")).await;
    }
    test.run(r#"INSERT INTO "users" VALUES (20, NULL, 'x'), (21, NULL, 'x')"#).await;
    migrated(&test).await;
    let report = look(&test).await;
    let doubled = found(&report, "doubled-addresses");
    assert_eq!(
        doubled.what,
        "1 address with several accounts; the lowest id signs in: id 3 (of 3)"
    );
    let spelt = found(&report, "spellings");
    assert_eq!(spelt.what, "1 address in several spellings: id 9 (of 2)");
}

async fn an_empty_database_says_what_would_be_made(test: TestDatabase) {
    let report = look(&test).await;
    assert_eq!(trouble(&report), ["session-table", "users-table"]);
    let pending = &found(&report, "migrations").facts["pending"];
    let names = ["m0001_sequelize_tables", "m0002_names_and_indexes", "m0003_change_feed"];
    assert_eq!(*pending, json!(names));
    assert!(found(&report, "migrations").what.contains("applied by the next `serve`"));
}

async fn tables_that_could_each_be_meant_are_a_problem_with_its_flag(test: TestDatabase) {
    migrated(&test).await;
    let columns = r#"("sid" VARCHAR(36), "expires" TIMESTAMP, "data" TEXT)"#;
    test.run(&format!(r#"CREATE TABLE "Session" {columns}"#)).await;
    let report = look(&test).await;
    let tables = found(&report, "tables");
    assert_eq!(tables.level, Level::Problem);
    assert!(tables.cure.as_ref().unwrap().contains("--session-table"), "{tables:?}");
    assert!(!report.is_healthy());
    let tables = TableChoice { sessions: Some("Sessions".to_owned()), ..TableChoice::default() };
    let report = examine(&DatabaseSubject { tables, ..subject(&test) }, None).await;
    assert_eq!(trouble(&report), Vec::<&str>::new());
}

async fn columns_that_lack_and_that_nothing_fills_are_named(test: TestDatabase) {
    test.run(
        r#"CREATE TABLE "Sessions" ("sid" VARCHAR(36) PRIMARY KEY, "expires" TIMESTAMP WITH TIME ZONE,
            "data" TEXT, "updatedAt" TIMESTAMP WITH TIME ZONE NOT NULL);
        CREATE TABLE "users" ("id" INTEGER PRIMARY KEY, "email" TEXT, "password" TEXT,
            "phone" TEXT NOT NULL, "plan" TEXT NOT NULL DEFAULT 'free',
            "createdAt" TIMESTAMP WITH TIME ZONE NOT NULL)"#,
    )
    .await;
    let report = look(&test).await;
    assert_eq!(found(&report, "session-columns").facts["column"], "createdAt");
    assert_eq!(found(&report, "session-columns").level, Level::Problem);
    assert_eq!(found(&report, "account-columns").level, Level::Ok);
    // SQLite numbers the rows of an INTEGER key by itself.
    let unfilled = if test.is_postgres() { json!(["id", "phone"]) } else { json!(["phone"]) };
    assert_eq!(found(&report, "registration").facts["columns"], unfilled);
}

async fn what_a_newer_release_did_is_told(test: TestDatabase) {
    migrated(&test).await;
    test.run(r#"INSERT INTO "nextbnb_migrations" VALUES ('m9999_more', 0)"#).await;
    let report = look(&test).await;
    assert_eq!(trouble(&report), ["migrations"]);
    assert_eq!(found(&report, "migrations").facts["later"], json!(["m9999_more"]));
}

async fn a_secret_that_is_missing_or_bad_is_told(test: TestDatabase) {
    migrated(&test).await;
    let report = examine(&DatabaseSubject { secrets: Ok(None), ..subject(&test) }, None).await;
    assert_eq!(trouble(&report), ["secrets"]);
    assert!(report.is_healthy());
}

on_both_databases! {
    a_good_database_has_nothing_to_be_cured
    every_row_is_counted_once_and_damage_by_its_reason
    pages_leave_out_no_row_and_count_none_twice
    hashes_are_counted_by_kind_and_never_shown
    doubled_addresses_are_told_by_ids
    an_empty_database_says_what_would_be_made
    tables_that_could_each_be_meant_are_a_problem_with_its_flag
    columns_that_lack_and_that_nothing_fills_are_named
    what_a_newer_release_did_is_told
    a_secret_that_is_missing_or_bad_is_told
}

/// With the types that sites were seen with, and those that they might have.
#[tokio::test]
async fn columns_of_another_type_are_named_with_what_follows() {
    let test = TestDatabase::postgres().await;
    test.run(
        r#"CREATE TABLE "Sessions" ("sid" CHAR(31) PRIMARY KEY, "expires" TIMESTAMP, "data" BYTEA,
            "createdAt" DATE NOT NULL, "updatedAt" TIMESTAMPTZ NOT NULL);
        CREATE DOMAIN short AS VARCHAR(59);
        CREATE TABLE "users" ("id" UUID PRIMARY KEY, "email" CHAR(255), "password" short)"#,
    )
    .await;
    let report = look(&test).await;
    let columns = report.findings.iter().filter(|finding| finding.id.ends_with("-columns"));
    let told: Vec<_> = columns
        .map(|finding| (finding.level, finding.what.as_str(), finding.cure.is_some()))
        .collect();
    assert_eq!(
        told,
        [
            (Level::Problem, r#""sid" is of type character(31)"#, true),
            (Level::Warning, r#""expires" is of type timestamp without time zone"#, true),
            (Level::Problem, r#""data" is of type bytea"#, true),
            (Level::Problem, r#""createdAt" is of type date"#, true),
            (Level::Problem, r#""email" is of type character(255)"#, true),
            (Level::Problem, r#""password" is of type character varying(59)"#, true),
        ]
    );
}

#[tokio::test]
async fn a_database_that_is_not_there_is_a_finding_and_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("none.sqlite");
    let test = TestDatabase::sqlite().await;
    for database in [
        DatabaseTarget::Embedded(file.clone()),
        DatabaseTarget::Url(format!("sqlite://{}?mode=rwc", file.display())),
        DatabaseTarget::Url("postgres://ada:hunter2@127.0.0.1:1/site".to_owned()),
    ] {
        let report = examine(&DatabaseSubject { database, ..subject(&test) }, None).await;
        assert_eq!(trouble(&report), ["database"]);
        assert!(!report.is_healthy());
        assert!(!render::json(&report).contains("hunter2"));
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
