//! A site in the course's style, unchanged: on its own Express server, with the gateway before all
//! of it (A), and with the gateway before its pages and its API apart (B).
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a failed set-up should stop the test"
)]

mod balancer;
mod document;
mod moving;
mod people;
mod site;

use nextbnb_tests::browser::walk;
use nextbnb_tests::stack::registration;
use nextbnb_tests::visitor::Visitor;
use nextbnb_tests::wait_until;
use serde_json::json;

use self::balancer::Balancer;
use self::document::Document;
use self::moving::Moving;
use self::people::{People, user};
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
        let elsewhere = places.map(|place| ada.elsewhere(place));
        for visitor in &elsewhere {
            assert_eq!(user(visitor).await.as_deref(), Some(&*email));
        }
        let reply = ada.post("/api/auth/logout", &json!({})).await;
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

/// Over a hundred requests in turns, with those that pages make while they render.
#[tokio::test]
async fn behind_one_load_balancer_server_and_gateway_are_one_site() {
    let specimen = Specimen::start().await;
    // As in the middle of a change of secrets: the gateway knows the next one already.
    specimen.add_secret("the secret that comes after this one");
    let whole = specimen.before_express().await;
    let places = [specimen.express(), whole.address()];
    let balancer = Balancer::between(places).await;
    for count in 0..20 {
        let visitor = Visitor::new(balancer.address());
        let email = format!("somebody{count}@example.org");
        visitor.post("/api/seen/1", &json!({})).await;
        let reply = visitor.post("/api/auth/register", &registration(&email)).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let everywhere = places.map(|place| visitor.elsewhere(place));
        for visitor in everywhere.iter().chain([&visitor]) {
            assert_eq!(user(visitor).await.as_ref(), Some(&email));
        }
        let seen = visitor.post("/api/seen/2", &json!({})).await.json();
        assert_eq!(visitor.get("/api/seen").await.json(), seen);
        let [_, before] = balancer.counts();
        visitor.post("/api/auth/logout", &json!({})).await;
        let [_, after] = balancer.counts();
        for visitor in everywhere {
            if after == before {
                // Express answers before its row is gone.
                wait_until("the session is over", async || user(&visitor).await.is_none()).await;
            }
            assert_eq!(user(&visitor).await, None);
        }
    }
    let [express, gateway] = balancer.counts();
    assert!(express.abs_diff(gateway) <= 1 && gateway >= 50, "{express} and {gateway}");
}

/// Where the containers of the document are run.
const IN_CONTAINERS: &str = "tests/compose/from-express";

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_document_keeps_everybody_signed_in() {
    let mut document = Document::read();
    let mut site = Moving::prepare().await;
    let mut people = People::at(site.address());

    let (to_a, from_a) = (document.block("A."), document.block("A."));
    site.run(&from_a).await;
    people.visit("The site alone").await;
    people.pay(site.database(), 1).await;
    let said = site.look(&document.block("First, look"));
    assert!(said.contains("secret; the first signs") && said.contains("1 signed in"), "{said}");
    site.run(&to_a).await;
    people.visit("A").await;
    people.pay(site.database(), 1).await;
    site.run(&from_a).await;
    people.visit("Back from A").await;

    site.run(&document.block("B.")).await; // installs the package
    site.run(&document.block("B.")).await;
    people.visit("B").await;
    people.pay(site.database(), 1).await;
    site.run_beside_the_server(&document.block("B.")).await;
    people.visit("From B to A").await;
    site.run(&document.block("B.")).await;
    people.visit("Back from B").await;

    site.run(&document.block("Tidying up")).await;
    people.visit("Tidied up").await;
    people.pay(site.database(), 1).await;
    site.run(&document.block("Tidying up")).await;
    people.visit("Back once more").await;

    site.run(&document.block("Payment webhooks")).await;
    people.visit("A tidied up").await;
    people.pay(site.database(), 0).await;

    site.develop();
    site.run(&document.block("While you develop")).await;
    people.visit("Developed").await;
    site.run(&document.block("While you develop")).await;
    people.visit("Back at last").await;

    document.runs_elsewhere("In containers", IN_CONTAINERS);
    document.has_no_more();
}
