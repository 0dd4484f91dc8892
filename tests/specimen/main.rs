//! A site in the course's style, unchanged: on its own Express server, with the gateway before all
//! of it (A), and with the gateway before its pages and its API apart (B).
#![allow(clippy::unwrap_used, reason = "a failed set-up should stop the test")]

mod site;

use nextbnb_tests::browser::walk;
use nextbnb_tests::stack::registration;
use nextbnb_tests::visitor::Visitor;
use nextbnb_tests::wait_until;

use self::site::{Specimen, WEBHOOK_SECRET};

async fn journey(url: &str, email: &str, server: &str) {
    walk("specimen", url, &[email, WEBHOOK_SECRET, server]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_site_works_on_its_own_and_under_a_and_b_without_a_changed_line() {
    let specimen = Specimen::start().await;
    journey(&specimen.own(), "own@example.org", "own").await;
    let whole = specimen.before_express().await;
    journey(&whole.url(), "whole@example.org", "gateway").await;
    let apart = specimen.apart().await;
    journey(&apart.url(), "apart@example.org", "gateway").await;
    let developed = specimen.apart_in_development().await;
    journey(&developed.url(), "developed@example.org", "gateway").await;
}

/// Who the home page says is there.
async fn user(visitor: &Visitor) -> Option<String> {
    let page = visitor.get("/").await.text().to_owned();
    let (_, rest) = page.split_once(r#"<span id="user">"#)?;
    Some(rest.split('<').next()?.to_owned())
}

#[tokio::test]
async fn whoever_signs_in_on_one_is_signed_in_on_all_until_they_leave_one() {
    let specimen = Specimen::start().await;
    let (whole, apart) = (specimen.before_express().await, specimen.apart().await);
    let places = [specimen.express(), whole.address(), apart.address()];
    for place in places {
        let ada = Visitor::new(place);
        let email = format!("ada{}@example.org", place.port());
        let reply = ada.post("/api/auth/register", &registration(&email)).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let cookie = ada.cookie("nextbnb").unwrap();
        let elsewhere = places.map(|place| {
            let visitor = Visitor::new(place);
            visitor.set_cookie("nextbnb", &cookie);
            visitor
        });
        for visitor in &elsewhere {
            assert_eq!(user(visitor).await.as_deref(), Some(&*email));
        }
        let reply = ada.post("/api/auth/logout", &serde_json::json!({})).await;
        assert_eq!(reply.status, 200);
        for visitor in &elsewhere {
            wait_until("the session is over", async || user(visitor).await.is_none()).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_submitted_twice_signs_in_twenty_times_of_twenty() {
    let specimen = Specimen::start().await;
    let whole = specimen.before_express().await;
    walk("late-form", &whole.url(), &["late@example.org", "20"]).await;
}
