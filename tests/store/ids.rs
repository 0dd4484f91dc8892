//! Accounts whose ids are not numbers.

use http::StatusCode;
use http_body_util::BodyExt;
use nextbnb_gateway::auth::who_am_i::who_am_i;
use nextbnb_gateway::entity::user_id::UserId;
use nextbnb_gateway::identity::names::IdentityNames;
use nextbnb_gateway::proxy::own_fields::OwnFields;
use nextbnb_gateway::session::user_key::UserKey;
use nextbnb_migrations::TableNames;
use nextbnb_tests::database::TestDatabase;
use serde_json::{Value, json};

use crate::site::{PASSWORD, Site};

const ADA: &str = "ada@example.com";

const UUID: &str = "f81d4fae-7dec-41d0-a765-00a0c91e6bf6";

/// Node's bcrypt of `pw`.
const HASH: &str = "$2b$10$bsEj3iWiUAC607D2MGlcy.Dr1wnUPx2ayJNxxU/uBGfgVnjg83WN2";

/// As `sync()` makes the table of a model whose `id` is so; sessions name accounts by it.
async fn with_ids(test: TestDatabase, id: &str) -> Site {
    let table = format!(
        r#"CREATE TABLE "users" ("id" {id}, "email" VARCHAR(255) NOT NULL UNIQUE,
            "password" VARCHAR(255) NOT NULL, PRIMARY KEY ("id"))"#
    );
    test.run(&table).await;
    let by_id = |sessions: &mut nextbnb_gateway::session::SessionSettings, _: &mut _| {
        sessions.user_key = UserKey::Id;
    };
    Site::open_as(test, &TableNames::default(), by_id).await
}

async fn add(site: &Site, id: &str, email: &str) {
    let insert = format!(
        r#"INSERT INTO "users" ("id", "email", "password") VALUES ('{id}', '{email}', '{HASH}')"#
    );
    site.test.run(&insert).await;
}

/// Signs in, and tells the id.
async fn id_of(site: &Site, email: &str, password: &str) -> UserId {
    let cookie = site.log_in(email, password, &[]).await.cookie();
    site.visit(&[&cookie]).await.unwrap().identity().unwrap().id.clone()
}

async fn a_uuid_is_a_text_for_pages_and_in_answers(test: TestDatabase) {
    let site = with_ids(test, "UUID NOT NULL").await;
    add(&site, UUID, ADA).await;
    let cookie = site.log_in(ADA, "pw", &[]).await.cookie();
    let session = site.visit(&[&cookie]).await;
    let mut fields = OwnFields::new();
    session
        .as_ref()
        .unwrap()
        .identity_fields()
        .unwrap()
        .inject(&IdentityNames::default(), &mut fields);
    assert_eq!(fields.to_map()["x-forwarded-user"], UUID);
    let body = who_am_i(session.as_ref()).into_body().collect().await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["user"]["id"], UUID);
    let data = site.row().await.data.unwrap();
    assert!(data.ends_with(&format!(r#""passport":{{"user":"{UUID}"}}}}"#)), "{data}");
}

/// Sequelize's `defaultValue: DataTypes.UUIDV4` is made in JavaScript: the table has no default.
async fn a_uuid_that_nothing_fills_is_made(test: TestDatabase) {
    let site = with_ids(test, "UUID NOT NULL").await;
    for email in [ADA, "bob@example.com"] {
        assert_eq!(site.register(email).await.status, StatusCode::OK);
    }
    let (ada, bob) = (
        id_of(&site, ADA, PASSWORD).await.to_string(),
        id_of(&site, "bob@example.com", PASSWORD).await.to_string(),
    );
    assert_ne!(ada, bob);
    let stored = site.test.texts(r#"SELECT CAST("id" AS TEXT) FROM "users""#).await;
    assert!(stored.contains(&ada) && stored.contains(&bob), "{stored:?}");
    let parts: Vec<&str> = ada.split('-').collect();
    assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
    assert!(parts[2].starts_with('4') && parts[3].starts_with(['8', '9', 'a', 'b']), "{ada}");
    assert_eq!(site.register(ADA).await.status, StatusCode::CONFLICT);
}

async fn a_default_of_the_tables_own_is_left_to_it(test: TestDatabase) {
    let site = with_ids(test, &format!("UUID NOT NULL DEFAULT '{UUID}'")).await;
    assert_eq!(site.register(ADA).await.status, StatusCode::OK);
    assert_eq!(id_of(&site, ADA, PASSWORD).await.to_string(), UUID);
}

async fn ids_that_only_the_site_can_make_are_told_and_sign_in_works(test: TestDatabase) {
    let site = with_ids(test, "VARCHAR(32) NOT NULL").await;
    add(&site, "auth0|5", ADA).await;
    assert_eq!(id_of(&site, ADA, "pw").await, UserId::Text("auth0|5".to_owned()));
    let answer = site.register("bob@example.com").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(site.accounts().await, [ADA]);
}

async fn ids_filled_up_with_blanks_are_read_without(test: TestDatabase) {
    let site = with_ids(test, "CHAR(40) NOT NULL").await;
    add(&site, UUID, ADA).await;
    assert_eq!(id_of(&site, ADA, "pw").await, UserId::Text(UUID.to_owned()));
}

/// What no column of the kind can hold is asked about nowhere, and is nobody's.
async fn an_id_of_another_kind_locks_nobody_out(test: TestDatabase) {
    let site = with_ids(test, "UUID NOT NULL").await;
    add(&site, UUID, ADA).await;
    let cookie = site.log_in(ADA, "pw", &[]).await.cookie();
    for user in
        [json!(5), json!("5"), json!("ada@example.com"), json!("\u{0}"), json!({"id": UUID})]
    {
        let data = format!(r#"{{"cookie":{{}},"passport":{{"user":{user}}}}}"#);
        site.test.run(&format!(r#"UPDATE "Sessions" SET "data" = '{data}'"#)).await;
        let session = site.visit(&[&cookie]).await.expect("a session");
        assert!(session.identity().is_none(), "{user}");
        site.settle(session).await;
        assert_eq!(site.row().await.data.unwrap(), data, "left alone");
    }
}

/// So that a setting that was forgotten signs nobody out of the rows.
async fn an_id_that_could_be_an_address_is_left_alone_under_the_wrong_key(test: TestDatabase) {
    let site = with_ids(test, "VARCHAR(32) NOT NULL").await;
    add(&site, "01ARZ3NDEKTSV4RRFFQ69G5FAV", ADA).await;
    let cookie = site.log_in(ADA, "pw", &[]).await.cookie();
    let data = site.row().await.data;
    let site = Site::open(site.test).await;
    site.read_page(&[&cookie]).await;
    assert_eq!(site.user(&[&cookie]).await, None);
    assert_eq!(site.row().await.data, data);
    site.test.run(r#"DELETE FROM "users""#).await;
    site.read_page(&[&cookie]).await;
    assert_ne!(site.row().await.data, data, "of nobody, whatever it is");
}

on_both_databases! {
    a_uuid_is_a_text_for_pages_and_in_answers
    a_uuid_that_nothing_fills_is_made
    a_default_of_the_tables_own_is_left_to_it
    ids_that_only_the_site_can_make_are_told_and_sign_in_works
    ids_filled_up_with_blanks_are_read_without
    an_id_of_another_kind_locks_nobody_out
    an_id_that_could_be_an_address_is_left_alone_under_the_wrong_key
}
