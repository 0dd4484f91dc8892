//! An upstream with sessions of its own: the Express server that the gateway stands before.

use http::header::{COOKIE, SET_COOKIE};
use nextbnb_gateway::identity::headers::UpstreamToken;
use nextbnb_gateway::session::policy::AnonymousSessions;
use nextbnb_tests::stack::Stack;
use nextbnb_tests::upstream::{StubUpstream, text};
use nextbnb_tests::visitor::Reply;
use nextbnb_tests::wait_until;
use percent_encoding::percent_decode_str;

const NAME: &str = "nextbnb";
const SESSIONS: &str = "\"Sessions\"";

/// An upstream that sets the cookies that the query names, before which guests have sessions.
async fn site() -> Stack {
    let upstream = StubUpstream::answering(|request| async move {
        let mut response = text("hello");
        let headers = response.headers_mut();
        for cookie in request.uri().query().into_iter().flat_map(|query| query.split('&')) {
            headers.append(SET_COOKIE, cookie.parse().unwrap());
        }
        if request.uri().path() == "/public" {
            headers.insert("cache-control", "public, max-age=9".parse().unwrap());
        }
        response
    });
    Stack::with(upstream.await, |config| {
        config.session.policy.anonymous = AnonymousSessions::Save;
    })
    .await
}

fn set_cookies(reply: &Reply) -> Vec<&str> {
    let all = reply.headers.get_all(SET_COOKIE).iter();
    all.map(|value| value.to_str().unwrap().split(';').next().unwrap()).collect()
}

#[tokio::test]
async fn the_upstream_sees_the_cookie_that_a_first_visit_is_given() {
    let stack = site().await;
    let guest = stack.anonymous().header("Cookie", "theme=dark; nextbnb=junk; lang=en");
    guest.get("/").await;
    let cookie = guest.cookie(NAME).unwrap();
    let seen = stack.upstream.last_request();
    let expected = format!("theme=dark; lang=en; nextbnb={cookie}");
    assert_eq!(seen.headers[COOKIE], expected);
    assert_eq!(stack.count(SESSIONS).await, 1);
}

#[tokio::test]
async fn a_row_whose_cookie_nobody_gets_goes_again() {
    let stack = site().await;
    let reply = stack.anonymous().get("/public").await;
    assert!(set_cookies(&reply).is_empty());
    assert!(stack.upstream.last_request().headers.contains_key(COOKIE));
    wait_until("no row is left", async || stack.count(SESSIONS).await == 0).await;
}

#[tokio::test]
async fn of_two_cookies_the_upstream_sees_the_one_that_counts() {
    let stack = site().await;
    let ada = stack.signed_in("ada@example.org").await.header("Cookie", "nextbnb=junk");
    ada.get("/").await;
    let expected = format!("nextbnb={}", ada.cookie(NAME).unwrap());
    assert_eq!(stack.upstream.last_request().headers[COOKIE], expected);
}

#[tokio::test]
async fn the_upstreams_own_session_cookie_is_dropped() {
    let stack = site().await;
    let guest = stack.anonymous();
    guest.get("/").await;
    let own = guest.cookie(NAME).unwrap();
    let other = stack.anonymous();
    other.get("/").await;
    let of_nobody = other.cookie(NAME).unwrap();
    for value in ["s%3Amade.up", "", &own, &of_nobody] {
        let reply = guest.get(&format!("/?a=1&nextbnb={value}&b=2")).await;
        assert_eq!(set_cookies(&reply), ["a=1", "b=2"], "{value}");
    }
    assert_eq!(guest.cookie(NAME), Some(own));
}

#[tokio::test]
async fn a_session_that_the_upstream_signed_somebody_in_to_passes() {
    let stack = site().await;
    let ada = stack.signed_in("ada@example.org").await.cookie(NAME).unwrap();
    let guest = stack.anonymous();
    let reply = guest.get(&format!("/callback?nextbnb={ada}")).await;
    assert_eq!(set_cookies(&reply), [format!("nextbnb={ada}")]);
    wait_until("the guest's row is gone", async || stack.count(SESSIONS).await == 1).await;
    guest.get("/").await;
    assert_eq!(stack.upstream.last_request().header("x-forwarded-email"), Some("ada@example.org"));
    let public = stack.anonymous().get(&format!("/public?nextbnb={ada}")).await;
    assert!(set_cookies(&public).is_empty(), "a shared cache may keep it");
}

#[tokio::test]
async fn an_upstream_that_knows_the_token_is_told_what_pages_see_of_the_session() {
    const TOKEN: &str = "a-token-of-the-tests";
    let stack = Stack::with(StubUpstream::start().await, |config| {
        config.upstream_token = UpstreamToken::new(TOKEN);
    })
    .await;
    let guest = stack.anonymous().header("X-Nextbnb-Token", "forged");
    guest.get("/").await;
    let seen = stack.upstream.last_request();
    assert_eq!(seen.header("x-nextbnb-token"), Some(TOKEN));
    assert_eq!(seen.header("x-nextbnb-session"), None);
    let ada = stack.signed_in("ada@example.org").await;
    stack
        .database
        .run(r#"UPDATE "Sessions" SET data = replace(data, '}}', '},"cart":[1]}')"#)
        .await;
    ada.get("/").await;
    let seen = stack.upstream.last_request();
    let told = percent_decode_str(seen.header("x-nextbnb-session").unwrap()).decode_utf8().unwrap();
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let [data] = &stack.database.texts(r#"SELECT data FROM "Sessions""#).await[..] else {
        panic!("one row")
    };
    let row: serde_json::Value = serde_json::from_str(data).unwrap();
    let [sid] = &stack.database.texts(r#"SELECT sid FROM "Sessions""#).await[..] else {
        panic!("one row")
    };
    let expected = serde_json::json!({
        "id": sid, "cookie": row["cookie"], "passport": { "user": "ada@example.org" }
    });
    assert_eq!(told, expected);
    stack.database.run("DELETE FROM users").await;
    ada.get("/").await;
    let seen = stack.upstream.last_request();
    assert!(!seen.header("x-nextbnb-session").unwrap().contains("passport"), "an account is gone");
}
