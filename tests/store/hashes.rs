//! Passwords that other programs hashed, and better hashes for whoever signs in.

use http::StatusCode;
use nextbnb_migrations::TableNames;
use nextbnb_tests::database::TestDatabase;
use sea_orm::{ConnectionTrait, TransactionTrait};

use crate::site::{Site, eventually};

const ADA: &str = "ada@example.com";

/// Node's bcrypt of `pw`, from its cost on.
const HASH: &str = "10$bsEj3iWiUAC607D2MGlcy.Dr1wnUPx2ayJNxxU/uBGfgVnjg83WN2";

/// A site that has ada's account with this in its column.
async fn with_hash(test: TestDatabase, hash: &str, rehash_cost: Option<u32>) -> Site {
    test.run(
        r#"CREATE TABLE "users" ("id" INTEGER PRIMARY KEY, "email" VARCHAR(255),
            "password" TEXT)"#,
    )
    .await;
    test.run(&format!(r#"INSERT INTO "users" VALUES (1, '{ADA}', '{hash}')"#)).await;
    Site::open_as(test, &TableNames::default(), |_, auth| auth.rehash_cost = rehash_cost).await
}

async fn set_hash(site: &Site, hash: &str) {
    site.test.run(&format!(r#"UPDATE "users" SET "password" = {hash}"#)).await;
}

async fn hash(site: &Site) -> String {
    site.test.texts(r#"SELECT "password" FROM "users""#).await.remove(0)
}

async fn every_version_of_bcrypt_signs_in(test: TestDatabase) {
    let site = with_hash(test, "", None).await;
    for version in ["$2a$", "$2b$", "$2y$"] {
        let hash = format!("{version}{HASH}");
        set_hash(&site, &format!("'{hash}'")).await;
        assert_eq!(site.log_in(ADA, "pw", &[]).await.status, StatusCode::OK, "{hash}");
        let wrong = site.log_in(ADA, "pW", &[]).await;
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED, "{hash}");
        assert_eq!(self::hash(&site).await, hash, "left as it is");
    }
}

async fn what_is_no_bcrypt_is_answered_as_a_wrong_password(test: TestDatabase) {
    let site = with_hash(test, &format!("$2b${HASH}"), None).await;
    let wrong = site.log_in(ADA, "wrong", &[]).await;
    for kept in [
        "NULL",
        "''",
        "'pw'",
        "'$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaA'",
        "'pbkdf2_sha256$600000$salt$hash'",
        "'scrypt:32768:8:1$salt$hash'",
        "'5f4dcc3b5aa765d61d8327deb882cf99'",
    ] {
        set_hash(&site, kept).await;
        let answer = site.log_in(ADA, "pw", &[]).await;
        assert_eq!((answer.status, &answer.body), (wrong.status, &wrong.body), "{kept}");
        assert_eq!(answer.headers, wrong.headers, "{kept}");
    }
}

async fn a_sign_in_hashes_anew_what_is_cheaper_or_of_another_version(test: TestDatabase) {
    let site = with_hash(test, &format!("$2y${HASH}"), Some(11)).await;
    assert_eq!(site.log_in(ADA, "wrong", &[]).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(site.log_in(ADA, "pw", &[]).await.status, StatusCode::OK);
    let better = async || Some(hash(&site).await).filter(|hash| hash.starts_with("$2b$11$"));
    let better = eventually("a better hash", better).await;
    assert_eq!(site.log_in(ADA, "pw", &[]).await.status, StatusCode::OK);
    assert_eq!(hash(&site).await, better, "once");
    assert_eq!(site.log_in(ADA, "wrong", &[]).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_password_that_is_changed_meanwhile_stays() {
    let site = with_hash(TestDatabase::postgres().await, &format!("$2b${HASH}"), Some(11)).await;
    let somebody = sea_orm::Database::connect(site.test.url()).await.unwrap();
    let change = somebody.begin().await.unwrap();
    let update = r#"UPDATE "users" SET "password" = 'theirs'"#;
    change.execute_unprepared(update).await.unwrap();
    assert_eq!(site.log_in(ADA, "pw", &[]).await.status, StatusCode::OK);
    let waiting = async || {
        let query = r#"SELECT 'waits' FROM pg_stat_activity
            WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE "users"%'"#;
        site.test.texts(query).await.pop()
    };
    eventually("the better hash waits", waiting).await;
    change.commit().await.unwrap();
    eventually("it is over", async || waiting().await.is_none().then_some(())).await;
    assert_eq!(hash(&site).await, "theirs");
}

async fn new_accounts_cost_at_least_what_old_ones_are_raised_to(test: TestDatabase) {
    let site = with_hash(test, &format!("$2b${HASH}"), Some(11)).await;
    site.test.run(r#"DELETE FROM "users""#).await;
    let insert = r#"INSERT INTO "users" ("id", "email", "password") VALUES (1, 'x@b.c', '')"#;
    site.test.run(insert).await;
    if site.test.is_postgres() {
        site.test.run(r#"ALTER TABLE "users" ALTER "id" SET DEFAULT 2"#).await;
    }
    assert_eq!(site.register(ADA).await.status, StatusCode::OK);
    let made = r#"SELECT "password" FROM "users" WHERE "email" = 'ada@example.com'"#;
    assert!(site.test.texts(made).await[0].starts_with("$2b$11$"));
}

on_both_databases! {
    every_version_of_bcrypt_signs_in
    what_is_no_bcrypt_is_answered_as_a_wrong_password
    a_sign_in_hashes_anew_what_is_cheaper_or_of_another_version
    new_accounts_cost_at_least_what_old_ones_are_raised_to
}
