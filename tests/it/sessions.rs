//! Sessions as rows and cookies, seen through HTTP.

use nextbnb_gateway::session::cache::CacheSettings;
use nextbnb_tests::stack::{PASSWORD, Stack, credentials};
use serde_json::Value;

const COOKIE: &str = "nextbnb";

#[tokio::test]
async fn a_guest_gets_no_cookie_and_no_row() {
    let stack = Stack::start().await;
    for target in ["/", "/_next/static/x.js", "/favicon.ico", "/.nextbnb/session"] {
        assert_eq!(stack.anonymous().get(target).await.header("set-cookie"), None, "{target}");
    }
    assert_eq!(stack.count("\"Sessions\"").await, 0);
}

#[tokio::test]
async fn a_row_holds_exactly_what_express_session_writes() {
    let stack = Stack::start().await;
    stack.signed_in("ada@example.org").await;
    let data = stack.database.texts("SELECT data FROM \"Sessions\"").await.remove(0);
    let row: Value = serde_json::from_str(&data).unwrap();
    let expires = row["cookie"]["expires"].as_str().unwrap();
    assert_eq!(
        data,
        format!(
            r#"{{"cookie":{{"originalMaxAge":2592000000,"expires":"{expires}","secure":false,"httpOnly":true,"path":"/","sameSite":"lax"}},"passport":{{"user":"ada@example.org"}}}}"#
        )
    );
}

#[tokio::test]
async fn sessions_outlive_the_gateway() {
    let stack = Stack::start().await;
    let ada = stack.signed_in("ada@example.org").await;
    let cookie = ada.cookie(COOKIE).unwrap();
    let replica = stack.replica().await;
    let again = replica.anonymous();
    again.set_cookie(COOKIE, &cookie);
    assert_eq!(again.get("/.nextbnb/session").await.json()["user"]["email"], "ada@example.org");
}

#[tokio::test]
async fn a_session_past_its_end_is_nobodys() {
    let stack = Stack::start().await;
    let ada = stack.signed_in("ada@example.org").await;
    stack.database.run("UPDATE \"Sessions\" SET expires = now() - interval '1 second'").await;
    assert_eq!(ada.get("/.nextbnb/session").await.text(), r#"{"user":null}"#);
    ada.get("/").await;
    assert_eq!(stack.upstream.last_request().header("x-forwarded-user"), None);
    assert_eq!(stack.count("\"Sessions\" WHERE expires > now()").await, 0, "not revived");
}

#[tokio::test]
async fn a_session_deleted_by_anybody_is_gone_at_once() {
    let stack = Stack::start().await;
    let ada = stack.signed_in("ada@example.org").await;
    stack.database.run("DELETE FROM \"Sessions\"").await;
    assert_eq!(ada.get("/.nextbnb/session").await.text(), r#"{"user":null}"#);
    assert_eq!(stack.count("\"Sessions\"").await, 0, "a presented id is never inserted");
}

#[tokio::test]
async fn a_deleted_account_has_no_sessions() {
    let stack = Stack::start().await;
    let ada = stack.signed_in("ada@example.org").await;
    stack.database.run("DELETE FROM users").await;
    assert_eq!(ada.get("/.nextbnb/session").await.text(), r#"{"user":null}"#);
}

#[tokio::test]
async fn a_cookie_that_does_not_verify_is_no_cookie() {
    let stack = Stack::start().await;
    let ada = stack.signed_in("ada@example.org").await;
    let cookie = ada.cookie(COOKIE).unwrap();
    let id_end = cookie.find('.').unwrap();
    let forged = [
        cookie[..id_end].to_owned(),
        format!("{cookie}A"),
        cookie.replacen("s%3A", "", 1),
        cookie.replacen("s%3A", "s%253A", 1),
        "s%3A.hh8YCLpMZyRhiif4CCZcCAPGQVUCi9DLWEyfl0mef2Q".to_owned(),
        "%".to_owned(),
    ];
    for value in forged {
        let liar = stack.anonymous();
        liar.set_cookie(COOKIE, &value);
        assert_eq!(liar.get("/.nextbnb/session").await.text(), r#"{"user":null}"#, "{value}");
    }
}

#[tokio::test]
async fn the_first_cookie_that_is_a_live_session_counts() {
    let stack = Stack::start().await;
    let ada = stack.signed_in("ada@example.org").await.cookie(COOKIE).unwrap();
    let bob = stack.signed_in("bob@example.org").await.cookie(COOKIE).unwrap();
    let user = async |cookies: String| {
        let visitor = stack.anonymous().header("Cookie", &cookies);
        visitor.get("/.nextbnb/session").await.json()["user"]["email"].clone()
    };
    assert_eq!(user(format!("nextbnb=junk; nextbnb={ada}")).await, "ada@example.org");
    assert_eq!(user(format!("a=b; nextbnb={ada}; nextbnb={ada}")).await, "ada@example.org");
    assert_eq!(user(format!("nextbnb={ada}; nextbnb={bob}")).await, Value::Null);
    assert_eq!(user(format!("NEXTBNB={ada}")).await, Value::Null);
}

#[tokio::test]
async fn a_cookie_past_half_its_life_is_renewed_unless_a_shared_cache_may_keep_the_answer() {
    let upstream = nextbnb_tests::upstream::StubUpstream::answering(|request| async move {
        let mut response = nextbnb_tests::upstream::text("hello");
        if request.uri().path() == "/shared" {
            let value = "s-maxage=31536000".parse().unwrap();
            response.headers_mut().insert("cache-control", value);
        }
        response
    });
    // Every request reads the row, however soon the change feed tells of what is written below.
    let uncached = CacheSettings { size: 0, ..CacheSettings::default() };
    let stack = Stack::with(upstream.await, |config| config.session.cache = uncached).await;
    let ada = stack.signed_in("ada@example.org").await;
    assert_eq!(ada.get("/").await.header("set-cookie"), None, "young cookies stay");
    let before = ada.cookie(COOKIE).unwrap();
    let soon = "to_char(now() + interval '5 days', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')";
    let age = format!(
        "UPDATE \"Sessions\" SET data = regexp_replace(data, '\"expires\":\"[^\"]*\"', \
         '\"expires\":\"' || {soon} || '\"')"
    );
    stack.database.run(&age).await;
    assert_eq!(ada.get("/shared").await.header("set-cookie"), None);
    let renewed = ada.get("/").await;
    assert!(renewed.header("set-cookie").is_some_and(|cookie| cookie.contains("Expires=")));
    assert_eq!(ada.cookie(COOKIE).unwrap(), before, "the same session, signed the same");
    assert_eq!(ada.get("/").await.header("set-cookie"), None, "once");
}

#[tokio::test]
async fn a_damaged_row_makes_a_guest_who_can_sign_in_again() {
    let stack = Stack::start().await;
    let ada = stack.signed_in("ada@example.org").await;
    for data in
        ["", "{", "null", "[]", "{\"cookie\":5}", "{\"cookie\":{\"originalMaxAge\":\"abc\"}}"]
    {
        let update = format!("UPDATE \"Sessions\" SET data = '{data}'");
        stack.database.run(&update).await;
        let reply = ada.get("/.nextbnb/session").await;
        assert_eq!((reply.status.as_u16(), reply.text()), (200, r#"{"user":null}"#), "{data}");
    }
    ada.post("/api/auth/login", &credentials("ada@example.org", PASSWORD)).await;
    assert_eq!(ada.get("/.nextbnb/session").await.json()["user"]["email"], "ada@example.org");
}
