//! What developers and their programs are told while Next.js is not there.

use http::{Method, StatusCode};
use nextbnb_gateway::next::dev_news::{DevNews, Situation};
use nextbnb_gateway::proxy::pages::Reader;
use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::next::free_address;
use nextbnb_tests::stack::RunningGateway;
use nextbnb_tests::upstream::StubUpstream;
use nextbnb_tests::visitor::Visitor;

const PAGE: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

struct Waiting {
    gateway: RunningGateway,
    news: DevNews,
    upstream: Option<StubUpstream>,
    _database: TestDatabase,
}

impl Waiting {
    /// For a Next.js that is not there, and of which the news is `situation`.
    async fn start(situation: Situation) -> Self {
        Self::before(None, situation).await
    }

    async fn before(upstream: Option<StubUpstream>, situation: Situation) -> Self {
        let database = TestDatabase::postgres().await;
        let news = DevNews::default();
        news.tell(situation);
        let reader = Reader::DeveloperWatching(news.clone());
        let at = upstream.as_ref().map_or_else(free_address, StubUpstream::address);
        let gateway =
            RunningGateway::start(database.url(), at, |config| config.reader = reader).await;
        Self { gateway, news, upstream, _database: database }
    }

    fn browser(&self) -> Visitor {
        self.gateway.anonymous().header("Accept", PAGE)
    }
}

#[tokio::test]
async fn in_dev_an_upstream_that_is_not_there_is_starting() {
    let database = TestDatabase::postgres().await;
    let gateway = RunningGateway::start(database.url(), free_address(), |config| {
        config.reader = Reader::Developer;
    })
    .await;
    let page = gateway.anonymous().header("Accept", PAGE).get("/").await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.text().contains("Next.js is starting"), "{}", page.text());
}

#[tokio::test]
async fn a_page_that_waits_is_not_kept_and_runs_its_own_script_alone() {
    let waiting = Waiting::start(Situation::Starting).await;
    let page = waiting.browser().get("/trips").await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(page.header("retry-after"), Some("1"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("script-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
    assert!(page.text().contains("<noscript><meta http-equiv=\"refresh\""), "{}", page.text());
}

#[tokio::test]
async fn no_program_and_no_part_of_next_js_gets_html() {
    let waiting = Waiting::start(Situation::Starting).await;
    let browser = || waiting.browser();
    let replies = [
        waiting.gateway.anonymous().get("/api/houses").await,
        browser().header("RSC", "1").get("/trips").await,
        browser().header("RSC", "1").header("Next-Router-Prefetch", "1").get("/trips").await,
        browser().get("/trips?_rsc=1abc").await,
        browser().header("Sec-Purpose", "prefetch").get("/trips").await,
        browser().header("Next-Action", "00ff").send(Method::POST, "/trips", None).await,
    ];
    for reply in replies {
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(reply.header("retry-after"), Some("1"));
        assert_eq!(reply.header("content-type"), Some("application/json; charset=utf-8"));
        assert_eq!(reply.json()["message"], "Next.js is starting. Try again in a moment.");
    }
}

#[tokio::test]
async fn a_page_does_not_hang_before_a_next_js_that_is_known_not_to_answer() {
    let upstream = StubUpstream::start().await;
    for situation in [
        Situation::Starting,
        Situation::Ended("exit code 1".to_owned()),
        Situation::Hung,
        Situation::Installing("npm ci".to_owned()),
    ] {
        let waiting = Waiting::before(Some(StubUpstream::start().await), situation).await;
        assert_eq!(waiting.browser().get("/").await.status, StatusCode::SERVICE_UNAVAILABLE);
        let form = Some(("text/plain", "a".to_owned()));
        let form = waiting.browser().send(Method::POST, "/", form).await;
        assert_eq!(form.status, StatusCode::OK, "what is to be done is not given up");
        let asked = waiting.upstream.as_ref().unwrap().seen().len();
        assert_eq!(asked, 1);
    }
    let waiting = Waiting::before(Some(upstream), Situation::Ready).await;
    assert_eq!(waiting.browser().get("/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_page_learns_when_to_load_without_asking_for_the_page_itself() {
    let mut waiting = Waiting::before(Some(StubUpstream::start().await), Situation::Starting).await;
    let ask = |waiting: &Waiting| {
        let browser = waiting.browser();
        async move { browser.get("/.nextbnb/waiting?path=%2Fverify%3Fonce").await }
    };
    let told = ask(&waiting).await;
    assert_eq!(told.status, StatusCode::OK, "browsers complain of other statuses");
    assert!(told.text().contains("Next.js is starting"), "{}", told.text());
    waiting.news.tell(Situation::Ended("exit code 7".to_owned()));
    assert!(ask(&waiting).await.text().contains("exit code 7"));
    waiting.news.tell(Situation::Ready);
    let told = ask(&waiting).await;
    assert_eq!(
        (told.status, told.header("cache-control")),
        (StatusCode::NO_CONTENT, Some("no-store"))
    );
    assert!(waiting.upstream.as_ref().unwrap().seen().is_empty(), "nothing was asked of Next.js");
    drop(waiting.upstream.take());
    assert_eq!(ask(&waiting).await.status, StatusCode::OK);
}
