//! What sessions name accounts by, in rows of a site whose `serializeUser` is not the course's.

use chrono::TimeDelta;
use http::StatusCode;
use nextbnb_gateway::auth::AuthSettings;
use nextbnb_gateway::identity::names::IdentityNames;
use nextbnb_gateway::proxy::own_fields::OwnFields;
use nextbnb_gateway::session::SessionSettings;
use nextbnb_gateway::session::policy::OldData;
use nextbnb_gateway::session::user_key::{UserField, UserKey, UserObject};
use nextbnb_migrations::TableNames;
use nextbnb_tests::database::TestDatabase;

use crate::site::{EXPRESS_COOKIE, EXPRESS_SID, PASSWORD, Site, eventually};

const ADA: &str = "ada@example.com";

/// As passport's own documentation writes it.
fn object() -> UserKey {
    let members = [("id", UserField::Id), ("username", UserField::Email)];
    let members = members.map(|(name, field)| (name.to_owned(), field));
    UserKey::Object(UserObject::new(members.to_vec()).unwrap())
}

/// A site whose sessions name accounts by `key`, with ada's account, which is the first.
async fn with_ada(test: TestDatabase, key: UserKey) -> Site {
    let by_key =
        |sessions: &mut SessionSettings, _: &mut AuthSettings| sessions.user_key = key.clone();
    let site = Site::open_as(test, &TableNames::default(), by_key).await;
    site.register(ADA).await;
    site.test.run(r#"DELETE FROM "Sessions""#).await;
    site
}

/// A row of Express with this `passport.user`.
async fn express_wrote(site: &Site, user: &str) -> String {
    let data = format!(
        r#"{{"cookie":{{"originalMaxAge":2592000000,"expires":"2026-12-23T09:15:16.146Z","secure":false,"httpOnly":true,"path":"/"}},"cart":[1.50],"passport":{{"user":{user}}}}}"#
    );
    site.test.run(r#"DELETE FROM "Sessions""#).await;
    site.insert_row(EXPRESS_SID, &data, site.now + TimeDelta::days(30)).await;
    data
}

async fn check_reads(site: &Site, user: &str) {
    express_wrote(site, user).await;
    assert_eq!(site.user(&[EXPRESS_COOKIE]).await.as_deref(), Some(ADA), "{user}");
}

async fn each_key_reads_what_serialize_user_wrote(test: TestDatabase) {
    let mut site = with_ada(test, UserKey::Email).await;
    check_reads(&site, r#""ada@example.com""#).await;
    site = with_key(site, UserKey::Id).await;
    check_reads(&site, "1").await;
    check_reads(&site, r#""1""#).await;
    site = with_key(site, object()).await;
    check_reads(&site, r#"{"id":1,"username":"old@example.com"}"#).await;
    check_reads(&site, r#"{"picture":"\ud800","id":"1"}"#).await;
}

/// The same database under another setting.
async fn with_key(site: Site, key: UserKey) -> Site {
    Site::open_as(site.test, &TableNames::default(), |sessions, _| sessions.user_key = key).await
}

async fn each_key_is_written_as_serialize_user_writes_it(test: TestDatabase) {
    let mut site = with_ada(test, UserKey::Email).await;
    for (key, written) in [
        (UserKey::Email, r#""ada@example.com""#),
        (UserKey::Id, "1"),
        (object(), r#"{"id":1,"username":"ada@example.com"}"#),
    ] {
        site = with_key(site, key).await;
        let cookie = site.log_in(ADA, PASSWORD, &[]).await.cookie();
        let data = site.row().await.data.unwrap();
        assert!(data.ends_with(&format!(r#","passport":{{"user":{written}}}}}"#)), "{data}");
        assert_eq!(site.user(&[&cookie]).await.as_deref(), Some(ADA));
        site.test.run(r#"DELETE FROM "Sessions""#).await;
    }
}

async fn a_session_follows_its_account_to_another_address_unless_it_is_named_by_it(
    test: TestDatabase,
) {
    let mut site = with_ada(test, UserKey::Id).await;
    for (key, follows) in [(UserKey::Id, true), (object(), true), (UserKey::Email, false)] {
        site.test.run(r#"UPDATE "users" SET "email" = 'ada@example.com'"#).await;
        site = with_key(site, key).await;
        let cookie = site.log_in(ADA, PASSWORD, &[]).await.cookie();
        site.test.run(r#"UPDATE "users" SET "email" = 'eve@example.com'"#).await;
        let expected = follows.then_some("eve@example.com");
        assert_eq!(site.user(&[&cookie]).await.as_deref(), expected);
    }
}

async fn an_account_that_is_gone_ends_its_session_under_every_key(test: TestDatabase) {
    let mut site = with_ada(test, UserKey::Email).await;
    for (key, user) in
        [(UserKey::Email, r#""eve@example.com""#), (UserKey::Id, "7"), (object(), r#"{"id":7}"#)]
    {
        site = with_key(site, key).await;
        let data = express_wrote(&site, user).await;
        site.read_page(&[EXPRESS_COOKIE]).await.expect("the cookie is sent again");
        let left = site.row().await.data.unwrap();
        assert!(left.ends_with(r#","cart":[1.50],"passport":{}}"#), "{data} became {left}");
    }
}

async fn what_a_key_does_not_read_is_a_guests_and_left_as_it_is(test: TestDatabase) {
    let mut site = with_ada(test, UserKey::Email).await;
    for (key, foreign) in [
        (UserKey::Email, ["1", r#"{"id":1}"#, r#""f81d4fae-7dec-41d0-a765-00a0c91e6bf6""#]),
        (UserKey::Id, [r#""ada@example.com""#, r#"{"id":1}"#, "1.5"]),
        (object(), ["1", r#""ada@example.com""#, r#"{"user":1}"#]),
    ] {
        site = with_key(site, key).await;
        for user in foreign {
            let data = express_wrote(&site, user).await;
            site.advance(TimeDelta::hours(1));
            let session = site.visit(&[EXPRESS_COOKIE]).await.expect("a session");
            assert!(session.identity().is_none(), "{user}");
            assert_eq!(site.settle(session).await, None, "{user}");
            let moved = async || Some(site.row().await).filter(|row| row.updated_at == site.now);
            let row = eventually("a touch, as of any guest's row", moved).await;
            assert_eq!(row.data.unwrap(), data, "{user}");
        }
    }
}

/// So that a setting that was forgotten signs nobody out of the rows.
async fn an_address_that_looks_like_an_id_is_one_where_somebody_has_it(test: TestDatabase) {
    let site = with_ada(test, UserKey::Email).await;
    site.test.run(r#"UPDATE "users" SET "email" = '12'"#).await;
    express_wrote(&site, r#""12""#).await;
    assert_eq!(site.user(&[EXPRESS_COOKIE]).await.as_deref(), Some("12"));
    let data = express_wrote(&site, r#""13""#).await;
    site.read_page(&[EXPRESS_COOKIE]).await;
    assert_eq!(site.row().await.data.unwrap(), data);
}

/// As of somebody whom the site knows by another provider.
async fn an_account_without_an_address_is_signed_in_by_its_id(test: TestDatabase) {
    let site = with_ada(test, UserKey::Id).await;
    let table = r#"DROP TABLE "users"; CREATE TABLE "users" ("id" INTEGER PRIMARY KEY,
        "email" TEXT, "password" TEXT, "name" TEXT); INSERT INTO "users" ("id") VALUES (1)"#;
    site.test.run(table).await;
    express_wrote(&site, "1").await;
    let session = site.visit(&[EXPRESS_COOKIE]).await.unwrap();
    let mut fields = OwnFields::new();
    session.identity_fields().unwrap().inject(&IdentityNames::default(), &mut fields);
    let headers = fields.to_map();
    assert_eq!(headers.len(), 1, "{headers:?}");
    assert_eq!(headers["x-forwarded-user"], "1");
}

async fn one_person_twice_is_no_conflict_in_whatever_spelling(test: TestDatabase) {
    let site = with_ada(test, UserKey::Id).await;
    express_wrote(&site, r#""1""#).await;
    let ada = site.log_in(ADA, PASSWORD, &[]).await.cookie();
    assert!(site.visit(&[&ada, EXPRESS_COOKIE]).await.is_some());
    let bob = site.register("bob@example.com").await;
    assert_eq!(bob.status, StatusCode::OK);
    assert!(site.visit(&[&bob.cookie(), EXPRESS_COOKIE]).await.is_none(), "two people");
}

async fn a_sign_in_that_keeps_data_names_its_account_by_the_key(test: TestDatabase) {
    let keeping = |sessions: &mut SessionSettings, _: &mut AuthSettings| {
        sessions.user_key = object();
        sessions.policy.old_data = OldData::Keep;
    };
    let site = Site::open_as(test, &TableNames::default(), keeping).await;
    site.register(ADA).await;
    express_wrote(&site, r#"{"id":7}"#).await;
    site.log_in(ADA, PASSWORD, &[EXPRESS_COOKIE]).await;
    let rows = site.rows().await;
    let kept = rows.iter().find_map(|row| row.data.as_ref().filter(|data| data.contains("cart")));
    let expected = r#""cart":[1.50],"passport":{"user":{"id":1,"username":"ada@example.com"}}}"#;
    assert!(kept.unwrap().ends_with(expected), "{kept:?}");
}

on_both_databases! {
    each_key_reads_what_serialize_user_wrote
    each_key_is_written_as_serialize_user_writes_it
    a_session_follows_its_account_to_another_address_unless_it_is_named_by_it
    an_account_that_is_gone_ends_its_session_under_every_key
    what_a_key_does_not_read_is_a_guests_and_left_as_it_is
    an_address_that_looks_like_an_id_is_one_where_somebody_has_it
    an_account_without_an_address_is_signed_in_by_its_id
    one_person_twice_is_no_conflict_in_whatever_spelling
    a_sign_in_that_keeps_data_names_its_account_by_the_key
}
