//! Tables under other names and of other make.

use nextbnb_gateway::database::tables::TableChoice;
use nextbnb_migrations::{TableNames, migrate, revert};
use nextbnb_tests::database::TestDatabase;

use crate::site::{EXPRESS_COOKIE, EXPRESS_DATA, EXPRESS_SID, PASSWORD, Site, connect};

const ADA: &str = "ada@example.com";

fn names(sessions: &str, users: &str) -> TableNames {
    TableNames { sessions: sessions.to_owned(), users: users.to_owned(), ..TableNames::default() }
}

async fn round(site: &Site) {
    let cookie = site.register(ADA).await.cookie();
    let again = site.log_in(ADA, PASSWORD, &[&cookie]).await.cookie();
    assert_eq!(site.user(&[&again]).await.as_deref(), Some(ADA));
    assert_eq!(site.register(ADA).await.status, 409);
    assert_eq!(site.sessions.sweep(site.now).await.unwrap(), 0);
}

async fn tables_may_be_called_anything(test: TestDatabase) {
    let odd = names(r#"my "own" s.e's; --"#, "Pérsons u.");
    let site = Site::open_named(test, &odd).await;
    round(&site).await;
    let rows = site.test.texts(r#"SELECT "sid" FROM "my ""own"" s.e's; --""#).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(site.test.texts(r#"SELECT "email" FROM "Pérsons u.""#).await, [ADA]);
}

/// On SQLite names have no case.
#[tokio::test]
async fn a_table_that_differs_in_case_is_another_one_on_postgres() {
    let test = TestDatabase::postgres().await;
    migrate(test.connection(), &TableNames::default()).await.unwrap();
    let site = Site::open_named(test, &names("sessions", "Users")).await;
    round(&site).await;
    assert_eq!(site.test.texts(r#"SELECT "sid" FROM "sessions""#).await.len(), 1);
}

async fn two_pairs_of_tables_live_in_one_schema(test: TestDatabase) {
    let other = names("other_sessions", "other_users");
    for names in [&TableNames::default(), &other] {
        assert_eq!(migrate(test.connection(), names).await.unwrap().names.len(), 3);
        assert_eq!(migrate(test.connection(), names).await.unwrap().names.len(), 0, "once");
    }
    revert(test.connection(), &other).await.unwrap();
    let site = Site::open(test).await;
    round(&site).await;
}

/// As connect-session-sequelize 5 and a site's own migrations left them: a short sid, no unique
/// address, columns of the site's own that must have a value.
async fn old_and_extended_tables_work(test: TestDatabase) {
    let id = if test.is_postgres() { "SERIAL" } else { "INTEGER" };
    test.run(&format!(
        r#"CREATE TABLE "Sessions" ("sid" VARCHAR(32) PRIMARY KEY,
            "expires" TIMESTAMP WITH TIME ZONE, "data" VARCHAR(50000),
            "createdAt" TIMESTAMP WITH TIME ZONE NOT NULL,
            "updatedAt" TIMESTAMP WITH TIME ZONE NOT NULL, "userId" VARCHAR(255),
            "device" TEXT NOT NULL DEFAULT 'web');
        CREATE TABLE "users" ("plan" TEXT NOT NULL DEFAULT 'free', "email" VARCHAR(191) NOT NULL,
            "id" {id} PRIMARY KEY, "password" CHAR(60) NOT NULL, "points" INTEGER NOT NULL DEFAULT 3)"#
    ))
    .await;
    let site = Site::open(test).await;
    round(&site).await;
    site.test.run(r#"UPDATE "Sessions" SET "device" = 'phone'"#).await;
    site.insert_row(EXPRESS_SID, EXPRESS_DATA, site.now + chrono::TimeDelta::days(1)).await;
    assert_eq!(site.user(&[EXPRESS_COOKIE]).await.as_deref(), Some(ADA));
    let users = r#"SELECT "email" || "plan" || "points" FROM "users""#;
    assert_eq!(site.test.texts(users).await, [format!("{ADA}free3")]);
    let devices = site.test.texts(r#"SELECT "device" FROM "Sessions" ORDER BY 1"#).await;
    assert_eq!(devices, ["phone", "web"]);
}

async fn found(test: &TestDatabase, choice: &TableChoice) -> Result<TableNames, String> {
    let database = connect(test).await;
    database.find_tables(choice).await.map_err(|error| error.to_string())
}

async fn tables_that_nobody_named_are_found_by_their_columns(test: TestDatabase) {
    let nobody_named = TableChoice::default();
    assert_eq!(found(&test, &nobody_named).await, Ok(TableNames::default()), "to be made");
    // Another table of one of the names, as of a site that has sessions of exercise.
    test.run(r#"CREATE TABLE "user" ("id" INTEGER, "name" TEXT)"#).await;
    let (sessions, users) = ("Session", "Users");
    test.run(&format!(
        r#"CREATE TABLE "{sessions}" ("sid" VARCHAR(36) PRIMARY KEY, "expires" TIMESTAMP, "data" TEXT);
        CREATE TABLE "{users}" ("id" INTEGER, "email" TEXT, "password" TEXT)"#
    ))
    .await;
    assert_eq!(found(&test, &nobody_named).await, Ok(names(sessions, users)));
    let given = TableChoice { sessions: Some("Sessions".to_owned()), ..TableChoice::default() };
    assert_eq!(found(&test, &given).await, Ok(names("Sessions", users)));
}

async fn two_tables_that_could_be_meant_are_asked_about(test: TestDatabase) {
    for table in ["Sessions", "Session"] {
        test.run(&format!(
            r#"CREATE TABLE "{table}" ("sid" VARCHAR(36), "expires" TIMESTAMP, "data" TEXT)"#
        ))
        .await;
    }
    let told = found(&test, &TableChoice::default()).await.unwrap_err();
    assert_eq!(told, "Sessions, Session could each be meant: say which with --session-table");
}

on_both_databases! {
    tables_that_nobody_named_are_found_by_their_columns
    two_tables_that_could_be_meant_are_asked_about
    tables_may_be_called_anything
    two_pairs_of_tables_live_in_one_schema
    old_and_extended_tables_work
}
