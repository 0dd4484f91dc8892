//! What visits and time do to a session's row.

use chrono::TimeDelta;
use http::uri::Scheme;
use nextbnb_tests::database::TestDatabase;

use crate::site::{EXPRESS_COOKIE, EXPRESS_DATA, EXPRESS_SID, Site, at, eventually};

/// Ada's session as Express wrote it 30 days before its cookie ends.
async fn with_express_session(test: TestDatabase, data: &str) -> Site {
    let mut site = Site::open(test).await;
    site.now = at("2026-11-23T09:15:16.146Z");
    let insert = r#"INSERT INTO "users" ("email", "password") VALUES ('ada@example.com', 'x')"#;
    site.test.run(insert).await;
    site.insert_row(EXPRESS_SID, data, at("2026-12-23T09:15:16.146Z")).await;
    site
}

async fn a_visit_moves_the_end_once_in_ten_minutes(test: TestDatabase) {
    let mut site = with_express_session(test, EXPRESS_DATA).await;
    let written = site.row().await;
    site.advance(TimeDelta::minutes(10) - TimeDelta::milliseconds(1));
    site.read_page(&[EXPRESS_COOKIE]).await;
    site.advance(TimeDelta::milliseconds(1));
    site.read_page(&[EXPRESS_COOKIE]).await;
    let touched =
        eventually("a touch", async || Some(site.row().await).filter(|row| *row != written)).await;
    assert_eq!(touched.updated_at, site.now);
    assert_eq!(touched.expires, Some(site.now + TimeDelta::days(30)));
    assert_eq!(touched.data, written.data);
    assert_eq!(touched.created_at, written.created_at);
}

async fn a_visit_never_brings_a_session_back(test: TestDatabase) {
    let mut site = with_express_session(test, EXPRESS_DATA).await;
    site.advance(TimeDelta::days(14));
    let session = site.visit(&[EXPRESS_COOKIE]).await.unwrap();
    site.log_out(&[EXPRESS_COOKIE]).await;
    assert_eq!(site.settle(session).await, None);
    site.sessions.write_visits_down().await;
    assert_eq!(site.rows().await.len(), 0);
}

async fn a_touch_that_cannot_be_written_disturbs_nobody(test: TestDatabase) {
    let mut site = with_express_session(test, EXPRESS_DATA).await;
    site.advance(TimeDelta::minutes(10));
    let session = site.visit(&[EXPRESS_COOKIE]).await.unwrap();
    site.database.clone().close().await.unwrap();
    assert_eq!(site.settle(session).await, None);
}

async fn a_cookie_is_renewed_in_the_second_half_of_its_life(test: TestDatabase) {
    let mut site = with_express_session(test, EXPRESS_DATA).await;
    site.advance(TimeDelta::days(15));
    assert_eq!(site.read_page(&[EXPRESS_COOKIE]).await, None);
    site.advance(TimeDelta::milliseconds(1));
    assert_eq!(
        site.read_page(&[EXPRESS_COOKIE]).await.unwrap(),
        format!(
            "nextbnb={EXPRESS_COOKIE}; Path=/; Expires=Thu, 07 Jan 2027 09:15:16 GMT; HttpOnly; \
             SameSite=Lax"
        )
    );
    let row = site.row().await;
    let expires = "2027-01-07T09:15:16.147Z";
    assert_eq!(row.data.unwrap(), EXPRESS_DATA.replace("2026-12-23T09:15:16.146Z", expires));
    assert_eq!((row.expires, row.updated_at), (Some(at(expires)), site.now));
    assert_eq!(site.read_page(&[EXPRESS_COOKIE]).await, None, "renewed already");
}

async fn attributes_of_the_row_stay_and_the_stricter_win(test: TestDatabase) {
    let data = r#"{"cookie":{"originalMaxAge":60000,"partitioned":true,"priority":"high","expires":"2026-11-23T09:15:26.146Z","secure":false,"httpOnly":false,"domain":"example.com","path":"/foo","sameSite":"none"},"cart":[1.50]}"#;
    let site = with_express_session(test, data).await;
    assert_eq!(
        site.read_page_over(Some(&Scheme::HTTPS), &[EXPRESS_COOKIE]).await.unwrap(),
        format!(
            "nextbnb={EXPRESS_COOKIE}; Domain=example.com; Path=/foo; \
             Expires=Mon, 23 Nov 2026 09:16:16 GMT; HttpOnly; Secure; Partitioned; Priority=High; \
             SameSite=Lax"
        )
    );
    let renewed = data.replace("09:15:26.146Z", "09:16:16.146Z");
    assert_eq!(site.row().await.data.unwrap(), renewed);
}

async fn a_secure_cookie_is_not_renewed_in_the_clear(test: TestDatabase) {
    let data = EXPRESS_DATA.replace("\"secure\":false", "\"secure\":true");
    let mut site = with_express_session(test, &data).await;
    site.advance(TimeDelta::days(16));
    assert_eq!(site.read_page(&[EXPRESS_COOKIE]).await, None);
    assert_eq!(site.read_page_over(Some(&Scheme::HTTP), &[EXPRESS_COOKIE]).await, None);
    assert!(
        site.read_page_over(Some(&Scheme::HTTPS), &[EXPRESS_COOKIE])
            .await
            .unwrap()
            .contains("; Secure")
    );
}

async fn a_renewal_never_undoes_what_another_wrote(test: TestDatabase) {
    let mut site = with_express_session(test, EXPRESS_DATA).await;
    site.advance(TimeDelta::days(16));
    let session = site.visit(&[EXPRESS_COOKIE]).await.unwrap();
    let changed = EXPRESS_DATA.replace("\"passport\"", "\"cart\":[1],\"passport\"");
    site.test.run(&format!(r#"UPDATE "Sessions" SET "data" = '{changed}'"#)).await;
    assert_eq!(site.settle(session).await, None);
    assert_eq!(site.row().await.data.unwrap(), changed);
}

async fn a_sweep_removes_what_is_over_and_nothing_else(test: TestDatabase) {
    let site = with_express_session(test, EXPRESS_DATA).await;
    let number = if site.test.is_postgres() {
        "SELECT n::text AS n FROM generate_series(1, 2500) AS n"
    } else {
        "SELECT value AS n FROM json_each('[' || substr(replace(hex(zeroblob(2500)), '00', ',0'), 2) || ']')"
    };
    let sid = if site.test.is_postgres() { "n" } else { "lower(hex(randomblob(8)))" };
    site.test
        .run(&format!(
            r#"INSERT INTO "Sessions" SELECT {sid}, '2026-11-01 00:00:00.000+00:00', '{{}}',
               '2026-11-01 00:00:00.000+00:00', '2026-11-01 00:00:00.000+00:00' FROM ({number}) AS t"#
        ))
        .await;
    site.test
        .run(
            r#"INSERT INTO "Sessions" VALUES ('endless', NULL, '{}',
               '2026-11-01 00:00:00.000+00:00', '2026-11-01 00:00:00.000+00:00')"#,
        )
        .await;
    assert_eq!(site.sessions.sweep(site.now).await.unwrap(), 2500);
    assert_eq!(site.sessions.sweep(site.now).await.unwrap(), 0);
    let mut left: Vec<String> = site.rows().await.into_iter().map(|row| row.sid).collect();
    left.sort();
    assert_eq!(left, [EXPRESS_SID, "endless"]);
}

on_both_databases! {
    a_visit_moves_the_end_once_in_ten_minutes
    a_visit_never_brings_a_session_back
    a_touch_that_cannot_be_written_disturbs_nobody
    a_cookie_is_renewed_in_the_second_half_of_its_life
    attributes_of_the_row_stay_and_the_stricter_win
    a_secure_cookie_is_not_renewed_in_the_clear
    a_renewal_never_undoes_what_another_wrote
    a_sweep_removes_what_is_over_and_nothing_else
}

#[tokio::test]
async fn one_replica_sweeps_at_a_time() {
    use sea_orm::TransactionTrait;
    let test = TestDatabase::postgres().await;
    let mut site = with_express_session(test, EXPRESS_DATA).await;
    site.advance(TimeDelta::days(31));
    let other = site.test.connection().begin().await.unwrap();
    let lock = "SELECT pg_advisory_xact_lock(1851945847)";
    sea_orm::ConnectionTrait::execute_unprepared(&other, lock).await.unwrap();
    assert_eq!(site.sessions.sweep(site.now).await.unwrap(), 0);
    other.rollback().await.unwrap();
    assert_eq!(site.sessions.sweep(site.now).await.unwrap(), 1);
}
