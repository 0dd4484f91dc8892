//! Which account an address means.

use http::StatusCode;
use nextbnb_gateway::entity::user_id::UserId;
use nextbnb_tests::database::TestDatabase;

use crate::site::Site;

/// Node's bcrypt of `pw`.
const HASH: &str = "$2b$10$bsEj3iWiUAC607D2MGlcy.Dr1wnUPx2ayJNxxU/uBGfgVnjg83WN2";

/// Adopts the accounts of an Express server whose table has no unique index.
async fn with_accounts(test: TestDatabase, emails: &[&str]) -> Site {
    let id = if test.is_postgres() { "SERIAL" } else { "INTEGER" };
    let table = format!(
        r#"CREATE TABLE "users" ("id" {id} PRIMARY KEY, "email" VARCHAR(255), "password" TEXT)"#
    );
    test.run(&table).await;
    for email in emails {
        let insert =
            format!(r#"INSERT INTO "users" ("email", "password") VALUES ('{email}', '{HASH}')"#);
        test.run(&insert).await;
    }
    Site::open(test).await
}

/// Who `typed` signs in as.
async fn signed_in_as(site: &Site, typed: &str) -> Option<(String, String)> {
    let answer = site.log_in(typed, "pw", &[]).await;
    if answer.status == StatusCode::UNAUTHORIZED {
        return None;
    }
    let session = site.visit(&[&answer.cookie()]).await.unwrap();
    session.identity().map(|identity| (identity.id.to_string(), identity.email.clone()))
}

async fn the_exact_address_signs_in_first(test: TestDatabase) {
    let site = with_accounts(test, &["Ada@b.c", "ada@b.c"]).await;
    assert_eq!(signed_in_as(&site, "ada@b.c").await, Some(("2".to_owned(), "ada@b.c".to_owned())));
    assert_eq!(signed_in_as(&site, "Ada@b.c").await, Some(("1".to_owned(), "Ada@b.c".to_owned())));
}

async fn another_case_signs_in_where_it_means_one_address(test: TestDatabase) {
    let site = with_accounts(test, &["Ada@b.c", "Bob@b.c", "bob@b.c", "É@b.c"]).await;
    assert_eq!(signed_in_as(&site, "ADA@B.C").await, Some(("1".to_owned(), "Ada@b.c".to_owned())));
    assert_eq!(signed_in_as(&site, "BOB@b.c").await, None);
    assert_eq!(signed_in_as(&site, "É@B.C").await, Some(("4".to_owned(), "É@b.c".to_owned())));
    assert_eq!(signed_in_as(&site, "é@b.c").await, None);
}

async fn the_oldest_of_doubled_accounts_signs_in(test: TestDatabase) {
    let site = with_accounts(test, &["a@b.c", "a@b.c"]).await;
    assert_eq!(signed_in_as(&site, "a@b.c").await, Some(("1".to_owned(), "a@b.c".to_owned())));
    assert_eq!(signed_in_as(&site, "A@b.c").await, Some(("1".to_owned(), "a@b.c".to_owned())));
}

async fn an_account_without_a_password_has_sessions_and_no_sign_in(test: TestDatabase) {
    let site = with_accounts(test, &["a@b.c"]).await;
    let answer = site.log_in("a@b.c", "pw", &[]).await;
    site.test.run("UPDATE users SET password = NULL").await;
    let session = site.visit(&[&answer.cookie()]).await.unwrap();
    assert_eq!(session.identity().map(|identity| identity.id.clone()), Some(UserId::Number(1)));
    assert_eq!(site.log_in("a@b.c", "pw", &[]).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(site.register("a@b.c").await.status, StatusCode::CONFLICT);
}

async fn a_second_spelling_is_not_registered(test: TestDatabase) {
    let site = with_accounts(test, &["Ada@b.c"]).await;
    for email in ["Ada@b.c", "ada@b.c", "ADA@B.C"] {
        let answer = site.register(email).await;
        assert_eq!(answer.status, StatusCode::CONFLICT);
        assert_eq!(answer.message(), "User already exists");
    }
    assert_eq!(site.register("bob@b.c").await.status, StatusCode::OK);
    assert_eq!(site.accounts().await, ["Ada@b.c", "bob@b.c"]);
}

async fn one_of_two_registrations_at_once_has_the_address(test: TestDatabase) {
    let site = with_accounts(test, &[]).await;
    let (one, two) = tokio::join!(site.register("ada@b.c"), site.register("ADA@b.c"));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    assert_eq!(site.accounts().await.len(), 1);
}

async fn an_address_that_no_column_can_hold_has_no_account(test: TestDatabase) {
    let site = with_accounts(test, &["a@b.c"]).await;
    assert_eq!(signed_in_as(&site, "a\0@b.c").await, None);
    assert_eq!(signed_in_as(&site, &"x".repeat(10_000)).await, None);
}

async fn new_accounts_cost_what_those_of_the_site_do(test: TestDatabase) {
    let site = with_accounts(test, &["a@b.c", "b@b.c"]).await;
    site.test.run(r#"UPDATE "users" SET "password" = replace("password", '$10$', '$11$')"#).await;
    let site = Site::open(site.test).await;
    assert_eq!(site.register("ada@b.c").await.status, StatusCode::OK);
    let costs = r#"SELECT substr("password", 1, 7) FROM "users" WHERE "email" = 'ada@b.c'"#;
    assert_eq!(site.test.texts(costs).await, ["$2b$11$"]);
}

on_both_databases! {
    new_accounts_cost_what_those_of_the_site_do
    the_exact_address_signs_in_first
    another_case_signs_in_where_it_means_one_address
    the_oldest_of_doubled_accounts_signs_in
    an_account_without_a_password_has_sessions_and_no_sign_in
    a_second_spelling_is_not_registered
    one_of_two_registrations_at_once_has_the_address
    an_address_that_no_column_can_hold_has_no_account
}
