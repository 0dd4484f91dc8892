//! People who sign in and out while Postgres is killed again and again: every answer that they got
//! holds afterwards.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::future::join_all;
use http::StatusCode;
use nextbnb_tests::postgres::OwnServer;
use nextbnb_tests::stack::{PASSWORD, RunningGateway, credentials};
use nextbnb_tests::upstream::StubUpstream;
use nextbnb_tests::visitor::Visitor;
use nextbnb_tests::wait_until;
use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};
use serde_json::Value;

const PEOPLE: usize = 8;
const DEATHS: usize = 4;
/// Answers between two deaths, and failures before the server is back.
const ANSWERS: usize = 100;
const FAILURES: usize = 10;
const COOKIE: &str = "nextbnb";

/// What everybody met so far.
#[derive(Debug, Default)]
struct Met {
    answered: AtomicUsize,
    failed: AtomicUsize,
    /// Sessions that were somebody's by the last answer, and are a guest's.
    lost: AtomicUsize,
    /// Sessions that were over by the last answer, and are somebody's.
    revived: AtomicUsize,
    is_over: AtomicBool,
}

impl Met {
    fn note(&self, status: StatusCode) -> bool {
        let is_answered = status == StatusCode::OK;
        assert!(is_answered || status == StatusCode::SERVICE_UNAVAILABLE, "{status}");
        let counter = if is_answered { &self.answered } else { &self.failed };
        counter.fetch_add(1, Ordering::Relaxed);
        is_answered
    }

    async fn wait_for(&self, what: &str, counter: &AtomicUsize, more: usize) {
        let least = counter.load(Ordering::Relaxed) + more;
        wait_until(what, async || counter.load(Ordering::Relaxed) >= least).await;
    }
}

struct Person {
    email: String,
    browser: Visitor,
    /// What the last answer said; `None` where none came to what was asked last.
    is_signed_in: Option<bool>,
    /// Cookies of sessions that were said to be over.
    over: Vec<String>,
    /// Questions without an answer whose rows may be there all the same.
    doubtful: usize,
}

impl Person {
    async fn register(number: usize, gateway: &RunningGateway) -> Self {
        let email = format!("person-{number}@example.org");
        let browser = gateway.signed_in(&email).await;
        Self { email, browser, is_signed_in: Some(true), over: Vec::new(), doubtful: 0 }
    }

    async fn live(&mut self, number: usize, gateways: &[RunningGateway; 2], met: &Met) {
        for turn in number.. {
            if met.is_over.load(Ordering::Relaxed) {
                return;
            }
            self.browser = self.browser.elsewhere(gateways[turn % 2].address());
            match turn % 7 {
                0 | 3 => self.sign_in(met).await,
                5 => self.sign_out(met).await,
                _ => self.look(met).await,
            }
        }
    }

    async fn sign_in(&mut self, met: &Met) {
        let before = self.browser.cookie(COOKIE);
        let form = credentials(&self.email, PASSWORD);
        let reply = self.browser.post("/api/auth/login", &form).await;
        self.end(before, met.note(reply.status), true);
    }

    async fn sign_out(&mut self, met: &Met) {
        let before = self.browser.cookie(COOKIE);
        let reply = self.browser.post("/api/auth/logout", &Value::Null).await;
        self.end(before, met.note(reply.status), false);
    }

    /// After a sign-in or sign-out; without an answer nobody knows what became of either session.
    fn end(&mut self, before: Option<String>, is_answered: bool, is_signed_in: bool) {
        if is_answered {
            self.over.extend(before);
            self.is_signed_in = Some(is_signed_in);
        } else {
            self.doubtful += 2;
            self.browser = self.browser.forgetful();
            self.is_signed_in = None;
        }
    }

    /// Looks who the gateway takes this browser for.
    async fn look(&self, met: &Met) {
        let Some(is_signed_in) = self.is_signed_in else { return tokio::task::yield_now().await };
        let reply = self.browser.get("/.nextbnb/session").await;
        if met.note(reply.status) && is_signed_in && reply.json()["user"]["email"] != *self.email {
            met.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Holds every answer to what is so at the end.
    async fn settle(&self, gateways: &[RunningGateway; 2], met: &Met) {
        for gateway in gateways {
            let there = self.browser.elsewhere(gateway.address());
            self.look_at(&there, met).await;
            for cookie in &self.over {
                let old = Visitor::new(gateway.address());
                old.set_cookie(COOKIE, cookie);
                if old.get("/.nextbnb/session").await.json()["user"] != Value::Null {
                    met.revived.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }

    async fn look_at(&self, there: &Visitor, met: &Met) {
        let user = there.get("/.nextbnb/session").await.json()["user"].clone();
        if self.is_signed_in == Some(true) && user["email"] != *self.email {
            met.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_dies_again_and_again_loses_doubles_and_revives_no_session() {
    let server = OwnServer::start_keeping();
    let upstream = StubUpstream::start().await;
    let start = || RunningGateway::start(server.url(), upstream.address(), |_| {});
    let gateways = [start().await, start().await];
    let registering = (0..PEOPLE).map(|number| Person::register(number, &gateways[0]));
    let (mut people, met) = (join_all(registering).await, Met::default());
    let killing = async {
        for _ in 0..DEATHS {
            met.wait_for("people are answered", &met.answered, ANSWERS).await;
            server.kill();
            met.wait_for("people notice", &met.failed, FAILURES).await;
            tokio::task::block_in_place(|| server.restart());
        }
        met.wait_for("people are answered again", &met.answered, ANSWERS).await;
        met.is_over.store(true, Ordering::Relaxed);
    };
    let living = people.iter_mut().enumerate().map(|(n, person)| person.live(n, &gateways, &met));
    tokio::join!(killing, join_all(living));
    join_all(people.iter().map(|person| person.settle(&gateways, &met))).await;

    assert_eq!(met.lost.load(Ordering::Relaxed), 0, "lost");
    assert_eq!(met.revived.load(Ordering::Relaxed), 0, "revived");
    let database = Database::connect(server.url()).await.unwrap();
    for person in &people {
        let query = format!("SELECT 1 FROM \"Sessions\" WHERE data LIKE '%{}%'", person.email);
        let query = Statement::from_string(DbBackend::Postgres, query);
        let rows = database.query_all_raw(query).await.unwrap().len();
        let known = usize::from(person.is_signed_in == Some(true));
        assert!((known..=known + person.doubtful).contains(&rows), "{rows} of {}", person.email);
    }
}
