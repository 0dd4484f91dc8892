//! Sessions that are kept after they were read, while somebody vouches that every change is told.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use futures_util::future::join_all;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use nextbnb_gateway::identity::names::IdentityNames;
use nextbnb_gateway::proxy::own_fields::OwnFields;
use nextbnb_gateway::session::SessionSettings;
use nextbnb_gateway::session::cache::stats::CacheStats;
use nextbnb_gateway::session::changes::{Change, SessionDigest};
use nextbnb_gateway::session::settle::{Audience, Visit};
use nextbnb_tests::database::TestDatabase;
use sea_orm::{ConnectionTrait, TransactionTrait};
use sha2::{Digest, Sha256};

use crate::site::{ADDRESS, EXPRESS_COOKIE, EXPRESS_DATA, EXPRESS_SID, PASSWORD, Site, eventually};

const ADA: &str = "ada@example.com";

/// A site whose changes are all told; those of the gateway itself, that is, and what a test tells.
async fn open(test: TestDatabase) -> Site {
    open_with(test, |_| {}).await
}

async fn open_with(test: TestDatabase, change: impl FnOnce(&mut SessionSettings)) -> Site {
    let site = Site::open_with(test, change).await;
    site.sessions.changes().vouch_until(Instant::now() + Duration::from_hours(1));
    site
}

/// The same, with ada's account and her session as Express wrote it.
async fn with_express_session(test: TestDatabase) -> Site {
    let site = open(test).await;
    let insert = r#"INSERT INTO "users" ("email", "password") VALUES ('ada@example.com', 'x')"#;
    site.test.run(insert).await;
    site.insert_row(EXPRESS_SID, EXPRESS_DATA, site.now + TimeDelta::days(30)).await;
    site
}

fn headers(cookies: &str) -> HeaderMap {
    HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(cookies).unwrap())])
}

fn with_cookie(value: &str) -> HeaderMap {
    headers(&format!("theme=dark; nextbnb={value}; _ga=GA1.1.2"))
}

/// A visit as the gateway makes it: what is kept, else what the database says.
async fn visit(site: &Site, headers: &HeaderMap) -> Visit {
    match site.sessions.cached(headers, "/", site.now) {
        Some(visit) => visit,
        None => site.sessions.visit(headers, ADDRESS, "/", site.now).await.unwrap(),
    }
}

fn user_of(visit: &Visit) -> Option<&str> {
    Some(visit.session()?.identity()?.email.as_str())
}

fn is_kept(site: &Site, headers: &HeaderMap) -> bool {
    site.sessions.cached(headers, "/", site.now).is_some()
}

fn stats(site: &Site) -> CacheStats {
    site.sessions.cache_stats().unwrap()
}

/// Signed in, and read once.
async fn signed_in(site: &Site) -> (String, HeaderMap) {
    let cookie = site.register(ADA).await.cookie();
    let headers = with_cookie(&cookie);
    assert_eq!(user_of(&visit(site, &headers).await), Some(ADA));
    assert!(is_kept(site, &headers));
    (cookie, headers)
}

/// What the news call the session of a cookie.
fn digest_of(cookie: &str) -> SessionDigest {
    let (sid, _) = cookie.strip_prefix("s%3A").unwrap().rsplit_once('.').unwrap();
    SessionDigest(Sha256::digest(sid)[..16].try_into().unwrap())
}

async fn a_session_that_was_read_is_found_without_the_database(test: TestDatabase) {
    let site = open(test).await;
    let (_, headers) = signed_in(&site).await;
    site.database.clone().close().await.unwrap();
    for _ in 0..3 {
        assert_eq!(user_of(&visit(&site, &headers).await), Some(ADA));
    }
    site.sessions.changes().stop_vouching();
    assert!(!is_kept(&site, &headers));
    assert!(site.sessions.visit(&headers, ADDRESS, "/", site.now).await.is_err());
}

/// Its user's fields included, in a head that has room for them.
async fn what_is_kept_is_found_and_passed_on_without_an_allocation(test: TestDatabase) {
    let site = open(test).await;
    let (_, headers) = signed_in(&site).await;
    let names = IdentityNames::default();
    let mut fields = OwnFields::new();
    let measured = allocation_counter::measure(|| {
        let visit = site.sessions.cached(&headers, "/trips", site.now).unwrap();
        visit.session().unwrap().identity_fields().unwrap().inject(&names, &mut fields);
    });
    assert_eq!(measured.count_total, 0, "{measured:?}");
    assert_eq!(fields.to_map()["x-forwarded-email"], ADA);
    let counted = allocation_counter::measure(|| drop(site.sessions.presented(&headers)));
    assert!(counted.count_total > 0, "it does count");
}

async fn a_logout_is_seen_at_once(test: TestDatabase) {
    let site = open(test).await;
    let (cookie, headers) = signed_in(&site).await;
    site.log_out(&[&cookie]).await;
    assert!(!is_kept(&site, &headers));
    assert_eq!(user_of(&visit(&site, &headers).await), None);
}

async fn a_sign_in_ends_the_session_before_it_at_once(test: TestDatabase) {
    let site = open(test).await;
    let (cookie, headers) = signed_in(&site).await;
    let again = site.log_in(ADA, PASSWORD, &[&cookie]).await.cookie();
    assert!(!is_kept(&site, &headers));
    assert_eq!(user_of(&visit(&site, &headers).await), None);
    assert_eq!(user_of(&visit(&site, &with_cookie(&again)).await), Some(ADA));
}

async fn the_id_before_a_sign_in_still_leads_to_the_session_after_it(test: TestDatabase) {
    let handing_over = |sessions: &mut SessionSettings| sessions.handover = Duration::from_secs(10);
    let site = open_with(test, handing_over).await;
    let (cookie, headers) = signed_in(&site).await;
    site.log_in(ADA, PASSWORD, &[&cookie]).await;
    let led = visit(&site, &headers).await;
    assert_eq!(user_of(&led), Some(ADA));
    let settling = site.sessions.settle(&led, None, || Audience::Visitor, site.now);
    assert!(settling.await.is_some(), "with the new cookie");
    assert_eq!(user_of(&visit(&site, &headers).await), None, "once");
}

async fn a_visit_that_is_written_down_is_not_written_down_again(test: TestDatabase) {
    let mut site = open(test).await;
    let (_, headers) = signed_in(&site).await;
    site.advance(TimeDelta::minutes(11));
    let found = visit(&site, &headers).await;
    site.sessions.settle(&found, None, || Audience::Visitor, site.now).await;
    eventually("the touch to be told", async || (!is_kept(&site, &headers)).then_some(())).await;
    let touched = site.row().await;
    assert_eq!(touched.updated_at, site.now);
    site.advance(TimeDelta::minutes(9));
    let found = visit(&site, &headers).await;
    site.sessions.settle(&found, None, || Audience::Visitor, site.now).await;
    assert!(is_kept(&site, &headers), "nothing was written");
    assert_eq!(site.row().await, touched);
}

async fn a_cookie_is_renewed_once(test: TestDatabase) {
    let mut site = open(test).await;
    let (_, headers) = signed_in(&site).await;
    site.advance(TimeDelta::days(16));
    let found = visit(&site, &headers).await;
    assert!(site.sessions.settle(&found, None, || Audience::Visitor, site.now).await.is_some());
    assert!(!is_kept(&site, &headers));
    let found = visit(&site, &headers).await;
    assert_eq!(site.sessions.settle(&found, None, || Audience::Visitor, site.now).await, None);
    assert!(is_kept(&site, &headers));
}

async fn what_another_process_writes_is_seen_when_it_is_told(test: TestDatabase) {
    let site = open(test).await;
    let (cookie, headers) = signed_in(&site).await;
    site.test.run(r#"UPDATE "users" SET "name" = 'Ada'"#).await;
    assert!(is_kept(&site, &headers));
    let id = site.test.texts(r#"SELECT CAST("id" AS TEXT) FROM "users""#).await;
    site.sessions.changes().tell(&Change::Account(id[0].as_str().into()));
    let found = visit(&site, &headers).await;
    assert_eq!(found.session().unwrap().identity().unwrap().name.as_deref(), Some("Ada"));
    site.test.run(r#"DELETE FROM "Sessions""#).await;
    assert!(is_kept(&site, &headers));
    site.sessions.changes().tell(&Change::Session(digest_of(&cookie)));
    assert!(matches!(visit(&site, &headers).await, Visit::Fresh));
}

async fn a_session_whose_account_is_gone_is_not_kept(test: TestDatabase) {
    let site = with_express_session(test).await;
    site.test.run(r#"DELETE FROM "users""#).await;
    let headers = with_cookie(EXPRESS_COOKIE);
    assert_eq!(user_of(&visit(&site, &headers).await), None);
    site.test
        .run(r#"INSERT INTO "users" ("email", "password") VALUES ('ada@example.com', 'x')"#)
        .await;
    assert_eq!(user_of(&visit(&site, &headers).await), Some(ADA));
}

async fn a_session_is_nobodys_from_the_millisecond_of_its_end(test: TestDatabase) {
    let mut site = with_express_session(test).await;
    let headers = with_cookie(EXPRESS_COOKIE);
    visit(&site, &headers).await;
    site.advance(TimeDelta::days(30) - TimeDelta::milliseconds(1));
    assert!(is_kept(&site, &headers));
    site.advance(TimeDelta::milliseconds(1));
    assert!(!is_kept(&site, &headers));
    assert!(matches!(visit(&site, &headers).await, Visit::Fresh));
}

async fn a_cookie_of_another_spelling_is_kept_and_forgotten_with_it(test: TestDatabase) {
    let site = with_express_session(test).await;
    let spellings = [EXPRESS_COOKIE.to_owned(), EXPRESS_COOKIE.replace("%3A", ":")];
    let spellings = spellings.map(|value| with_cookie(&value));
    for headers in &spellings {
        assert_eq!(user_of(&visit(&site, headers).await), Some(ADA));
    }
    assert!(spellings.iter().all(|headers| is_kept(&site, headers)));
    site.log_out(&[EXPRESS_COOKIE]).await;
    assert!(!spellings.iter().any(|headers| is_kept(&site, headers)));
}

async fn only_a_verified_cookie_that_is_alone_on_its_path_is_looked_for(test: TestDatabase) {
    let only_app = |sessions: &mut SessionSettings| "/app".clone_into(&mut sessions.cookie.path);
    let site = open_with(test, only_app).await;
    let cookie = site.register(ADA).await.cookie();
    let alone = with_cookie(&cookie);
    site.sessions.visit(&alone, ADDRESS, "/app", site.now).await.unwrap();
    let is_found =
        |headers: &HeaderMap, path| site.sessions.cached(headers, path, site.now).is_some();
    assert!(is_found(&alone, "/app"));
    assert!(!is_found(&alone, "/"));
    assert!(!is_found(&headers(&format!("nextbnb=x; nextbnb={cookie}")), "/app"));
    let forged = with_cookie(&cookie.replace('.', ".x"));
    for _ in 0..2 {
        let visit = site.sessions.visit(&forged, ADDRESS, "/app", site.now).await.unwrap();
        assert!(matches!(visit, Visit::Fresh) && !is_found(&forged, "/app"));
    }
    assert_eq!(stats(&site).entries, 1);
}

async fn visitors_of_one_session_at_once_ask_one_question(test: TestDatabase) {
    let site = with_express_session(test).await;
    let headers = with_cookie(EXPRESS_COOKIE);
    for visit in join_all((0..20).map(|_| visit(&site, &headers))).await {
        assert_eq!(user_of(&visit), Some(ADA));
    }
    let CacheStats { hits, misses, coalesced, .. } = stats(&site);
    assert_eq!((hits, misses, coalesced), (0, 1, 19));
}

async fn without_a_cache_every_visit_asks(test: TestDatabase) {
    let site = open_with(test, |sessions| sessions.cache.size = 0).await;
    let headers = with_cookie(&site.register(ADA).await.cookie());
    assert_eq!(user_of(&visit(&site, &headers).await), Some(ADA));
    assert!(!is_kept(&site, &headers) && site.sessions.cache_stats().is_none());
}

on_both_databases! {
    a_session_that_was_read_is_found_without_the_database
    what_is_kept_is_found_and_passed_on_without_an_allocation
    a_logout_is_seen_at_once
    a_sign_in_ends_the_session_before_it_at_once
    the_id_before_a_sign_in_still_leads_to_the_session_after_it
    a_visit_that_is_written_down_is_not_written_down_again
    a_cookie_is_renewed_once
    what_another_process_writes_is_seen_when_it_is_told
    a_session_whose_account_is_gone_is_not_kept
    a_session_is_nobodys_from_the_millisecond_of_its_end
    a_cookie_of_another_spelling_is_kept_and_forgotten_with_it
    only_a_verified_cookie_that_is_alone_on_its_path_is_looked_for
    visitors_of_one_session_at_once_ask_one_question
    without_a_cache_every_visit_asks
}

/// On Postgres, where a question can be held up between the session's row and the account's.
#[tokio::test]
async fn a_session_that_is_ended_while_it_is_read_is_not_kept() {
    let site = with_express_session(TestDatabase::postgres().await).await;
    let headers = with_cookie(EXPRESS_COOKIE);
    let locking = site.test.connection().begin().await.unwrap();
    locking.execute_unprepared(r#"LOCK TABLE "users""#).await.unwrap();
    let (sessions, own, now) = (site.sessions.clone(), headers.clone(), site.now);
    let before = tokio::spawn(async move { sessions.visit(&own, ADDRESS, "/", now).await });
    let waiting = "SELECT count(*)::text FROM pg_stat_activity \
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually("the question about the account", async || {
        (site.test.texts(waiting).await == ["1"]).then_some(())
    })
    .await;
    site.test.run(r#"DELETE FROM "Sessions""#).await;
    site.sessions.changes().tell(&Change::Session(digest_of(EXPRESS_COOKIE)));
    let after = site.sessions.visit(&headers, ADDRESS, "/", site.now).await.unwrap();
    assert!(matches!(after, Visit::Fresh), "it began after the end");
    locking.commit().await.unwrap();
    assert_eq!(user_of(&before.await.unwrap().unwrap()), Some(ADA), "it began before");
    assert!(!is_kept(&site, &headers));
}
