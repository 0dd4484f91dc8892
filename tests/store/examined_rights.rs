//! `doctor database` by roles that may do little, and without a trace.

use nextbnb_gateway::config::doctor::DatabaseSubject;
use nextbnb_gateway::database::DatabaseTarget;
use nextbnb_gateway::doctor::database::examine;
use nextbnb_gateway::doctor::{Level, Report, render};
use nextbnb_migrations::TableNames;
use nextbnb_tests::database::TestDatabase;
use serde_json::json;

use crate::examined::{found, look, subject, trouble};
use crate::printed::{contents, dump};
use crate::site::connect;

/// What a role with these rights is told; the role is gone afterwards.
async fn look_as_role(test: &TestDatabase, grants: &str) -> Report {
    let role = format!("{}_looker", test.name());
    test.run(&format!(r#"CREATE ROLE "{role}"; REVOKE CREATE ON SCHEMA public FROM PUBLIC"#)).await;
    test.run(&grants.replace("{role}", &format!("\"{role}\""))).await;
    let database = DatabaseTarget::Url(format!("{}&options=-c%20role%3D{role}", test.url()));
    let report = examine(&DatabaseSubject { database, ..subject(test) }, None).await;
    test.run(&format!(r#"DROP OWNED BY "{role}"; DROP ROLE "{role}""#)).await;
    report
}

#[tokio::test]
async fn a_role_that_may_only_read_is_told_what_follows_and_everything_else() {
    let test = TestDatabase::postgres().await;
    connect(&test).await.migrate(&TableNames::default()).await.unwrap();
    let report = look_as_role(&test, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}").await;
    let lacks: Vec<_> = report
        .findings
        .iter()
        .filter(|finding| finding.facts.contains_key("lacks"))
        .map(|finding| (finding.id, finding.level, finding.facts["lacks"].as_str().unwrap()))
        .collect();
    let (problem, warning) = (Level::Problem, Level::Warning);
    assert_eq!(
        lacks,
        [
            ("session-rights", problem, "INSERT"),
            ("session-rights", problem, "UPDATE"),
            ("session-rights", problem, "DELETE"),
            ("account-rights", warning, "INSERT"),
            ("account-rights", warning, "USAGE"),
        ]
    );
    assert_eq!(found(&report, "session-rights").facts["has"], json!(["SELECT"]));
    assert_eq!(found(&report, "sessions").facts["rows"], 0);
    assert_eq!(found(&report, "migrations").level, Level::Ok, "nothing is pending");
}

#[tokio::test]
async fn a_role_that_may_all_but_alter_tables_lacks_nothing_until_something_is_pending() {
    let test = TestDatabase::postgres().await;
    let grants = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}";
    test.run(&format!("{SESSIONS}; {USERS}")).await;
    let pending = look_as_role(&test, grants).await;
    assert_eq!(trouble(&pending), ["migrations"]);
    let migrations = found(&pending, "migrations");
    assert_eq!(migrations.level, Level::Problem);
    assert!(migrations.cure.as_ref().unwrap().contains("migrate --print"), "{migrations:?}");

    assert_eq!(found(&look(&test).await, "migrations").level, Level::Ok, "the owner may");
    connect(&test).await.migrate(&TableNames::default()).await.unwrap();
    assert_eq!(trouble(&look_as_role(&test, grants).await), Vec::<&str>::new());
}

#[tokio::test]
async fn a_role_that_may_not_even_read_is_told_so() {
    let test = TestDatabase::postgres().await;
    connect(&test).await.migrate(&TableNames::default()).await.unwrap();
    let report = look_as_role(&test, "SELECT 1").await;
    let rights = found(&report, "session-rights");
    assert_eq!((rights.level, &rights.facts["lacks"]), (Level::Problem, &json!("SELECT")));
    assert!(found(&report, "sessions").what.contains("permission denied"));
}

const SESSIONS: &str = r#"CREATE TABLE "Sessions" ("sid" VARCHAR(36) PRIMARY KEY,
    "expires" TIMESTAMP WITH TIME ZONE, "data" TEXT, "createdAt" TIMESTAMP WITH TIME ZONE NOT NULL,
    "updatedAt" TIMESTAMP WITH TIME ZONE NOT NULL)"#;

const USERS: &str =
    r#"CREATE TABLE "users" ("id" SERIAL PRIMARY KEY, "email" TEXT, "password" TEXT)"#;

const ROWS: &str = r#"INSERT INTO "Sessions" VALUES ('s', '2020-01-01 00:00:00+00', '[]',
        '2020-01-01 00:00:00+00', '2020-01-01 00:00:00+00');
    INSERT INTO "users" VALUES (1, 'a@b.c', 'x'), (2, 'a@b.c', 'y')"#;

#[tokio::test]
async fn a_look_leaves_a_server_as_it_was() {
    let test = TestDatabase::postgres().await;
    test.run(&format!("{SESSIONS}; {USERS}; {ROWS}")).await;
    let before = dump(&test, &[]);
    assert!(before.contains("a@b.c"));
    look(&test).await;
    assert_eq!(dump(&test, &[]), before);
}

/// Whatever hides behind a name: here a view that notes who reads it.
#[tokio::test]
async fn a_look_cannot_write_even_where_reading_does() {
    let test = TestDatabase::postgres().await;
    test.run(&format!(
        r#"{SESSIONS}; CREATE TABLE noted (at TIMESTAMP);
        CREATE FUNCTION note() RETURNS TEXT LANGUAGE sql VOLATILE
            AS 'INSERT INTO noted VALUES (now()) RETURNING ''hash''::text';
        CREATE VIEW "users" AS SELECT 1 AS "id", 'a@b.c'::text AS "email", note() AS "password""#
    ))
    .await;
    let report = look(&test).await;
    assert!(found(&report, "accounts").what.contains("in a read-only transaction"));
    assert!(test.texts("SELECT at::text FROM noted").await.is_empty());
}

#[tokio::test]
async fn a_look_leaves_a_file_and_its_folder_as_they_were() {
    let test = TestDatabase::sqlite().await;
    test.run(&format!("{SESSIONS}; {USERS}; {ROWS}")).await;
    let gateway = connect(&test).await;
    gateway.migrate(&TableNames::default()).await.unwrap();
    gateway.close().await.unwrap();
    test.connection().clone().close().await.unwrap();
    let folder = test.path().parent().unwrap().to_owned();
    let before = contents(&folder);
    let report = look(&test).await;
    assert_eq!(found(&report, "sessions").facts["rows"], 1, "{}", render::json(&report));
    assert!(contents(&folder) == before, "the same files with the same bytes");
}

/// A gateway serves on the file meanwhile.
#[tokio::test]
async fn a_look_sees_what_a_running_gateway_wrote() {
    let test = TestDatabase::sqlite().await;
    let database = connect(&test).await;
    database.migrate(&TableNames::default()).await.unwrap();
    test.run(r#"INSERT INTO "users" ("id", "email", "password") VALUES (1, 'a@b.c', 'x')"#).await;
    assert_eq!(found(&look(&test).await, "accounts").facts["accounts"], 1);
    database.close().await.unwrap();
}
