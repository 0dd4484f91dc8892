//! `doctor database` on tables whose columns, ids and sessions are not the course's.

use chrono::TimeDelta;
use nextbnb_gateway::config::doctor::DatabaseSubject;
use nextbnb_gateway::database::tables::TableChoice;
use nextbnb_gateway::doctor::database::examine;
use nextbnb_gateway::doctor::{Level, Report, render};
use nextbnb_gateway::session::clock::Clock;
use nextbnb_gateway::session::user_key::{UserField, UserKey, UserObject};
use nextbnb_migrations::UserColumns;
use nextbnb_tests::database::TestDatabase;

use crate::examined::{HASH, found, subject, trouble};

const ADA: &str = "0b9f8a52-7c39-4f43-9a44-0e6d5a3a0b01";
const BEN: &str = "0b9f8a52-7c39-4f43-9a44-0e6d5a3a0b02";

async fn tables(test: &TestDatabase, sid: &str, data: &str, users: &str) {
    test.run(&format!(
        r#"CREATE TABLE "Sessions" ("sid" {sid} PRIMARY KEY, "expires" TIMESTAMP WITH TIME ZONE,
            "data" {data}, "createdAt" TIMESTAMP WITH TIME ZONE NOT NULL,
            "updatedAt" TIMESTAMP WITH TIME ZONE NOT NULL);
        CREATE TABLE "users" {users}"#
    ))
    .await;
}

/// Live for an hour; `data` is SQL.
async fn add_session(test: &TestDatabase, sid: &str, data: &str) {
    let now = Clock.now();
    let (end, now) = ((now + TimeDelta::hours(1)).to_rfc3339(), now.to_rfc3339());
    test.run(&format!(
        r#"INSERT INTO "Sessions" VALUES ({sid}, '{end}', {data}, '{now}', '{now}')"#
    ))
    .await;
}

fn of(user: &str) -> String {
    format!(r#"'{{"cookie":{{}},"passport":{{"user":{user}}}}}'"#)
}

async fn under(test: &TestDatabase, user_key: UserKey) -> Report {
    examine(&DatabaseSubject { user_key, ..subject(test) }, None).await
}

#[track_caller]
fn check(report: &Report, facts: &[(&str, u64)]) {
    let sessions = &found(report, "sessions").facts;
    for (name, count) in facts {
        assert_eq!(sessions[*name], *count, "{name}: {}", render::json(report));
    }
}

fn object() -> UserKey {
    UserKey::Object(UserObject::new(vec![("id".to_owned(), UserField::Id)]).unwrap())
}

const NUMBERED: &str =
    r#"("id" INTEGER PRIMARY KEY, "email" VARCHAR(255), "password" VARCHAR(255))"#;

async fn sessions_are_judged_by_the_user_key(test: TestDatabase) {
    tables(&test, "VARCHAR(36)", "TEXT", NUMBERED).await;
    test.run(&format!(r#"INSERT INTO "users" VALUES (7, 'a@b.c', '{HASH}')"#)).await;
    let rows = ["7", r#""07""#, "8", r#""a@b.c""#, r#""gone@b.c""#, r#"{"id":7}"#, "[7]", "null"];
    for (number, user) in rows.iter().enumerate() {
        add_session(&test, &format!("'row{number}'"), &of(user)).await;
    }
    for (key, signed_in, gone, unread) in [
        (UserKey::Email, 1, 1, "an id (3), an object (1), neither an address"),
        (UserKey::Id, 2, 1, "an address (2), an object (1), neither an address"),
        (object(), 1, 0, "an address (2), an id (3), neither an address"),
    ] {
        let report = under(&test, key).await;
        check(&report, &[("live", 8), ("signed_in", signed_in), ("guests", 1)]);
        let told = found(&report, "unread-users");
        assert!(told.what.contains(unread), "{told:?}");
        assert_eq!(told.level, Level::Warning);
        let told = report.findings.iter().find(|finding| finding.id == "gone-users");
        assert_eq!(told.map_or(0, |told| told.facts["sessions"].as_u64().unwrap()), gone);
    }
}

/// Nobody would be signed in: that is what the setting is for.
async fn the_wrong_user_key_is_a_problem_that_names_the_right_one(test: TestDatabase) {
    tables(&test, "VARCHAR(36)", "TEXT", NUMBERED).await;
    test.run(&format!(r#"INSERT INTO "users" VALUES (7, 'a@b.c', '{HASH}')"#)).await;
    for (user, key, cure) in [
        ("7", UserKey::Email, "--session-user-key id"),
        (r#""7""#, UserKey::Email, "--session-user-key id"),
        (r#"{"id":7}"#, UserKey::Email, "--session-user-key object"),
        (r#""a@b.c""#, UserKey::Id, "--session-user-key email"),
    ] {
        test.run(r#"DELETE FROM "Sessions""#).await;
        add_session(&test, "'s'", &of(user)).await;
        let report = under(&test, key).await;
        let told = found(&report, "unread-users");
        assert_eq!(told.level, Level::Problem, "{user}");
        assert!(told.cure.as_ref().unwrap().starts_with(cure), "{told:?}");
    }
}

async fn ids_that_are_uuids_are_paged_and_found(test: TestDatabase) {
    let users = r#"("id" UUID PRIMARY KEY, "email" VARCHAR(255), "password" VARCHAR(255))"#;
    tables(&test, "VARCHAR(36)", "TEXT", users).await;
    for id in [ADA, BEN] {
        test.run(&format!(r#"INSERT INTO "users" VALUES ('{id}', 'a@b.c', '{HASH}')"#)).await;
    }
    for (sid, user) in [("'a'", ADA), ("'b'", BEN), ("'c'", "0b9f8a52-7c39-4f43-9a44-0e6d5a3a0b03")]
    {
        add_session(&test, sid, &of(&format!("{user:?}"))).await;
    }
    let subject = DatabaseSubject { user_key: UserKey::Id, sample: Some(1), ..subject(&test) };
    let report = examine(&subject, None).await;
    assert_eq!(found(&report, "accounts").facts["sample"], true);
    let report = under(&test, UserKey::Id).await;
    check(&report, &[("signed_in", 2)]);
    assert_eq!(found(&report, "gone-users").facts["sessions"], 1);
    assert_eq!(found(&report, "accounts").facts["accounts"], 2);
    let doubled = &found(&report, "doubled-addresses").what;
    assert!(doubled.ends_with(&format!("id {ADA} (of 2)")), "{doubled}");
    assert_eq!(found(&report, "account-columns").level, Level::Ok);
    assert_eq!(found(&report, "registration").level, Level::Ok, "the gateway makes UUIDs");
}

async fn columns_are_looked_for_under_their_own_names(test: TestDatabase) {
    let users = r#"("user_id" INTEGER PRIMARY KEY, "mail" VARCHAR(255), "hash" VARCHAR(255))"#;
    tables(&test, "VARCHAR(36)", "TEXT", users).await;
    test.run(&format!(r#"INSERT INTO "users" VALUES (7, 'a@b.c', '{HASH}')"#)).await;
    add_session(&test, "'s'", &of(r#""a@b.c""#)).await;
    let columns = |name: &str| {
        let [id, email, password] = ["user_id", "mail", "hash"].map(str::to_owned);
        UserColumns { id, email, password, name: name.to_owned() }
    };
    let tables = TableChoice { user_columns: columns("name"), ..TableChoice::default() };
    let known = DatabaseSubject { tables, ..subject(&test) };
    let report = examine(&known, None).await;
    check(&report, &[("signed_in", 1)]);
    assert_eq!(found(&report, "accounts").facts["bcrypt 10"], 1);
    assert_eq!(found(&report, "account-columns").level, Level::Ok);

    let users = Some("users".to_owned());
    for (user_columns, lacking) in [
        (UserColumns::default(), vec!["id", "email", "password"]),
        (columns("title"), vec!["title"]),
    ] {
        let tables = TableChoice { users: users.clone(), user_columns, sessions: None };
        let report = examine(&DatabaseSubject { tables, ..subject(&test) }, None).await;
        let told = report.findings.iter().filter(|finding| finding.id == "account-columns");
        let told: Vec<_> = told.map(|finding| finding.facts["column"].as_str().unwrap()).collect();
        assert_eq!(told, lacking);
        let cure = found(&report, "account-columns").cure.as_ref().unwrap();
        assert!(cure.starts_with("--users-column"), "{cure}");
    }
}

/// As for a site that kept its sessions in memory.
async fn accounts_are_counted_before_there_is_a_table_of_sessions(test: TestDatabase) {
    test.run(&format!(r#"CREATE TABLE "users" {NUMBERED}"#)).await;
    test.run(&format!(r#"INSERT INTO "users" VALUES (7, 'a@b.c', '{HASH}')"#)).await;
    let report = under(&test, UserKey::Email).await;
    assert_eq!(found(&report, "accounts").facts["accounts"], 1);
    assert!(trouble(&report).contains(&"session-table"));
    assert!(report.findings.iter().all(|finding| finding.id != "sessions"));
}

on_both_databases! {
    sessions_are_judged_by_the_user_key
    the_wrong_user_key_is_a_problem_that_names_the_right_one
    ids_that_are_uuids_are_paged_and_found
    columns_are_looked_for_under_their_own_names
    accounts_are_counted_before_there_is_a_table_of_sessions
}

#[tokio::test]
async fn padded_ids_and_json_are_read_and_no_trouble() {
    for data in ["JSON", "JSONB"] {
        let test = TestDatabase::postgres().await;
        let users = r#"("id" CHAR(8) PRIMARY KEY, "email" VARCHAR(255), "password" CHAR(60))"#;
        tables(&test, "CHAR(36)", data, users).await;
        test.run(&format!(r#"INSERT INTO "users" VALUES ('ada', 'a@b.c', '{HASH}')"#)).await;
        for sid in ["'a'", "'b'"] {
            add_session(&test, sid, &format!("to_json({}::text)", of(r#""ada""#))).await;
        }
        let report = under(&test, UserKey::Id).await;
        check(&report, &[("rows", 2), ("signed_in", 2)]);
        assert_eq!(found(&report, "accounts").facts["bcrypt 10"], 1);
        for id in ["session-columns", "account-columns"] {
            assert_eq!(found(&report, id).level, Level::Ok, "{}", render::json(&report));
        }
    }
}

#[tokio::test]
async fn a_row_whose_id_is_no_text_is_one_damaged_row() {
    let test = TestDatabase::sqlite().await;
    tables(&test, "VARCHAR(36)", "TEXT", NUMBERED).await;
    for sid in ["x'00ff'", "'s'", "NULL"] {
        add_session(&test, sid, &of("null")).await;
    }
    let report = under(&test, UserKey::Email).await;
    check(&report, &[("rows", 3), ("live", 1), ("guests", 1)]);
    assert_eq!(found(&report, "damaged-sessions").facts["the id is not text"], 2);
}
