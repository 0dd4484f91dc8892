//! Accounts as other sites' models keep them: deleted and still there, or in columns that compare
//! texts in a way of their own.

use chrono::TimeDelta;
use http::StatusCode;
use nextbnb_migrations::{TableNames, migrate};
use nextbnb_tests::database::TestDatabase;

use crate::site::{EXPRESS_COOKIE, EXPRESS_DATA, EXPRESS_SID, Site};

const ADA: &str = "ada@example.com";

/// Node's bcrypt of `pw`.
const HASH: &str = "$2b$10$bsEj3iWiUAC607D2MGlcy.Dr1wnUPx2ayJNxxU/uBGfgVnjg83WN2";

/// A site with ada's account in a table that has columns like these, and her session from Express.
async fn with_ada(test: TestDatabase, email: &str, more: &str) -> Site {
    let id = if test.is_postgres() { "SERIAL" } else { "INTEGER" };
    test.run(&format!(
        r#"CREATE TABLE "users" ("id" {id} PRIMARY KEY, "email" {email}, "password" TEXT{more});
        INSERT INTO "users" ("email", "password") VALUES ('{ADA}', '{HASH}')"#
    ))
    .await;
    let site = Site::open(test).await;
    site.insert_row(EXPRESS_SID, EXPRESS_DATA, site.now + TimeDelta::days(30)).await;
    site
}

async fn delete_ada(site: &Site, column: &str) {
    let moment = "2026-11-01 00:00:00+00:00";
    site.test.run(&format!(r#"UPDATE "users" SET "{column}" = '{moment}'"#)).await;
}

/// Sequelize finds nobody by a model with `paranoid: true` who has a time there.
async fn whoever_a_paranoid_model_deleted_is_nobody(test: TestDatabase) {
    let site = with_ada(test, "TEXT", r#", "deletedAt" TIMESTAMP"#).await;
    assert_eq!(site.user(&[EXPRESS_COOKIE]).await.as_deref(), Some(ADA));
    assert_eq!(site.log_in(ADA, "pw", &[]).await.status, StatusCode::OK);
    site.test.run(&format!(r#"DELETE FROM "Sessions" WHERE "sid" <> '{EXPRESS_SID}'"#)).await;
    delete_ada(&site, "deletedAt").await;
    assert_eq!(site.log_in(ADA, "pw", &[]).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(site.log_in("ADA@example.com", "pw", &[]).await.status, StatusCode::UNAUTHORIZED);
    site.read_page(&[EXPRESS_COOKIE]).await;
    let left = site.row().await.data.unwrap();
    assert!(left.ends_with(r#""passport":{}}"#), "{left}");
}

/// Which needs a table without a unique index, of the gateway's, too.
async fn who_was_deleted_registers_anew_where_express_allows_it(test: TestDatabase) {
    let site = with_ada(test, "TEXT", r#", "deleted_at" TIMESTAMP"#).await;
    assert_eq!(site.register(ADA).await.status, StatusCode::CONFLICT);
    delete_ada(&site, "deleted_at").await;
    let cookie = site.register(ADA).await.cookie();
    let session = site.visit(&[&cookie]).await.unwrap();
    assert_eq!(session.identity().unwrap().id.to_string(), "2");
    assert_eq!(site.register(ADA).await.status, StatusCode::CONFLICT);
}

/// A column of that name that holds no time is not Sequelize's.
async fn a_mark_of_the_sites_own_deletes_nobody(test: TestDatabase) {
    let site = with_ada(test, "TEXT", r#", "deletedAt" TEXT"#).await;
    site.test.run(r#"UPDATE "users" SET "deletedAt" = 'never'"#).await;
    assert_eq!(site.user(&[EXPRESS_COOKIE]).await.as_deref(), Some(ADA));
}

async fn addresses_stay_unique_where_nobody_is_deleted(test: TestDatabase) {
    let site = with_ada(test, "TEXT", "").await;
    let notes = migrate(site.test.connection(), &TableNames::default()).await.unwrap().notes;
    assert_eq!(notes, Vec::<String>::new());
}

/// As Sequelize's own statement does, whose texts have no type until they are compared.
#[tokio::test]
async fn an_address_in_a_column_of_citext_is_found_in_any_case() {
    let test = TestDatabase::postgres().await;
    test.run("CREATE EXTENSION citext").await;
    let site = with_ada(test, "CITEXT UNIQUE", "").await;
    site.test.run(r#"UPDATE "users" SET "email" = 'Ada@Example.com'"#).await;
    assert_eq!(site.user(&[EXPRESS_COOKIE]).await.as_deref(), Some("Ada@Example.com"));
    let again = site.log_in("ADA@example.com", "pw", &[EXPRESS_COOKIE]).await.cookie();
    assert_eq!(site.user(&[&again]).await.as_deref(), Some("Ada@Example.com"));
    assert_eq!(site.register("adA@example.com").await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn an_address_in_a_column_of_fixed_length_is_found_and_given_without_blanks() {
    let test = TestDatabase::postgres().await;
    let site = with_ada(test, "CHAR(60)", "").await;
    assert_eq!(site.user(&[EXPRESS_COOKIE]).await.as_deref(), Some(ADA));
    let padded = EXPRESS_DATA.replace(ADA, &format!("{ADA:60}"));
    site.test.run(&format!(r#"UPDATE "Sessions" SET "data" = '{padded}'"#)).await;
    assert_eq!(site.user(&[EXPRESS_COOKIE]).await.as_deref(), Some(ADA), "as Express writes it");
    let again = site.log_in(ADA, "pw", &[EXPRESS_COOKIE]).await.cookie();
    assert_eq!(site.user(&[&again]).await.as_deref(), Some(ADA));
}

on_both_databases! {
    whoever_a_paranoid_model_deleted_is_nobody
    who_was_deleted_registers_anew_where_express_allows_it
    a_mark_of_the_sites_own_deletes_nobody
    addresses_stay_unique_where_nobody_is_deleted
}
