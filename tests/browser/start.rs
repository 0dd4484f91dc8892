//! Before `next start`.

use std::time::Duration;

use nextbnb_gateway::config::Config;
use nextbnb_gateway::proxy::pages::Reader;
use nextbnb_tests::browser::{pictures, walk};
use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::next::{NextServer, repository};
use nextbnb_tests::stack::RunningGateway;
use nextbnb_tests::tls::TestCertificate;

struct Site {
    next: NextServer,
    gateway: RunningGateway,
    _database: TestDatabase,
}

impl Site {
    async fn open() -> Self {
        Self::open_for(Reader::Visitor).await
    }

    async fn open_for(reader: Reader) -> Self {
        let (database, next) = (TestDatabase::postgres().await, NextServer::start().await);
        let change = |config: &mut Config| config.reader = reader;
        let gateway = RunningGateway::start(database.url(), next.address(), change).await;
        Self { next, gateway, _database: database }
    }

    fn url(&self) -> String {
        format!("http://localhost:{}", self.gateway.address().port())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_registers_books_a_house_and_leaves() {
    let site = Site::open().await;
    walk("register-book-leave", &site.url(), &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_pages_come_by_http2_and_a_sign_in_sets_a_secure_cookie() {
    let (database, next) = (TestDatabase::postgres().await, NextServer::start().await);
    let certificate = TestCertificate::of(&["localhost"]);
    let change = |config: &mut Config| config.tls = Some(certificate.tls());
    let gateway = RunningGateway::start(database.url(), next.address(), change).await;
    let url = format!("https://localhost:{}", gateway.address().port());
    walk("over-tls", &url, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_at_once_see_their_own_trips() {
    let site = Site::open().await;
    walk("two-people", &site.url(), &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_signs_in_and_comes_back_to_where_they_were() {
    let site = Site::open().await;
    site.gateway.signed_in("ada@example.org").await;
    let password = nextbnb_tests::stack::PASSWORD;
    walk("sign-in-and-come-back", &site.url(), &["ada@example.org", password]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_of_a_form_are_shown_in_place() {
    let site = Site::open().await;
    site.gateway.signed_in("ada@example.org").await;
    walk("form-errors", &site.url(), &["ada@example.org"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_site_is_read_without_javascript() {
    let site = Site::open().await;
    walk("without-javascript", &site.url(), &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn next_js_may_die_and_come_back_with_people_still_signed_in() {
    let mut site = Site::open().await;
    let ada = site.gateway.signed_in("ada@example.org").await.header("Accept", "text/html");
    site.next.kill();
    let page = ada.get("/").await;
    assert_eq!(page.status, 502);
    assert!(page.text().contains("cannot be reached"), "{}", page.text());
    site.next.restart().await;
    let page = ada.get("/").await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("Hello, ada@example.org"), "{}", page.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_waits_for_next_js_becomes_the_one_asked_for() {
    let mut site = Site::open_for(Reader::Developer).await;
    site.next.kill();
    let folder = tempfile::tempdir().unwrap();
    let (url, waiting) = (site.url(), folder.path().join("waiting"));
    let details = [waiting.to_str().unwrap()];
    let comes_back = async {
        while !waiting.exists() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        site.next.restart().await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = walk("wait-for-next", &url, &details) => {}
        () = comes_back => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_readme_shows_what_the_site_looks_like() {
    let site = Site::open().await;
    walk("screenshot", &site.url(), &[]).await;
    #[expect(clippy::disallowed_methods, reason = "a switch of this test, not a setting")]
    let update = std::env::var_os("UPDATE_README").is_some();
    if update {
        let picture = repository().join("docs/screenshot.png");
        std::fs::copy(pictures().join("screenshot.png"), picture).unwrap();
    }
}
