//! Accounts in tables as Sequelize 6 makes them under a site's options, and odder ones.

use http::StatusCode;
use nextbnb_gateway::entity::user_id::UserId;
use nextbnb_tests::database::TestDatabase;

use crate::site::{PASSWORD, Site};

const ADA: &str = "ada@example.com";

/// `sync()` of a model with e-mail and password, its id `id` and besides `columns`.
async fn with_table(test: TestDatabase, id: &str, columns: &str) -> Site {
    let (time, id) = match (test.is_postgres(), id) {
        (true, "BIGINT") => ("TIMESTAMP WITH TIME ZONE", "BIGSERIAL"),
        (true, _) => ("TIMESTAMP WITH TIME ZONE", "SERIAL"),
        (false, _) => ("DATETIME", "INTEGER"),
    };
    let columns = columns.replace("TIME", time);
    test.run(&format!(
        r#"CREATE TABLE "users" ("id" {id} PRIMARY KEY, "email" VARCHAR(255),
            "password" VARCHAR(255){columns})"#
    ))
    .await;
    Site::open(test).await
}

/// Whether somebody who registers is signed in, and signs in again.
async fn round(site: &Site) -> UserId {
    let cookie = site.register(ADA).await.cookie();
    let again = site.log_in(ADA, PASSWORD, &[&cookie]).await.cookie();
    let session = site.visit(&[&again]).await.unwrap();
    let identity = session.identity().unwrap();
    assert_eq!(identity.email, ADA);
    identity.id.clone()
}

async fn ids_may_be_larger_than_four_bytes(test: TestDatabase) {
    let site = with_table(test, "BIGINT", "").await;
    let old =
        r#"INSERT INTO "users" ("id", "email", "password") VALUES (9007199254740993, 'o@b.c', '')"#;
    site.test.run(old).await;
    if site.test.is_postgres() {
        site.test.run("ALTER SEQUENCE users_id_seq RESTART WITH 9007199254740994").await;
    }
    assert_eq!(round(&site).await.to_string(), "9007199254740994");
}

async fn timestamps_are_filled_as_sequelize_fills_them(test: TestDatabase) {
    let columns = r#", "createdAt" TIME NOT NULL, "updatedAt" TIME NOT NULL"#;
    let site = with_table(test, "INTEGER", columns).await;
    round(&site).await;
    check_times(&site, r#""createdAt""#, r#""updatedAt""#).await;
}

async fn underscored_timestamps_are_filled_too(test: TestDatabase) {
    let columns = r#", "created_at" TIME NOT NULL, "updated_at" TIME"#;
    let site = with_table(test, "INTEGER", columns).await;
    round(&site).await;
    check_times(&site, "created_at", "updated_at").await;
}

async fn check_times(site: &Site, created: &str, updated: &str) {
    let now = site.now.format("%Y-%m-%d %H:%M:%S").to_string();
    for column in [created, updated] {
        let query = if site.test.is_postgres() {
            format!(
                "SELECT to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') FROM users"
            )
        } else {
            format!("SELECT datetime({column}) FROM users")
        };
        assert_eq!(site.test.texts(&query).await, [now.as_str()], "{column}");
    }
}

/// Columns of the same names that the site sees to itself, in types of its own.
async fn timestamps_with_a_default_or_another_type_are_the_sites(test: TestDatabase) {
    let columns = r#", "createdAt" TEXT NOT NULL DEFAULT 'then', "updated_at" INTEGER"#;
    let site = with_table(test, "INTEGER", columns).await;
    round(&site).await;
    let query = r#"SELECT "createdAt" || coalesce("updated_at", 0) FROM "users""#;
    assert_eq!(site.test.texts(query).await, ["then0"]);
}

async fn accounts_without_an_address_disturb_nobody(test: TestDatabase) {
    let site = with_table(test, "INTEGER", "").await;
    let nobody = r#"INSERT INTO "users" ("email", "password") VALUES (NULL, 'x'), (NULL, NULL)"#;
    site.test.run(nobody).await;
    round(&site).await;
    site.test.run(r#"UPDATE "users" SET "email" = NULL"#).await;
    assert_eq!(site.log_in(ADA, PASSWORD, &[]).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(site.log_in("null", PASSWORD, &[]).await.status, StatusCode::UNAUTHORIZED);
}

async fn a_column_that_nobody_can_fill_makes_registration_fail_and_sign_in_work(
    test: TestDatabase,
) {
    let site = with_table(test, "INTEGER", "").await;
    assert_eq!(site.register(ADA).await.status, StatusCode::OK);
    let add = if site.test.is_postgres() {
        r#"ALTER TABLE "users" ADD "plan" TEXT NOT NULL DEFAULT 'free', ADD "tax" INTEGER GENERATED ALWAYS AS (id * 2) STORED;
           ALTER TABLE "users" ALTER "plan" DROP DEFAULT"#
    } else {
        r#"CREATE TABLE "new" ("id" INTEGER PRIMARY KEY, "email" TEXT, "password" TEXT,
            "name" TEXT, "plan" TEXT NOT NULL, "tax" INTEGER NOT NULL AS ("id" * 2));
           INSERT INTO "new" ("id", "email", "password", "plan") SELECT "id", "email", "password", 'free' FROM "users";
           DROP TABLE "users"; ALTER TABLE "new" RENAME TO "users""#
    };
    site.test.run(add).await;
    let answer = site.register("bob@example.com").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!answer.body.contains("plan") && !answer.body.contains("users"), "{}", answer.body);
    assert_eq!(site.log_in(ADA, PASSWORD, &[]).await.status, StatusCode::OK);
    assert_eq!(site.accounts().await, [ADA]);
}

on_both_databases! {
    ids_may_be_larger_than_four_bytes
    timestamps_are_filled_as_sequelize_fills_them
    underscored_timestamps_are_filled_too
    timestamps_with_a_default_or_another_type_are_the_sites
    accounts_without_an_address_disturb_nobody
    a_column_that_nobody_can_fill_makes_registration_fail_and_sign_in_work
}
