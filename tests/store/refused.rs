//! Tables on which the database refuses what the gateway asks, and odd ones on which it need not.

use http::header::{HeaderMap, RETRY_AFTER, SET_COOKIE};
use http::{StatusCode, header};
use nextbnb_gateway::database::DatabaseError;
use nextbnb_migrations::TableNames;
use nextbnb_tests::database::TestDatabase;
use sea_orm::{ConnectionTrait, TransactionTrait};

use crate::site::{EXPRESS_COOKIE, EXPRESS_DATA, EXPRESS_SID, PASSWORD, Site, connect};

const ADA: &str = "ada@example.com";

/// As `connect-session-sequelize` over a model of the site's own.
async fn with_sessions(test: &TestDatabase, sid: &str, data: &str, more: &str) {
    test.run(&format!(
        r#"CREATE TABLE "Sessions" ("sid" {sid} PRIMARY KEY, "expires" TIMESTAMP WITH TIME ZONE,
            "data" {data}, "createdAt" TIMESTAMP WITH TIME ZONE NOT NULL,
            "updatedAt" TIMESTAMP WITH TIME ZONE NOT NULL{more})"#
    ))
    .await;
}

/// What asking for a session says that goes wrong.
async fn error_of_visit(site: &Site) -> DatabaseError {
    let mut headers = HeaderMap::new();
    headers.insert(header::COOKIE, format!("nextbnb={EXPRESS_COOKIE}").parse().unwrap());
    let presented = site.sessions.presented(&headers);
    site.sessions.resolve(&presented, site.now).await.unwrap_err()
}

/// Asking again in a moment would change nothing, and waiting for the database neither.
async fn a_column_that_only_the_site_can_fill_is_not_an_outage(test: TestDatabase) {
    with_sessions(&test, "VARCHAR(36)", "TEXT", r#", "userId" VARCHAR(255) NOT NULL"#).await;
    let site = Site::open(test).await;
    let answer = site.register(ADA).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.message(), "An error occurred");
    assert_eq!((answer.header(RETRY_AFTER), answer.header(SET_COOKIE)), (None, None));
    assert!(!answer.body.contains("userId"), "{}", answer.body);
    assert_eq!(site.accounts().await, Vec::<String>::new(), "nor is half of it done");
}

async fn a_table_that_is_gone_is_told_by_its_name_and_not_as_an_outage(test: TestDatabase) {
    let site = Site::open(test).await;
    site.test.run(r#"DROP TABLE "Sessions""#).await;
    let error = error_of_visit(&site).await;
    assert_eq!(error.to_string(), r#"the database refused a statement about the table "Sessions""#);
    let told = nextbnb_gateway::error::chain(&error);
    assert!(told.contains("no such table") || told.contains("does not exist"), "{told}");
    assert!(!told.contains(" at line "), "{told}: that is a line of the server's own source");
    assert_eq!(site.log_out(&[EXPRESS_COOKIE]).await.status, StatusCode::INTERNAL_SERVER_ERROR);
}

async fn a_database_that_is_gone_is_an_outage(test: TestDatabase) {
    let site = Site::open(test).await;
    site.database.clone().close().await.unwrap();
    let error = error_of_visit(&site).await;
    assert!(matches!(error, DatabaseError::Unavailable(_)), "{error:?}");
}

/// A statement that was stopped may do the next time.
#[tokio::test]
async fn a_statement_that_takes_too_long_is_an_outage() {
    let test = TestDatabase::postgres().await;
    let name = test.texts("SELECT current_database()::text").await.remove(0);
    let site = Site::open(test).await;
    site.test.run(&format!("ALTER DATABASE {name} SET lock_timeout = '1ms'")).await;
    let site = Site::open(site.test).await;
    let holder = sea_orm::Database::connect(site.test.url()).await.unwrap();
    let lock = holder.begin().await.unwrap();
    lock.execute_unprepared(r#"LOCK TABLE "Sessions""#).await.unwrap();
    let error = error_of_visit(&site).await;
    assert!(matches!(error, DatabaseError::Unavailable(_)), "{error:?}");
    lock.rollback().await.unwrap();
}

/// What a server says of its state, and what of a statement.
#[tokio::test]
async fn whether_to_try_again_is_told_by_the_servers_code() {
    let test = TestDatabase::postgres().await;
    let site = Site::open(test).await;
    let later = ["08006", "25006", "25P03", "40001", "40P01", "53100", "53300", "55P03", "57014"];
    let never = ["22001", "23502", "23514", "42501", "42703", "42804", "P0001"];
    let codes = later.map(|code| (code, StatusCode::SERVICE_UNAVAILABLE));
    for (code, status) in
        codes.into_iter().chain(never.map(|code| (code, StatusCode::INTERNAL_SERVER_ERROR)))
    {
        site.test
            .run(&format!(
                r#"CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
                    $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END $$;
                CREATE OR REPLACE TRIGGER fail BEFORE INSERT ON "Sessions"
                    EXECUTE FUNCTION fail()"#
            ))
            .await;
        assert_eq!(site.register(ADA).await.status, status, "{code}");
    }
}

#[tokio::test]
async fn a_database_that_takes_no_connections_is_an_outage() {
    let test = TestDatabase::postgres().await;
    let site = Site::open(test).await;
    let name = site.test.texts("SELECT current_database()::text").await.remove(0);
    let elsewhere = TestDatabase::postgres().await;
    elsewhere.run(&format!(r#"ALTER DATABASE "{name}" ALLOW_CONNECTIONS false"#)).await;
    let ending = "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity WHERE datname =";
    elsewhere.texts(&format!("{ending} '{name}'")).await;
    let error = error_of_visit(&site).await;
    assert!(matches!(error, DatabaseError::Unavailable(_)), "{error:?}");
}

/// As a migration of the site's does while the gateway serves: a statement that is prepared already
/// must not fail from then on.
#[tokio::test]
async fn columns_may_become_longer_while_the_gateway_serves() {
    let test = TestDatabase::postgres().await;
    let site = Site::open(test).await;
    let cookie = site.register(ADA).await.cookie();
    assert_eq!(site.user(&[&cookie]).await.as_deref(), Some(ADA));
    site.test
        .run(
            r#"ALTER TABLE "users" ALTER "email" TYPE VARCHAR(320), ALTER "password" TYPE TEXT,
                ALTER "name" TYPE VARCHAR(200), ALTER "id" TYPE BIGINT;
            ALTER TABLE "Sessions" ALTER "sid" TYPE VARCHAR(255), ALTER "data" TYPE VARCHAR,
                ALTER "expires" TYPE TIMESTAMP"#,
        )
        .await;
    assert_eq!(site.user(&[&cookie]).await.as_deref(), Some(ADA));
    let again = site.log_in(ADA, PASSWORD, &[&cookie]).await;
    assert_eq!(again.status, StatusCode::OK, "{}", again.body);
    assert_eq!(site.user(&[&again.cookie()]).await.as_deref(), Some(ADA));
}

/// Everything that happens to a row: taken over from Express, touched, renewed, ended.
async fn check_life(site: &mut Site, written: &str) {
    let cookie = site.register(ADA).await.cookie();
    assert_eq!(site.user(&[&cookie]).await.as_deref(), Some(ADA));
    let again = site.log_in(ADA, PASSWORD, &[&cookie]).await.cookie();
    assert!(site.visit(&[&cookie]).await.is_none(), "the id before the sign-in");
    site.now += chrono::TimeDelta::days(20);
    assert!(site.read_page(&[&again]).await.is_some(), "renewed");
    assert_eq!(site.user(&[&again]).await.as_deref(), Some(ADA));
    site.test.run(r#"DELETE FROM "Sessions""#).await;
    site.test
        .run(&format!(
            r#"INSERT INTO "Sessions" ("sid", "expires", "data", "createdAt", "updatedAt")
               VALUES ('{EXPRESS_SID}', '2027-01-01 00:00:00+00:00', {written},
                   '2026-11-23 00:00:00+00:00', '2026-11-23 00:00:00+00:00')"#
        ))
        .await;
    assert_eq!(site.user(&[EXPRESS_COOKIE]).await.as_deref(), Some(ADA), "{written}");
    site.log_out(&[EXPRESS_COOKIE]).await;
    assert!(site.test.texts(r#"SELECT CAST("sid" AS TEXT) FROM "Sessions""#).await.is_empty());
}

/// A model with `DataTypes.JSON` or `JSONB` makes a JSON string of the session's text.
async fn sessions_in_a_column_of_json_are_read_and_written(test: TestDatabase) {
    let (kind, written) = if test.is_postgres() {
        ("JSONB", format!("to_jsonb(CAST('{EXPRESS_DATA}' AS text))"))
    } else {
        ("JSON", format!("json_quote('{EXPRESS_DATA}')"))
    };
    with_sessions(&test, "VARCHAR(36)", kind, "").await;
    let mut site = Site::open(test).await;
    check_life(&mut site, &written).await;
}

#[tokio::test]
async fn a_column_of_plain_json_does_as_well() {
    let test = TestDatabase::postgres().await;
    with_sessions(&test, "VARCHAR(36)", "JSON", "").await;
    let mut site = Site::open(test).await;
    check_life(&mut site, &format!("to_json(CAST('{EXPRESS_DATA}' AS text))")).await;
}

/// Postgres fills what is shorter up with blanks, and gives it out so.
#[tokio::test]
async fn sids_in_a_column_of_fixed_length_are_found_by_its_index() {
    let test = TestDatabase::postgres().await;
    with_sessions(&test, "CHAR(36)", "TEXT", "").await;
    let mut site = Site::open(test).await;
    check_life(&mut site, &format!("'{EXPRESS_DATA}'")).await;
    let plan = r#"EXPLAIN SELECT 1 FROM "Sessions" WHERE "sid" IN (CAST('x' AS bpchar))"#;
    site.test.run("SET enable_seqscan = off").await;
    let plan = site.test.texts(plan).await.join("\n");
    assert!(plan.contains("Index Cond"), "{plan}");
}

#[tokio::test]
async fn a_column_that_can_hold_no_session_is_told_at_the_start() {
    let test = TestDatabase::postgres().await;
    with_sessions(&test, "VARCHAR(36)", "BYTEA", "").await;
    let database = connect(&test).await;
    database.migrate(&TableNames::default()).await.unwrap();
    let told = database.layout(&TableNames::default()).await.unwrap_err().to_string();
    assert_eq!(
        told,
        r#"the column "data" of the table "Sessions" is of type bytea: want text, json or jsonb"#
    );
}

on_both_databases! {
    a_column_that_only_the_site_can_fill_is_not_an_outage
    a_table_that_is_gone_is_told_by_its_name_and_not_as_an_outage
    a_database_that_is_gone_is_an_outage
    sessions_in_a_column_of_json_are_read_and_written
}
